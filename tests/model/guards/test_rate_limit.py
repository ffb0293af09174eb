"""Tests of L{edgegate.model.guards.rate_limit}."""

from __future__ import annotations

import pickle
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.guard import Stage
from edgegate.model.guards.rate_limit import GlobalCount, KeyPart, KeySource, RateLimit, RateLimitGuard
from edgegate.model.origin import Origin
from edgegate.model.redis import RedisServer

GUARD = RateLimitGuard(
    "default/api",
    Origin("a.yaml", 1, "RateLimitPolicy default/api"),
    (RateLimit("all", 2, 60.0, 2, (KeyPart(KeySource.HEADER, ("x-key",)),)),),
    shared=GlobalCount(RedisServer("redis.example", 6379)),
)


class RateLimitGuardTests(SynchronousTestCase):
    """Guards of rate limits."""

    def test_value(self) -> None:
        """It is a value that may be pickled, whatever line it is said on; it comes after those who say who it is."""
        self.assertEqual(pickle.loads(pickle.dumps(GUARD)), GUARD)
        self.assertEqual(len({GUARD, replace(GUARD, origin=Origin("b.yaml", 7, ""))}), 1)
        self.assertGreater(GUARD.stage(), Stage.JWT)
