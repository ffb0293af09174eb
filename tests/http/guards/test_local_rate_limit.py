"""Tests of L{edgegate.http.guards.local_rate_limit}."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.local_rate_limit import LocalRateLimitFilter, told_apart
from edgegate.http.guards.rate_limit_state import RateLimits
from edgegate.model.guards.envoy_rate_limits import (
    Action,
    ActionKind,
    DescriptorRule,
    LocalDescriptor,
    LocalLimit,
    LocalRateLimit,
    Scopes,
    Settings,
    TokenBucket,
)
from edgegate.net.addresses import ConnectionInfo
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream
from tests.http.guards.guards import ORIGIN, guarded
from tests.http.h1.test_downstream_connection import GET, OK

LIMIT = LocalLimit("p", TokenBucket(1, 600.0), 1.0, 1.0, response_fields=(("X-Local", "true"),))


class LocalRateLimitTests(SynchronousTestCase):
    """Requests that a local limit counts."""

    def setUp(self) -> None:
        self.conversation = Conversation()

    def ask(self, limit: LocalLimit, scopes: Scopes = Scopes(), request: bytes = GET) -> FakeStream:  # noqa: B008
        """Ask a gateway with one limit."""
        client = self.conversation.client(guarded(LocalRateLimit("n/limit", ORIGIN, limit, scopes)))
        client.deliver(request)
        return client

    def passed(self, times: int, limit: LocalLimit, scopes: Scopes = Scopes()) -> int:  # noqa: B008
        """Return how many of some requests pass."""
        return sum(not self.ask(limit, scopes).sent for _ in range(times))

    def test_refused(self) -> None:
        """One too many is refused, in Envoy's words."""
        self.assertEqual(self.ask(LIMIT).sent, b"")
        refused = self.ask(LIMIT)
        self.assertTrue(refused.sent.startswith(b"HTTP/1.1 429 "), refused.sent)
        self.assertIn(b"\r\nx-local: true\r\n", refused.sent)
        self.assertTrue(refused.sent.endswith(b"\r\n\r\nlocal_rate_limited"))
        (ended,) = self.conversation.ended
        self.assertEqual((ended.details, ended.flags), ("local_rate_limited", "RL"))
        counts = self.conversation.environment.access.shared(RateLimits, RateLimits).counts("n/limit", "p")
        self.assertEqual((counts.allowed, counts.limited, counts.shadowed), (1, 1, 0))

    def test_shares(self) -> None:
        """What is not enabled is not counted, what is not enforced is let pass and told to the backend."""
        self.assertEqual(self.passed(3, replace(LIMIT, enabled=0.0)), 3)
        marked = replace(LIMIT, prefix="q", enforced=0.0, unenforced_fields=(("x-over", "1"),))
        for over in (False, True):
            self.assertEqual(self.ask(marked).sent, b"")
            self.assertIs(b"x-over: 1\r\n" in self.conversation.backend().sent, over)

    def test_shown(self) -> None:
        """Responses tell how the limit stands, a refusal too."""
        shown = replace(LIMIT, prefix="s", shown=True)
        client = self.ask(shown)
        self.conversation.backend().deliver(OK)
        self.assertIn(b"x-ratelimit-limit: 1\r\nx-ratelimit-remaining: 0\r\nx-ratelimit-reset: 600\r\n", client.sent)
        self.assertIn(b"x-ratelimit-remaining: 0\r\n", self.ask(shown).sent)
        self.assertEqual(self.conversation.left, NOTHING_LEFT)

    def test_shown_of_two(self) -> None:
        """Of several limits a response tells how the first one stands, as it is the last to look at it."""
        limits = [
            LocalRateLimit(name, ORIGIN, replace(LIMIT, prefix=name, bucket=TokenBucket(most, 600.0), shown=True))
            for name, most in (("a", 5), ("b", 9))
        ]
        client = self.conversation.client(guarded(*limits))
        client.deliver(GET)
        self.conversation.backend().deliver(OK)
        self.assertIn(b"x-ratelimit-limit: 5\r\nx-ratelimit-remaining: 4\r\n", client.sent)

    def test_gate(self) -> None:
        """One question is enough where all requests of a port take from one bucket, and nothing is told of it."""
        bucket = TokenBucket(1, 600.0)
        more: tuple[dict[str, Any], ...] = (
            {"shown": True},
            {"enabled": 0.5},
            {"per_connection": True},
            {"descriptors": (LocalDescriptor((("a", "b"),), bucket),)},
        )
        scopes = Scopes((("web.example:80", Settings()),)), Scopes(routes=(("", "other", Settings()),))
        guards = [LocalRateLimit("n/limit", ORIGIN, replace(LIMIT, **each)) for each in more]
        guards += [LocalRateLimit("n/limit", ORIGIN, LIMIT, each) for each in scopes]
        environment = self.conversation.environment
        self.assertEqual([LocalRateLimitFilter(each, environment).gate for each in guards], [None] * 6)
        self.assertIsNotNone(LocalRateLimitFilter(LocalRateLimit("n/limit", ORIGIN, LIMIT), environment).gate)

    def test_scopes(self) -> None:
        """A virtual host, or a route, has a limit of its own in place of the filter's."""
        own = replace(LIMIT, prefix="own", bucket=TokenBucket(2, 600.0))
        everywhere = Scopes((("web.example:80", Settings(local=own)),))
        elsewhere = Scopes((("other.example:80", Settings(local=own)),), (("", "other", Settings(local=own)),))
        self.assertEqual(self.passed(4, LIMIT, everywhere), 2)
        self.assertEqual(self.passed(4, LIMIT, elsewhere), 1)

    def test_owners(self) -> None:
        """Virtual hosts that are given the same limit have each their own bucket."""
        same = Scopes((("", Settings(local=LIMIT)),))
        self.assertEqual(self.passed(2, LIMIT, same), 1)
        moved = GET.replace(b"web.example", b"moved.example")
        client = self.ask(LIMIT, same, moved)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 30"), client.sent)
        self.assertTrue(self.ask(LIMIT, same, moved).sent.startswith(b"HTTP/1.1 429 "))

    def test_descriptors(self) -> None:
        """What routes say makes the descriptors, unless the filter has rules itself."""
        described = LocalDescriptor((("user", "qa"),), TokenBucket(1, 600.0))
        limit = replace(LIMIT, prefix="d", bucket=TokenBucket(9, 1.0), descriptors=(described,))
        rules = (DescriptorRule((Action(ActionKind.REQUEST_HEADER, "user", name="x-user"),)),)
        scopes = Scopes((("", Settings(rules)),))
        asked = GET.replace(b"\r\n\r\n", b"\r\nx-user: qa\r\n\r\n")
        sent = [bool(self.ask(limit, scopes, request).sent) for request in (asked, asked, GET)]
        self.assertEqual(sent, [False, True, False])
        self.assertEqual(bool(self.ask(replace(limit, rules=()), scopes, asked).sent), False)

    def test_connections(self) -> None:
        """Each connection may have a bucket of its own."""
        limit = replace(LIMIT, prefix="c", per_connection=True)
        client = self.ask(limit)
        self.conversation.backend().deliver(OK)
        client.deliver(GET)
        self.assertIn(b"HTTP/1.1 429 ", client.sent)
        self.assertEqual(self.ask(limit).sent, b"")

    def test_later_connections(self) -> None:
        """One that has the place in memory of another that is gone does not have its bucket."""
        last = guarded()
        found = {told_apart(ConnectionInfo(last.listener, last.chain, last.peer, last.local)) for _ in range(64)}
        self.assertEqual(len(found), 64)

    def test_grpc(self) -> None:
        """A client of gRPC gets its status, and what is told otherwise of it."""
        grpc = GET.replace(b"\r\n\r\n", b"\r\ncontent-type: application/grpc\r\n\r\n")
        for exhausted, status in ((False, b"14"), (True, b"8")):
            limit = replace(LIMIT, prefix=f"g{exhausted}", grpc_exhausted=exhausted)
            self.ask(limit)
            self.assertIn(b"grpc-status: " + status, self.ask(limit, request=grpc).sent)
