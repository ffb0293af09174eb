"""Tests of L{edgegate.server.reload_history}."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.server.reload import Outcome, Reload
from edgegate.server.reload_history import KEPT, ReloadHistory

AT = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)


def reload(outcome: Outcome, minutes: int = 0, *changes: str, problems: int = 0) -> Reload:
    """Return what came of a reading."""
    found = Problems()
    for line in range(problems):
        found.add(Problem("web.yaml", line + 1, 3, Severity.ERROR, "spec", "no"))
    return Reload(outcome, AT + timedelta(minutes=minutes), found, changes, 0.25)


class ReloadHistoryTests(SynchronousTestCase):
    """Readings of files."""

    def setUp(self) -> None:
        """Have the first."""
        self.history = ReloadHistory(reload(Outcome.INSTALLED))

    def test_installed(self) -> None:
        """The newest is first, with how many things came, went and changed; what changed nothing is not kept."""
        lines = (
            "cluster a added (web.yaml:3)",
            "cluster b removed (was web.yaml:9)",
            "cluster c changed (web.yaml:20)",
        )
        self.history.add(None)
        self.history.add(reload(Outcome.UNCHANGED, 1))
        self.history.add(reload(Outcome.INSTALLED, 2, *lines))
        last, first = self.history
        self.assertEqual((first.at, last.at, self.history.installed), (AT, last.at, AT + timedelta(minutes=2)))
        self.assertEqual((last.changes, last.lines, last.added, last.removed, last.changed), (lines, 3, 1, 1, 1))
        self.assertIsNone(self.history.refused)

    def test_refused(self) -> None:
        """What was refused last is known when others were installed since, with its problems."""
        self.history.add(reload(Outcome.REFUSED, 1, problems=2))
        self.assertTrue(self.history.is_refused)
        self.history.add(reload(Outcome.INSTALLED, 2))
        self.assertFalse(self.history.is_refused)
        refused = self.history.refused
        assert refused is not None
        self.assertEqual([(each.file, each.line) for each in refused.problems], [("web.yaml", 1), ("web.yaml", 2)])
        self.assertEqual(self.history.installed, AT + timedelta(minutes=2))

    def test_asked_again(self) -> None:
        """The same files refused again are no news; other problems are."""
        for minute, problems in ((1, 1), (2, 1), (3, 2)):
            self.history.add(reload(Outcome.REFUSED, minute, problems=problems))
        self.assertEqual([each.found for each in self.history], [2, 1, 0])
        self.assertEqual([each.at.minute for each in self.history], [3, 2, 0])

    def test_bounds(self) -> None:
        """There is a bound for readings, and for what is kept of each; how much there was is told."""
        lines = [f"cluster {number} added (web.yaml:1)" for number in range(KEPT * 2)]
        for minute in range(KEPT + 3):
            self.history.add(reload(Outcome.REFUSED, minute, *lines, problems=KEPT + minute))
        found = list(self.history)
        self.assertEqual(len(found), KEPT)
        self.assertEqual((len(found[0].changes), found[0].lines, found[0].added), (KEPT, KEPT * 2, KEPT * 2))
        self.assertEqual((len(found[0].problems), found[0].found), (KEPT, KEPT * 2 + 2))
