"""Tests of L{edgegate.replay.weighing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.behaviour import Refused
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.replay.findings import Verdict
from edgegate.replay.possible_routes import Unsaid
from edgegate.replay.routing import Outcome, Possible
from edgegate.replay.weighing import MOST_UNSAID, Outcomes, together, weigh

A, B, C = (Outcome(Refused(status, ""), str(status)) for status in (1, 2, 3))


def unsaid(name: str, value: str = "x") -> Unsaid:
    """Return a condition on a header that a log lacks."""
    return Unsaid(name, HTTPMatch(headers=((name, StringMatch(Kind.EXACT, value)),)))


def side(*rows: tuple[Unsaid, Outcome], last: Outcome) -> Possible:
    """Return what may become of a request."""
    return (*((frozenset((needed,)), outcome) for needed, outcome in rows), (frozenset(), last))


def verdict(outcomes: Outcomes) -> Verdict:
    """Whether both sides do the same."""
    return Verdict.SAME if outcomes[0] is outcomes[1] else Verdict.OTHERWISE


X, Y = unsaid("x"), unsaid("y")


class WeighTests(SynchronousTestCase):
    """What follows where not all is known."""

    def test_same(self) -> None:
        """Where the same conditions lead to the same, whatever is unknown makes no difference."""
        for old, new in (
            (side((X, A), last=B), side((X, A), last=B)),
            (side((X, A), (Y, A), last=B), side((Y, A), (X, A), last=B)),
            (side((X, A), last=A), side(last=A)),
        ):
            found = weigh((old, new), verdict)
            self.assertEqual((found.verdict, found.depends), (Verdict.SAME, ()))

    def test_maybe(self) -> None:
        """Equal sets of outcomes are not the same where other values lead to them; only what matters is named."""
        old, new = side((X, A), (Y, B), last=B), side((unsaid("x", "other"), A), (Y, B), last=B)
        found = weigh((old, new), verdict)
        self.assertEqual((found.verdict, found.depends), (Verdict.MAYBE, ("x",)))
        self.assertEqual({each.summary for each in found.outcomes}, {"1", "2"})

    def test_otherwise(self) -> None:
        """What differs in every case is certain; it is said what decides how."""
        found = weigh((side((X, A), last=B), side(last=C)), verdict)
        self.assertEqual((found.verdict, found.outcomes, found.depends), (Verdict.OTHERWISE, (B, C), ("x",)))

    def test_many(self) -> None:
        """Where too much is unknown for all cases, what is said is right, if not as much."""
        many = [unsaid(f"h{number}") for number in range(MOST_UNSAID + 1)]
        names = tuple(sorted(each.subject for each in many))
        old = side(*((each, A) for each in many), last=B)
        self.assertEqual(weigh((old, old), verdict).verdict, Verdict.SAME)
        found = weigh((old, side(last=C)), verdict)
        self.assertEqual((found.verdict, found.outcomes, found.depends), (Verdict.OTHERWISE, (A, C), names))
        found = weigh((old, side(last=B)), verdict)
        self.assertEqual((found.verdict, found.depends), (Verdict.MAYBE, names))

    def test_together(self) -> None:
        """Of several cases one is the real one."""
        same, otherwise, unsaid_ = Verdict.SAME, Verdict.OTHERWISE, Verdict.UNSAID
        for cases, expected in (
            ({same}, same),
            ({same, unsaid_}, unsaid_),
            ({same, otherwise}, Verdict.MAYBE),
            ({unsaid_, otherwise}, Verdict.MAYBE),
        ):
            self.assertIs(together(cases), expected)
