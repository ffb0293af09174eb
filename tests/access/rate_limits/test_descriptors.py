"""Tests of L{edgegate.access.rate_limits.descriptors}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.descriptors import Descriptor, DescriptorMaker, field_condition
from edgegate.model.guards.envoy_rate_limits import Action, ActionKind, DescriptorRule, FieldMatch, TextKind
from tests.access.rate_limits.requests import Asked

REQUEST = Asked(
    path=b"/a",
    query=b"x=1&y=&x=2",
    headers=((b"x-user", b"qa"), (b"x-user", b"dev"), (b"x-count", b"-7")),
    client_address=b"2001:db8:1::1",
    metadata={"ns": {"a": {"b": "text", "n": 5}, "empty": ""}},
)
CLUSTER = "outbound|80||shop.example"


def made(*actions: Action, stage: int = 0) -> list[Descriptor]:
    """Return what one rule makes of the request."""
    return DescriptorMaker([DescriptorRule(actions, stage)], 0).of(REQUEST, CLUSTER)


class DescriptorMakerTests(SynchronousTestCase):
    """Descriptors of requests."""

    def test_actions(self) -> None:
        """Each action has its entry."""
        for action, value in (
            (Action(ActionKind.GENERIC_KEY, "k", "v"), b"v"),
            (Action(ActionKind.REQUEST_HEADER, "k", name="X-User"), b"qa"),
            (Action(ActionKind.REQUEST_HEADER, "k", name=":path"), b"/a?x=1&y=&x=2"),
            (Action(ActionKind.REQUEST_HEADER, "k", name=":authority"), b"shop.example"),
            (Action(ActionKind.REMOTE_ADDRESS, "k"), b"2001:db8:1::1"),
            (Action(ActionKind.MASKED_REMOTE_ADDRESS, "k", prefixes=(24, 32)), b"2001:db8::/32"),
            (Action(ActionKind.QUERY_PARAMETER, "k", name="x"), b"1"),
            (Action(ActionKind.QUERY_PARAMETER, "k", name="y"), b""),
            (Action(ActionKind.SOURCE_CLUSTER, "k"), b"edgegate"),
            (Action(ActionKind.DESTINATION_CLUSTER, "k"), CLUSTER.encode()),
            (Action(ActionKind.METADATA, "k", namespace="ns", path=("a", "b")), b"text"),
            (Action(ActionKind.METADATA, "k", "other", namespace="ns", path=("a", "n")), b"other"),
        ):
            self.assertEqual(made(action), [((b"k", value),)], action)

    def test_nothing(self) -> None:
        """What is not there drops the descriptor, or is left out where the action says so."""
        absent = Action(ActionKind.REQUEST_HEADER, "k", name="x-none")
        skipped = Action(ActionKind.REQUEST_HEADER, "k", name="x-none", skip=True)
        other = Action(ActionKind.GENERIC_KEY, "g", "v")
        self.assertEqual(made(other, absent), [])
        self.assertEqual(made(other, skipped), [((b"g", b"v"),)])
        self.assertEqual(made(skipped), [], "one without entries is none")
        self.assertEqual(made(Action(ActionKind.METADATA, "k", namespace="ns", path=("empty",))), [])
        self.assertEqual(made(Action(ActionKind.METADATA, "k", namespace="ns", path=("a", "b", "c"))), [])
        self.assertEqual(made(Action(ActionKind.QUERY_PARAMETER, "k", name="z")), [])
        self.assertEqual(made(other, stage=1), [], "of another stage")

    def test_no_address(self) -> None:
        """A client without an address has none that could be masked."""
        maker = DescriptorMaker([DescriptorRule((Action(ActionKind.MASKED_REMOTE_ADDRESS, "k"),))], 0)
        self.assertEqual(maker.of(Asked(client_address=b""), ""), [])
        self.assertEqual(maker.of(Asked(client_address=b"192.0.2.9"), ""), [((b"k", b"192.0.2.9/32"),)])

    def test_matching(self) -> None:
        """An entry may stand for conditions, that all hold or not."""
        both = (FieldMatch("x-user", TextKind.PRESENT), FieldMatch("x-none", TextKind.PRESENT))
        for matches, expected, wanted in ((both, True, 0), (both, False, 1), (both[:1], True, 1), (both[:1], False, 0)):
            action = Action(ActionKind.HEADERS_MATCH, "k", "v", matches=matches, expected=expected)
            self.assertEqual(len(made(action)), wanted)

    def test_conditions(self) -> None:
        """Several fields of one name are one value; what is not there satisfies nothing, turned round or not."""
        for match, holds in (
            (FieldMatch("x-user", TextKind.EXACT, "qa,dev"), True),
            (FieldMatch("x-user", TextKind.EXACT, "qa"), False),
            (FieldMatch("x-user", TextKind.EXACT, "qa", invert=True), True),
            (FieldMatch("X-USER", TextKind.PREFIX, "QA", ignore_case=True), True),
            (FieldMatch("x-user", TextKind.SUFFIX, "dev"), True),
            (FieldMatch("x-user", TextKind.CONTAINS, ","), True),
            (FieldMatch("x-user", TextKind.REGEX, "qa"), False),
            (FieldMatch("x-user", TextKind.REGEX, "qa,.*"), True),
            (FieldMatch("x-none", TextKind.EXACT, ""), False),
            (FieldMatch("x-none", TextKind.EXACT, "", missing_is_empty=True), True),
            (FieldMatch("x-none", TextKind.EXACT, "a", invert=True), False),
            (FieldMatch("x-none", TextKind.PRESENT, invert=True), True),
            (FieldMatch("x-count", TextKind.RANGE, bounds=(-7, 0)), True),
            (FieldMatch("x-count", TextKind.RANGE, bounds=(-6, 0)), False),
            (FieldMatch("x-user", TextKind.RANGE, bounds=(-6, 9)), False),
        ):
            self.assertIs(field_condition(match, query=False)(REQUEST), holds, match)
        self.assertTrue(field_condition(FieldMatch("x", TextKind.EXACT, "1"), query=True)(REQUEST))
        self.assertFalse(field_condition(FieldMatch("X", TextKind.PRESENT), query=True)(REQUEST))
