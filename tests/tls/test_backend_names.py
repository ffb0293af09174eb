"""Tests of L{edgegate.tls.backend_names}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.backend_names import is_for, shown_names
from tests.tls.handshakes import AUTHORITY

NAMES = ("shop.example", "*.wild.example", "192.0.2.7", "2001:db8::7", "spiffe://shop.example/ns/default/sa/web")
CERTIFICATE = AUTHORITY.server(NAMES).certificate
NAMELESS = AUTHORITY.client("shop.example").certificate


class BackendNamesTests(SynchronousTestCase):
    """What a certificate is for."""

    def test_is_for(self) -> None:
        """Its names, whatever their case, one label in place of a star, addresses however they are written."""
        for name in (*NAMES, "SHOP.example", "a.wild.example", "2001:DB8:0::7"):
            self.assertTrue(is_for(CERTIFICATE, (name,)), name)

    def test_is_not_for(self) -> None:
        """Other names: below, above, two labels for a star, other addresses, other URIs; and no name at all."""
        others = ("a.shop.example", "example", "wild.example", "a.b.wild.example", "192.0.2.8", "2001:db8::8")
        for name in (*others, "spiffe://shop.example", "shop.example.evil", "*", "*.example", "", "a b", "x" * 300):
            self.assertFalse(is_for(CERTIFICATE, (name,)), name)
        self.assertFalse(is_for(CERTIFICATE, ()))

    def test_one_is_enough(self) -> None:
        """One of several names."""
        self.assertTrue(is_for(CERTIFICATE, ("other.example", "shop.example")))

    def test_common_name(self) -> None:
        """The common name of the subject names nobody (RFC 9525)."""
        self.assertFalse(is_for(NAMELESS, ("shop.example",)))
        self.assertEqual(shown_names(NAMELESS), "no name")

    def test_shown(self) -> None:
        """Names as the log shows them: few, and of printable characters."""
        self.assertEqual(shown_names(CERTIFICATE), ", ".join(NAMES))
        many = AUTHORITY.server([f"n{number}.example" for number in range(9)]).certificate
        self.assertIn("n4.example and 4 more", shown_names(many))
