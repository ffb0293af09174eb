"""Tests of L{edgegate.http.guards.rate_limit_state}."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.rate_limit_state import Latencies, RateLimits, RateLimitState
from edgegate.http.guards.redis_link import RedisLink
from edgegate.model.guards.rate_limit import GlobalCount, RateLimit, RateLimitGuard
from edgegate.model.origin import Origin
from edgegate.model.redis import RedisServer
from tests.access.rate_limits.requests import Asked

GUARD = RateLimitGuard("default/api", Origin("a.yaml", 1, ""), (RateLimit("all", 2, 60.0, 2),))


class Link:
    """A connection to a Redis."""

    def __init__(self) -> None:
        self.stopped = False

    def stop(self) -> None:
        """See L{RedisLink}."""
        self.stopped = True


class StateTests(SynchronousTestCase):
    """What stays when files change."""

    def setUp(self) -> None:
        self.shared = RateLimits()
        self.links: list[Link] = []

    def connect(self, server: RedisServer) -> RedisLink:
        """Connect to a Redis."""
        self.links.append(Link())
        return cast(Any, self.links[-1])

    def state(self, guard: RateLimitGuard) -> RateLimitState:
        """Return the state of a policy."""
        return RateLimitState(guard, self.shared, self.connect)

    def test_buckets_stay(self) -> None:
        """A policy that says something else around a limit goes on with the limit's buckets and numbers."""
        before = self.state(GUARD)
        self.assertIsNone(before.local.take(Asked(), 50.0))
        before.stop()
        after = self.state(replace(GUARD, shadow=True))
        self.assertIsNone(after.local.take(Asked(), 50.0))
        self.assertIsNotNone(after.local.take(Asked(), 50.0))
        self.assertIn((("default/api", "all", "allowed"), 2), list(self.shared.counted()))

    def test_others_begin_anew(self) -> None:
        """One with other numbers has full buckets."""
        self.state(GUARD).local.take(Asked(), 50.0)
        other = self.state(replace(GUARD, limits=(RateLimit("all", 1, 60.0, 1),)))
        self.assertIsNone(other.local.take(Asked(), 50.0))

    def test_one_connection(self) -> None:
        """Policies that ask the same Redis share a connection, which ends with the last of them."""
        counted = GlobalCount(RedisServer("redis", 6379))
        one = self.state(replace(GUARD, shared=counted))
        other = self.state(replace(GUARD, name="default/other", shared=replace(counted, timeout=1.0)))
        third = self.state(replace(GUARD, shared=GlobalCount(RedisServer("redis", 6379, 1))))
        self.assertEqual(len(self.links), 2)
        one.stop()
        self.assertFalse(self.links[0].stopped)
        other.stop()
        third.stop()
        self.assertEqual([link.stopped for link in self.links], [True, True])

    def test_latencies(self) -> None:
        """Times are counted in buckets."""
        latencies = Latencies()
        latencies.add(0.0021)
        latencies.add(0.0)
        self.assertEqual((latencies.numbers[0], sum(latencies.numbers[1:])), (2, 2))
