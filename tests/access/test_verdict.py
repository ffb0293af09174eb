"""Tests of L{edgegate.access.verdict}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.verdict import Action, Outcome, Verdict, failed, mutated
from edgegate.model.authorizers import Authorizer, Protocol

FIELDS = [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]


class MutatedTests(SynchronousTestCase):
    """Changes of headers, by Envoy's words for them."""

    def test_actions(self) -> None:
        """Each does with a header that is there, and with one that is not, what its name says."""
        new, over = (b"c", b"9"), [(b"b", b"2"), (b"a", b"9")]
        for action, there, absent in (
            (Action.APPEND_IF_EXISTS_OR_ADD, [*FIELDS, (b"a", b"9")], [*FIELDS, new]),
            (Action.ADD_IF_ABSENT, FIELDS, [*FIELDS, new]),
            (Action.OVERWRITE_IF_EXISTS_OR_ADD, over, [*FIELDS, new]),
            (Action.OVERWRITE_IF_EXISTS, over, FIELDS),
        ):
            self.assertEqual(mutated(FIELDS, [(b"a", b"9", action)]), there)
            self.assertEqual(mutated(FIELDS, [(b"c", b"9", action)]), absent)

    def test_in_order(self) -> None:
        """One after the other is done."""
        replaced, added = Action.OVERWRITE_IF_EXISTS_OR_ADD, Action.APPEND_IF_EXISTS_OR_ADD
        found = mutated(FIELDS, [(b"a", b"x", replaced), (b"a", b"y", added), (b"b", b"z", Action.ADD_IF_ABSENT)])
        self.assertEqual(found, [(b"b", b"2"), (b"a", b"x"), (b"a", b"y")])


class VerdictTests(SynchronousTestCase):
    """Verdicts in general."""

    def test_failed(self) -> None:
        """One that nobody has given has the status of its service."""
        found = failed(Authorizer("x", Protocol.HTTP, "c", status_on_error=503), "it is away")
        self.assertEqual((found.outcome, found.status), (Outcome.FAILED, 503))
        self.assertEqual(repr(found), "<Verdict FAILED it is away>")
        self.assertEqual(repr(Verdict(Outcome.DENIED, 302)), "<Verdict DENIED 302>")
