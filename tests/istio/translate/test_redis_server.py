"""Tests of L{edgegate.istio.translate.redis_server}; the values are looked at in those of who names one."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled
from tests.istio.translate.guards.test_rate_limits import GATEWAY


class RedisServerTests(SynchronousTestCase):
    """What a Redis needs of files."""

    def test_files(self) -> None:
        """A file that is not there, or empty, is told with its place."""
        spec = "  limits: [{requests: 1, period: 1s}]\n  global: {redis: {address: 'r.example:1', passwordFile: pw}}\n"
        self.assertIn("pw can't be read: No such file", compiled(GATEWAY + spec)[1][0])
        self.assertIn("pw is empty", compiled(GATEWAY + spec, files={"pw": b"\n"})[1][0])
