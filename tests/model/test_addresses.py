"""Tests of L{edgegate.model.addresses}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress, client_text, is_ip_address


class IPAddressTests(SynchronousTestCase):
    """What stands for itself."""

    def test_literals(self) -> None:
        """IPv4 and IPv6 addresses do, names do not."""
        for host in ("127.0.0.1", "::1", "2001:db8::5", "fe80::1%eth0"):
            self.assertTrue(is_ip_address(host), host)
        for host in ("localhost", "127.0.0.1.nip.io", "127.1", "", "[::1]", "1.2.3.4.5", "10.0.0"):
            self.assertFalse(is_ip_address(host), host)

    @given(st.ip_addresses())
    def test_any_address(self, address: object) -> None:
        """Every address in its usual notation does."""
        self.assertTrue(is_ip_address(str(address)))


class AddressTests(SynchronousTestCase):
    """How addresses are written."""

    def test_written(self) -> None:
        """As one would type them: IPv6 in brackets, sockets with their scheme."""
        for address, text in (
            (TCPAddress("192.0.2.1", 80), "192.0.2.1:80"),
            (TCPAddress("::1", 80), "[::1]:80"),
            (UNIXAddress("/run/a.sock"), "unix:///run/a.sock"),
            (UNIXAddress("@a"), "unix://@a"),
        ):
            self.assertEqual(str(address), text)

    def test_client(self) -> None:
        """Who a client is does not depend on its port, and has no brackets; a UNIX socket is nobody's address."""
        for address, text in (
            (TCPAddress("192.0.2.1", 80), b"192.0.2.1"),
            (TCPAddress("::1", 80), b"::1"),
            (UNIXAddress("/run/a.sock"), b"unknown"),
        ):
            self.assertEqual(client_text(address), text)
