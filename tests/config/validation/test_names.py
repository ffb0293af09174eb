"""Tests of L{edgegate.config.validation.names}."""

from __future__ import annotations

from edgegate.config.validation.names import host_fault, is_address, is_label
from tests.config.validation.cases import ROUTE, CasesTestCase


class NamesTests(CasesTestCase):
    """What names look like."""

    def test_labels(self) -> None:
        """RFC 1123."""
        for text in ("a", "a-b", "A1"):
            self.assertTrue(is_label(text), text)
        for text in ("", "-a", "a.b", "a_b", "a" * 64, "\N{ARABIC-INDIC DIGIT THREE}"):
            self.assertFalse(is_label(text), text)

    def test_addresses(self) -> None:
        """IPv4 and IPv6."""
        self.assertTrue(is_address("10.0.0.1") and is_address("::1"))
        self.assertFalse(is_address("10.0.0") or is_address("a.example") or is_address(""))

    def test_hosts(self) -> None:
        """Each fault has words of its own."""
        for text, words in (
            ("a.example", None),
            ("*.a.example", None),
            ("*", None),
            ("a_b.example", "is not made of letters"),
            ("1.2.3", "neither a host name nor an IP address"),
            ("a" * 64 + ".example", "a"),
        ):
            fault = host_fault(text)
            self.assertEqual(fault is None, words is None, (text, fault))
            self.assertIn(words or "", fault or "")
        self.assertIn("can't be a wildcard", host_fault("*.a.example", wildcard=False) or "")

    def test_export(self) -> None:
        """C{exportTo} is a list of namespaces."""
        self.check(
            "VirtualService",
            [
                (f"hosts: [a.example]\ngateways: [gw]\nexportTo: {names}\nhttp: [{{route: {ROUTE}}}]\n", words)
                for names, words in (
                    ('["."]', ""),
                    ('["*"]', ""),
                    ('["*", a]', "* goes with no other"),
                    ('["~"]', "~ is for ServiceEntries only"),
                    ("[A_B]", "is no namespace"),
                    ('[default, "."]', "comes twice"),
                )
            ],
        )

    def test_subnets(self) -> None:
        """Addresses and blocks."""
        start = f"hosts: [a.example]\ngateways: [gw]\ntcp:\n- route: {ROUTE}\n  match: "
        self.check(
            "VirtualService",
            [
                (f"{start}[{{destinationSubnets: [{net}]}}]\n", words)
                for net, words in (
                    ("10.0.0.0/8, '::1'", ""),
                    ("10.0.0.0/33", "nor a CIDR block"),
                    ("a", "nor a CIDR block"),
                )
            ],
        )
