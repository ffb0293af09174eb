"""Tests of L{edgegate.model.redis}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.redis import RedisServer


class RedisServerTests(SynchronousTestCase):
    """Where a Redis is."""

    def test_server(self) -> None:
        """A Redis is called by its address."""
        servers = (RedisServer("redis", 6379), RedisServer("/run/redis.sock", 0))
        self.assertEqual([str(server) for server in servers], ["redis:6379", "/run/redis.sock"])
