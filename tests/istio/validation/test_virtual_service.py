"""Tests of L{edgegate.istio.validation.virtual_service}."""

from __future__ import annotations

from tests.config.reading import told_of
from tests.istio.validation.cases import ROUTE, CasesTestCase, routing


class VirtualServiceTests(CasesTestCase):
    """Hosts, routes and matches."""

    def test_hosts(self) -> None:
        """Each host once, and C{*} for gateways only."""
        self.check(
            "VirtualService",
            [
                (f"hosts: {hosts}\n{gateways}http: [{{route: {ROUTE}}}]\n", words)
                for hosts, gateways, words in (
                    ("[a.example]", "", ""),
                    ("['*']", "gateways: [gw]\n", ""),
                    ("['*']", "", "* is for gateways only"),
                    ("['*']", "gateways: [gw, mesh]\n", "* is for gateways only"),
                    ("[a.example, A.example]", "gateways: [gw]\n", "comes twice"),
                    ("[a.example, '*.example']", "gateways: [gw]\n", 'is covered by "*.example"'),
                    ("['*-v1.example', '*-v2.example', '*.a.example']", "gateways: [gw]\n", ""),
                    ("['*.a.example', '*a.example']", "gateways: [gw]\n", 'is covered by "*a.example"'),
                    ("[a.example, '*a.example']", "gateways: [gw]\n", 'is covered by "*a.example"'),
                    ("[1.2.3.4, '2001:db8::1', 'fe80::1%eth0']", "gateways: [gw]\n", ""),
                    ("[a.example:80]", "gateways: [gw]\n", "has a port"),
                    ("[]", "gateways: [gw]\n", "a VirtualService has at least one host"),
                )
            ],
        )

    def test_routes(self) -> None:
        """Each route does one thing."""
        self.check(
            "VirtualService",
            [
                ("hosts: [a.example]\ngateways: [gw]", "it has no routes"),
                (routing("{match: [{uri: {prefix: /}}]}"), "where do these requests go?"),
                (routing(f"{{route: {ROUTE}, redirect: {{uri: /}}}}"), "only one of route and redirect"),
                (routing(f"{{delegate: {{name: a}}, route: {ROUTE}}}"), "goes with no delegate"),
                (routing("{delegate: {name: a}}"), ""),
                (routing("{delegate: {namespace: a}}"), "which VirtualService has the routes?"),
                (routing("{delegate: {name: 5}}"), "expected string"),
                ("http: [{delegate: {name: a}}]", "a delegate has no delegates"),
                (f"http: [{{route: {ROUTE}}}]", ""),
                (f"gateways: [gw]\nhttp: [{{route: {ROUTE}}}]", "another's delegate has none, but no gateways"),
                (f"tcp: [{{route: {ROUTE}}}]", "another's delegate has none, but no tcp"),
            ],
        )

    def test_headers(self) -> None:
        """Names of headers are names; what has a field of its own is pointed to it."""
        self.check(
            "VirtualService",
            [
                (routing(f"{{match: [{{headers: {{{name}: {{}}}}}}], route: {ROUTE}}}"), words)
                for name, words in (
                    ("x-a", ""),
                    ("':method'", ""),
                    ("':path'", ""),
                    ("':protocol'", ":protocol is no header"),
                    ("'a b'", "is no name"),
                    ("'@request.auth.claims.sub'", ""),
                    ("'@request.auth.claims'", "is no name"),
                )
            ],
        )

    def test_claims(self) -> None:
        """Claims of tokens are for gateways alone; a delegate's are those of its roots."""
        for start, words in (
            ("hosts: [a.example]\ngateways: [gw]\n", ""),
            ("hosts: [a.example]\n", "claims are for gateways only"),
            ("hosts: [a.example]\ngateways: [gw, mesh]\n", "claims are for gateways only"),
            ("", ""),
        ):
            match = "match: [{withoutHeaders: {'@request.auth.claims.sub': {exact: a}}}]"
            self.check("VirtualService", [(f"{start}http: [{{{match}, route: {ROUTE}}}]", words)])

    def test_generated_names(self) -> None:
        """Names that Istio makes for SNI between clusters are taken, for gateways alone and of one form."""
        for name, gateways, words in (
            ("outbound_.80_._.web.default.svc.cluster.local", "[gw]", 0),
            ("outbound_.80_._.web.default.svc.cluster.local", "[mesh]", 2),
            ("outbound_.eighty_._.web.example", "[gw]", 2),
            ("inbound_.80_._.web.example", "[gw]", 2),
            ("outbound_.80_._", "[gw]", 2),
        ):
            spec = (
                f"hosts: [{name}]\ngateways: {gateways}\ntls: [{{match: [{{sniHosts: [{name}]}}], route: {ROUTE}}}]\n"
            )
            found = [line for line in told_of("VirtualService", spec) if " error: " in line]
            self.assertEqual(len(found), words, (name, found))

    def test_what_never_holds(self) -> None:
        """A text that no request has there is warned of, with what was meant."""
        self.check(
            "VirtualService",
            [
                (routing(f"{{match: [{{{match}}}], route: {ROUTE}}}"), words)
                for match, words in (
                    ("uri: {exact: /a}, method: {exact: GET}, scheme: {exact: https}", ""),
                    ("uri: {exact: ''}", "a path begins with /"),
                    ("uri: {prefix: a}", "a path begins with /"),
                    ("uri: {exact: '/a?b=c'}", "see queryParams"),
                    ("method: {exact: get}", 'say "GET"'),
                    ("method: {exact: purge}", ""),
                    ("scheme: {exact: ftp}", "it is http or https"),
                )
            ],
            "warning",
        )

    def test_sni(self) -> None:
        """TLS routes are told apart by names."""
        self.check(
            "VirtualService",
            [
                (f"hosts: [a.example]\ngateways: [gw]\ntls: [{{match: [{match}], route: {ROUTE}}}]\n", words)
                for match, words in (
                    ("{sniHosts: [a.example]}", ""),
                    ("{sniHosts: []}", "sniHosts"),
                    ("{sniHosts: ['a*']}", "is no pattern"),
                    ("{sniHosts: ['*a.example', 1.2.3.4, '::1']}", ""),
                    ("{sniHosts: [a.example], port: 70000}", "70000 is no port"),
                )
            ],
        )
