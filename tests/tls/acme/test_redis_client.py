"""Tests of L{edgegate.tls.acme.redis_client}; a real Redis is asked by L{tests.acceptance.test_certificates_redis}."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

from redis.exceptions import ConnectionError as ConnectionFailed
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.redis import RedisServer, RedisTLS
from edgegate.tls.acme.redis_client import PAUSE, RedisClient, RedisFailed


class RedisClientTests(SynchronousTestCase):
    """A Redis that is not there."""

    def setUp(self) -> None:
        self.now = 0.0
        # the path of a socket is short
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "redis"

    def client(self, server: RedisServer) -> RedisClient:
        """Return one with a clock of the test."""
        return RedisClient(server, lambda: self.now)

    def test_pause(self) -> None:
        """After a failure that took its time there is none like it for a moment: the reason is that of before."""
        client = self.client(RedisServer(str(self.path), 0))
        tries = []

        def hang() -> None:
            tries.append(self.now)
            self.now += 2.0
            raise ConnectionFailed(f"try {len(tries)}")

        for _ in range(3):
            self.assertEqual(str(self.assertRaises(RedisFailed, client._asked, hang)), f"Redis {self.path}: try 1")
        self.assertEqual((tries, client.failures), ([0.0], 1))
        self.now += PAUSE
        self.assertIn("try 2", str(self.assertRaises(RedisFailed, client._asked, hang)))

    def test_at_once(self) -> None:
        """One that refuses connections is asked each time, and is there as soon as it is."""
        client = self.client(RedisServer(str(self.path), 0))
        first = str(self.assertRaises(RedisFailed, client.ask, "GET", "a"))
        self.assertIn(f"Redis {self.path}: ", first)
        self.assertIn("No such file or directory", first)
        self.path.mkdir()
        self.assertNotEqual(str(self.assertRaises(RedisFailed, client.ask_all, [("GET", "a")])), first)
        self.assertEqual(client.failures, 2)

    def test_nothing(self) -> None:
        """No question has no answer, without Redis."""
        self.assertEqual(self.client(RedisServer(str(self.path), 0)).ask_all([]), [])

    def test_tls_files(self) -> None:
        """Authorities that are not there are told."""
        server = RedisServer("127.0.0.1", 1, tls=RedisTLS("redis.example", str(self.path)))
        error = self.assertRaises(RedisFailed, self.client(server).ask, "GET", "a")
        self.assertIn("No such file or directory", str(error))
