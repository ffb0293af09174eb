"""Tests of L{edgegate.model.on_demand}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.certificates import CertificateIssuer
from edgegate.model.on_demand import OnDemand, is_public
from tests.tls.acme.certificates import ORIGIN, managed


def on_demand(issuer: CertificateIssuer | None = None, ask: str = "", *allow: str) -> OnDemand:
    """Return rules."""
    return OnDemand(issuer or managed(Path("/nowhere")).issuer, ORIGIN, ask, allow)


class OnDemandTests(SynchronousTestCase):
    """For which names there may be certificates."""

    def test_public(self) -> None:
        """Names that an authority of the public DNS knows are, whatever is made up is not."""
        longest = ".".join(["a" * 63] * 3 + ["b" * 57, "com"])
        self.assertEqual(len(longest), 253)
        for name in ("a.example.com", "example.com", "xn--bcher-kva.example", "a--b.example.com", longest):
            self.assertTrue(is_public(name), name)
        for name in (
            "",
            "localhost",
            "example.com.",
            "A.example.com",
            "*.example.com",
            "10.0.0.1",
            "a.1",
            "a_b.example.com",
            "-a.example.com",
            "a-.example.com",
            "a..example.com",
            "xn--.example.com",
            "xn--zzzzzzzzzzzzzzzzzzzzzzzzzz99999999.example.com",
            "xn--abc-.example.com",
            "a" * 64 + ".com",
            "a" + longest,
            "\u0130.example.com",
        ):
            self.assertFalse(is_public(name), name)

    def test_allows(self) -> None:
        """Without a list any name may be asked about; with one those on it, and below its suffixes."""
        self.assertTrue(on_demand(None, "https://ask/").allows("a.example.com"))
        self.assertFalse(on_demand(None, "https://ask/").allows("localhost"))
        rules = on_demand(None, "", "*.shops.example", "own.example.com")
        for name, allowed in (
            ("a.shops.example", True),
            ("a.b.shops.example", True),
            ("shops.example", False),
            ("xshops.example", False),
            ("own.example.com", True),
            ("a.own.example.com", False),
        ):
            self.assertIs(rules.allows(name), allowed, name)

    def test_question(self) -> None:
        """The name is one more parameter."""
        self.assertEqual(on_demand(None, "https://ask/x").question("a.b"), "https://ask/x?domain=a.b")
        self.assertEqual(on_demand(None, "https://ask/x?k=1").question("a.b"), "https://ask/x?k=1&domain=a.b")
