"""Tests of L{edgegate.access.conditions}; what each does is in tests.access.test_authorization."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.conditions import PathCheck, check_of
from edgegate.access.facts import Facts
from edgegate.model.guards.authorization import Attribute, Condition
from tests.access.asking import Connected, asked

VALUES = {Attribute.PORT: ("80",), Attribute.PEER: ("::1",), Attribute.CLIENT: ("::1",), Attribute.LOCAL: ("::1",)}
KEYS = {Attribute.HEADER: ("a",), Attribute.CLAIM: ("a", "b"), Attribute.METADATA: ("envoy.filters.a", "b")}


class CheckTests(SynchronousTestCase):
    """Conditions as they are asked."""

    def test_each(self) -> None:
        """There is one for each thing to look at; what is not there fits none, and satisfies each negation."""
        for attribute in Attribute:
            for matches_more in (True, False):
                for negated in (True, False):
                    values = VALUES.get(attribute, ("never",))
                    condition = Condition(attribute, values, negated, KEYS.get(attribute, ()))
                    check = check_of(condition, matches_more)
                    self.assertEqual(check.negated, negated)
                    self.assertIs(check.condition, condition)
                    for request in (asked(), None):
                        self.assertEqual(check.holds(Facts(Connected(), request)), negated, condition)

    def test_bad(self) -> None:
        """What validation would have refused is no condition."""
        for attribute, value in ((Attribute.PORT, "http"), (Attribute.PEER, "host")):
            self.assertRaises(ValueError, check_of, Condition(attribute, (value,)), True)

    def test_starts(self) -> None:
        """How paths begin that fit, for an index."""
        for values, starts in (
            (("/a", "/b*"), (b"/b",)),
            (("/a/{*}/b", "/c/{**}"), (b"/a/", b"/c/")),
            (("/{**}",), (b"/",)),
            (("/a", "*b"), None),
            (("*",), None),
        ):
            check = check_of(Condition(Attribute.PATH, values), matches_more=False)
            assert isinstance(check, PathCheck)
            self.assertEqual(check.starts, starts, values)
