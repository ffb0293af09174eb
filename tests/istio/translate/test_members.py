"""Tests of L{edgegate.istio.translate.members}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.members import Unusable, address_of, ip_literal, is_name, members_of, unix_path
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.clusters import Discovery, Endpoint


class AddressTests(SynchronousTestCase):
    """Addresses as documents write them."""

    def test_ip_literal(self) -> None:
        """IP addresses are recognised in any form, and nothing else is."""
        for text, expected in (
            ("10.0.0.1", "10.0.0.1"),
            ("::1", "::1"),
            ("[0:0::1]", "::1"),
            ("::FFFF:10.0.0.1", "10.0.0.1"),
            ("001:db8::", "1:db8::"),
            ("FE80::1%eth0", "fe80::1%eth0"),
            ("[fe80::1%1]", "fe80::1%1"),
            ("10.0.0", None),
            ("10.0.0.256", None),
            ("a.example", None),
            ("dead.beef", None),
            ("", None),
            ("10.0.0.1:80", None),
            ("[10.0.0.1", None),
            ("fe80::1%", None),
            ("fe80::1%a/b", None),
            ("10.0.0.1%eth0", None),
        ):
            self.assertEqual(ip_literal(text), expected, text)

    def test_unix_path(self) -> None:
        """UNIX sockets are absolute paths or abstract names."""
        for text, expected in (
            ("unix:///run/a.sock", "/run/a.sock"),
            ("/run/a.sock", "/run/a.sock"),
            ("unix://@abstract", "@abstract"),
            ("unix://relative", None),
            ("@abstract", None),
            ("10.0.0.1", None),
        ):
            self.assertEqual(unix_path(text), expected, text)

    def test_address_of(self) -> None:
        """An endpoint's address is an IP address, a UNIX socket or a name, in normal form."""
        self.assertEqual(address_of("10.0.0.1", 80), TCPAddress("10.0.0.1", 80))
        self.assertEqual(address_of("unix:///a", 80), UNIXAddress("/a"))
        self.assertEqual(address_of("DB.example.", 80), TCPAddress("db.example", 80))
        for text in ("a b", "*.example", ""):
            self.assertRaises(Unusable, address_of, text, 80)

    def test_members_of(self) -> None:
        """One name among the addresses makes a cluster that is looked up."""
        literal, name = Endpoint(TCPAddress("::1", 80)), Endpoint(TCPAddress("a.example", 80))
        self.assertTrue(is_name(name.address))
        self.assertIs(members_of((literal, Endpoint(UNIXAddress("/a")))).discovery, Discovery.STATIC)
        self.assertIs(members_of((literal, name)).discovery, Discovery.DNS)
