"""Tests of L{edgegate.istio.validation.redis}; what else must be of a Redis is in L{test_rate_limit_policy}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.validation.redis import redis_address


class AddressTests(SynchronousTestCase):
    """Where a Redis is."""

    def test_forms(self) -> None:
        """A host or an address with a port, or a path."""
        cases = {
            "redis:6379": ("redis", 6379),
            "192.0.2.1:1": ("192.0.2.1", 1),
            "[::1]:6379": ("::1", 6379),
            "unix:///run/a": ("/run/a", 0),
        }
        for text, found in cases.items():
            self.assertEqual(redis_address(text), found)
        for text in (
            "redis",
            "redis:0",
            "redis:65536",
            "::1:6379",
            "unix://a",
            "redis://a:1",
            "[a]:1",
            "a b:1",
            "u@a:1",
        ):
            self.assertIsNone(redis_address(text), text)
