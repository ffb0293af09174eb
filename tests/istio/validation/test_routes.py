"""Tests of L{edgegate.istio.validation.routes}."""

from __future__ import annotations

from tests.istio.validation.cases import ROUTE, CasesTestCase, routing


class RoutesTests(CasesTestCase):
    """What all routes share."""

    def test_gateways(self) -> None:
        """A gateway is a name, with its namespace or without."""
        self.check(
            "VirtualService",
            [
                (f"hosts: [a.example]\ngateways: [{name}]\nhttp: [{{route: {ROUTE}}}]\n", words)
                for name, words in (
                    ("gw", ""),
                    ("ns/gw", ""),
                    ("gw.ns.svc.cluster.local", ""),
                    ("a/b/c", "is no gateway"),
                    ("A_/b", "is no gateway"),
                    ("gw..ns", "is no gateway"),
                )
            ],
        )

    def test_old_gateways(self) -> None:
        """A gateway may go by the name of a service, as it once did; what it is called today is said."""
        spec = f"hosts: [a.example]\ngateways: [gw.ns.svc.cluster.local]\nhttp: [{{route: {ROUTE}}}]\n"
        self.check("VirtualService", [(spec, "gateways[0]: is an old way to name a gateway: say ns/gw")], "warning")

    def test_matches(self) -> None:
        """Prefixes and expressions say something, and the latter are RE2's."""
        self.check(
            "VirtualService",
            [
                (routing(f"{{match: [{match}], route: {ROUTE}}}"), words)
                for match, words in (
                    ("{uri: {prefix: /a}}", ""),
                    ('{uri: {prefix: ""}}', ""),
                    ('{method: {prefix: ""}}', "method.prefix: empty"),
                    ('{headers: {x-a: {prefix: ""}}}', "headers.x-a.prefix: empty"),
                    ('{withoutHeaders: {x-a: {prefix: ""}}}', "withoutHeaders.x-a.prefix: empty"),
                    ('{queryParams: {a: {prefix: ""}}}', "queryParams.a.prefix: empty"),
                    ('{uri: {regex: ""}}', "uri.regex: empty"),
                    ("{uri: {regex: '(?=a)'}}", "not a regular expression of RE2"),
                    ("{headers: {x-a: {regex: '('}}}", "headers.x-a.regex"),
                    ("{uri: {regex: '*'}}", "not a regular expression of RE2"),
                    ("{authority: {regex: '*'}}", "not a regular expression of RE2"),
                    ("{headers: {x-a: {regex: '*'}}, withoutHeaders: {x-b: {regex: '*'}}}", ""),
                    ("{queryParams: {a: {regex: '*'}}}", ""),
                    ("{port: 0}", ""),
                    ("{port: 65536}", "port: 65536 is no port"),
                )
            ],
        )

    def test_doubtful_matches(self) -> None:
        """What never holds, and what Istio takes for something else, is a warning that says what to write."""
        self.check(
            "VirtualService",
            [
                (routing(f"{{match: [{match}], route: {ROUTE}}}"), words)
                for match, words in (
                    ("{uri: {exact: a}}", 'uri.exact: "a" never holds: a path begins with /'),
                    ('{uri: {exact: ""}}', 'uri.exact: "" never holds'),
                    ("{uri: {exact: /ü b}}", 'a path is ASCII, say "/%C3%BC%20b"'),
                    ("{uri: {prefix: /~a/%41}}", ""),
                    ("{headers: {x-a: {regex: '*'}}}", "taken for presence, which Istio refuses: say {}"),
                    ("{queryParams: {a: {regex: '*'}}}", "taken for presence, which Istio refuses: say {}"),
                    ("{withoutHeaders: {x-a: {regex: '*'}}}", ""),
                    ("{headers: {'@request.auth.claims.sub': {}}}", ""),
                )
            ],
            severity="warning",
        )

    def test_destinations(self) -> None:
        """A destination is one service; weights say who gets what."""
        a, b = "{destination: {host: a.example}", "{destination: {host: b.example}"
        self.check(
            "VirtualService",
            [
                (routing(f"{{route: [{destinations}]}}"), words)
                for destinations, words in (
                    (f"{a}}}", ""),
                    (f"{a}, weight: 1}}, {b}, weight: 0}}", ""),
                    (f"{a}}}, {b}}}", "all weights are 0"),
                    (f"{a}, weight: -1}}", "weight: -1 is below 0"),
                    ('{destination: {host: "*.example"}}', ""),
                    ('{destination: {host: "*-a.example"}}', ""),
                    ('{destination: {host: "*"}}', "* is no service"),
                    ('{destination: {host: "a.*"}}', "a wildcard stands in front"),
                    ("{destination: {host: a.example, subset: a_b}}", "is no name of a subset"),
                    ("{destination: {host: a.example, port: {}}}", "port.number: missing"),
                    ("{destination: {host: a.example, port: {number: 70000}}}", "70000 is no port"),
                    ("{destination: {host: '[::1]', port: {number: 80}}}", ""),
                )
            ],
        )
