"""Tests of L{edgegate.http.guards.external_reports}."""

from __future__ import annotations

from twisted.logger import globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.verdict import Outcome, Verdict, failed
from edgegate.http.guards.external_reports import report
from edgegate.model.authorizers import Authorizer, Protocol
from edgegate.observe.metrics.families import EXTERNAL_AUTHORIZATION
from tests.http.conversation import Conversation, plain


class ReportTests(SynchronousTestCase):
    """What is told of checks."""

    def setUp(self) -> None:
        """Listen to the log."""
        self.environment = Conversation().environment
        self.lines: list[str] = []

        def observe(event: object) -> None:
            assert isinstance(event, dict)
            if event.get("provider"):
                self.lines.append(event["log_format"].format(**event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)

    def numbers(self) -> list[int]:
        """Return what was counted."""
        (series,) = self.environment.clusters.environment.meters.of(EXTERNAL_AUTHORIZATION)
        return series.numbers

    def test_counted(self) -> None:
        """Each outcome is counted, and nothing is said of those that there should be."""
        authorizer = Authorizer("counted", Protocol.HTTP, "c")
        for outcome in (Outcome.ALLOWED, Outcome.ALLOWED, Outcome.DENIED):
            report(self.environment, plain(), authorizer, Verdict(outcome))
        self.assertEqual((self.numbers(), self.lines), ([2, 1, 0, 0], []))

    def test_failures(self) -> None:
        """Why a service says nothing is logged once in a while for each reason."""
        authorizer = Authorizer("failing", Protocol.HTTP, "c", fail_open=True)
        for words in ("it answers 500", "it answers 500", "upstream too slow"):
            report(self.environment, plain(), authorizer, failed(authorizer, words))
        self.assertEqual(self.numbers(), [0, 0, 3, 3])
        self.assertEqual(len(self.lines), 2)
        self.assertIn("the provider failing at None does not say who may pass: it answers 500", self.lines[0])
