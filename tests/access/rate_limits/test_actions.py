"""Tests of L{edgegate.access.rate_limits.actions}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.actions import descriptor_of
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.rate_limit_actions import Action, ActionKind, ValueMatch
from tests.access.rate_limits.requests import Asked, with_claims

ADDRESS = Action(ActionKind.REMOTE_ADDRESS, b"remote_address")
PATH = Action(ActionKind.REQUEST_HEADERS, b"PATH", name=(":path",))


def one(action: Action, request: Asked, cluster: bytes = b"") -> bytes | None:
    """Return the value that an action makes."""
    found = descriptor_of([action], b"edge")(request, cluster)
    return None if found is None else found[0][1]


class ActionTests(SynchronousTestCase):
    """What actions make of a request."""

    def test_together(self) -> None:
        """Actions are entries, in their order; without one there is no descriptor, unless it may be left out."""
        request = Asked(path=b"/a", query=b"b=c")
        self.assertEqual(
            descriptor_of([PATH, ADDRESS])(request, b""), ((b"PATH", b"/a?b=c"), (b"remote_address", b"192.0.2.1"))
        )
        absent = Action(ActionKind.REQUEST_HEADERS, b"k", name=("x-key",))
        self.assertIsNone(descriptor_of([ADDRESS, absent])(request, b""))
        optional = Action(ActionKind.REQUEST_HEADERS, b"k", name=("x-key",), skip_if_absent=True)
        self.assertEqual(descriptor_of([ADDRESS, optional])(request, b""), ((b"remote_address", b"192.0.2.1"),))
        self.assertIsNone(descriptor_of([optional])(request, b""))

    def test_simple(self) -> None:
        """Addresses, clusters, and words of the file."""
        masked = Action(ActionKind.MASKED_REMOTE_ADDRESS, b"m", ipv4_prefix=24, ipv6_prefix=48)
        self.assertEqual(one(masked, Asked()), b"192.0.2.0/24")
        self.assertEqual(one(masked, Asked(client_address=b"2001:db8:1:2::3")), b"2001:db8:1::/48")
        self.assertEqual(one(Action(ActionKind.MASKED_REMOTE_ADDRESS, b"m"), Asked()), b"192.0.2.1/32")
        self.assertEqual(one(Action(ActionKind.GENERIC_KEY, b"generic_key", b"x"), Asked()), b"x")
        self.assertEqual(one(Action(ActionKind.SOURCE_CLUSTER, b"s"), Asked()), b"edge")
        destination = Action(ActionKind.DESTINATION_CLUSTER, b"d")
        self.assertEqual(
            (one(destination, Asked(), b"outbound|80||a"), one(destination, Asked())), (b"outbound|80||a", None)
        )

    def test_metadata(self) -> None:
        """What other filters have found out, where it is a text."""
        path = ("envoy.filters.http.jwt_authn", "payload", "org", "id")
        action = Action(ActionKind.METADATA, b"m", name=path)
        self.assertEqual(one(action, with_claims(org={"id": "acme"})), b"acme")
        self.assertIsNone(one(action, with_claims(org={"id": 7})))
        self.assertIsNone(one(action, with_claims(org="x")))
        self.assertEqual(one(Action(ActionKind.METADATA, b"m", b"none", path), Asked()), b"none")

    def test_header_value_match(self) -> None:
        """All conditions hold, or where that is wanted not all."""
        api = ValueMatch(":path", StringMatch(Kind.PREFIX, "/api"))
        posts = ValueMatch(":method", StringMatch(Kind.EXACT, "POST"))
        both = Action(ActionKind.HEADER_VALUE_MATCH, b"header_match", b"v", matches=(api, posts))
        self.assertEqual(one(both, Asked(b"POST", b"/api/a")), b"v")
        self.assertIsNone(one(both, Asked(b"GET", b"/api/a")))
        other = Action(ActionKind.HEADER_VALUE_MATCH, b"header_match", b"v", matches=(api, posts), expected=False)
        self.assertEqual(one(other, Asked(b"GET", b"/api/a")), b"v")

    def test_matchers(self) -> None:
        """A header that is not there fits nothing but its absence."""
        exact = StringMatch(Kind.EXACT, "1")
        cases = (
            (ValueMatch("x", exact), (True, False, False)),
            (ValueMatch("x", exact, invert=True), (False, True, False)),
            (ValueMatch("x", exact, invert=True, missing_is_empty=True), (False, True, True)),
            (ValueMatch("x"), (True, True, False)),
            (ValueMatch("x", present=False), (False, False, True)),
            (ValueMatch("x", invert=True), (False, False, True)),
            (ValueMatch("x", least=-1, end=2), (True, False, False)),
            (ValueMatch("x", least=2, end=8), (False, True, False)),
        )
        requests = (Asked(headers=((b"x", b"1"),)), Asked(headers=((b"x", b"7"),)), Asked())
        for match, fits in cases:
            action = Action(ActionKind.HEADER_VALUE_MATCH, b"k", b"v", matches=(match,))
            self.assertEqual(tuple(one(action, request) is not None for request in requests), fits, match)
        action = Action(ActionKind.HEADER_VALUE_MATCH, b"k", b"v", matches=(ValueMatch("x", least=0, end=9),))
        for value in (b"x", b"", b"-", b"1.5", b"9" * 5000, b"\xb2"):
            self.assertIsNone(one(action, Asked(headers=((b"x", value),))), value)

    def test_query(self) -> None:
        """Conditions on parameters of the query."""
        match = ValueMatch("a", StringMatch(Kind.EXACT, "1"))
        action = Action(ActionKind.QUERY_PARAMETER_VALUE_MATCH, b"query_match", b"v", matches=(match,))
        self.assertEqual((one(action, Asked(query=b"b=2&a=1")), one(action, Asked(query=b"a=2"))), (b"v", None))
