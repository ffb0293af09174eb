"""Tests of L{edgegate.istio.validation.names}."""

from __future__ import annotations

from edgegate.istio.validation.names import host_fault, is_address, is_label
from tests.istio.validation.cases import ROUTE, CasesTestCase, routing


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
            ("*-v1.a.example", None),
            ("*a.example", None),
            ("*a", None),
            ("a*.example", "a wildcard stands in front"),
            ("*a.*.example", "a wildcard stands in front"),
            ("*.*.example", "a wildcard stands in front"),
            ("*--.example", "is not made of letters"),
            ("*ü.example", "a part of a label is ASCII"),
            ("a_b.example", "is not made of letters"),
            ("1.2.3", "neither a host name nor an IP address"),
            ("a" * 64 + ".example", "a"),
        ):
            fault = host_fault(text)
            self.assertEqual(fault is None, words is None, (text, fault))
            self.assertIn(words or "", fault or "")
        self.assertIn("can't be a wildcard", host_fault("*.a.example", wildcard=False) or "")
        self.assertIn("the whole first label", host_fault("*-v1.a.example", partial=False) or "")

    def test_headers(self) -> None:
        """Whatever HTTP takes in a header's name (RFC 9110 section 5.6.2)."""
        self.check(
            "VirtualService",
            [
                (routing(f"{{match: [{{headers: {{{name}: {{exact: a}}}}}}], route: {ROUTE}}}"), words)
                for name, words in (
                    ("x-a", ""),
                    ("funky!$#_", ""),
                    ('"!#$%&\'*+-.^_`|~"', ""),
                    ("'a b'", "is no name of a header"),
                    ("'a\"b'", "is no name of a header"),
                    ("'@a'", "is no name of a header"),
                    ("'::'", "is no header"),
                )
            ],
        )

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
                    ("'::ffff:10.0.0.0/104', 'fe80::1%eth0', '001:db8::/32'", ""),
                    ("10.0.0.0/255.0.0.0", "nor a CIDR block"),
                    ("10.0.0.0/08", "nor a CIDR block"),
                    ("'[::1]'", "nor a CIDR block"),
                    ("10.0.0.0/33", "nor a CIDR block"),
                    ("a", "nor a CIDR block"),
                )
            ],
        )
