"""Tests of L{edgegate.admin.options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.address import parse_admin_address
from edgegate.admin.options import beyond_loopback


class BeyondLoopbackTests(SynchronousTestCase):
    """Who may reach an address."""

    def test_addresses(self) -> None:
        """Only this machine, or others as well."""
        for text in ("127.0.0.1:1", "127.1.2.3:1", "localhost:1", "[::1]:1", "/run/a", "none"):
            self.assertFalse(beyond_loopback(parse_admin_address(text)), text)
        for text in ("0.0.0.0:1", "[::]:1", "10.0.0.1:1", "[fe80::1]:1", "[::ffff:10.0.0.1]:1"):
            self.assertTrue(beyond_loopback(parse_admin_address(text)), text)
