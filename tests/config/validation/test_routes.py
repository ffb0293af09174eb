"""Tests of L{edgegate.config.validation.routes}."""

from __future__ import annotations

from tests.config.validation.cases import ROUTE, CasesTestCase, routing


class RoutesTests(CasesTestCase):
    """What all routes share."""

    def test_gateways(self) -> None:
        """A gateway is a name, with its namespace or without."""
        self.check(
            "VirtualService",
            [
                (f"hosts: [a.example]\ngateways: [{name}]\nhttp: [{{route: {ROUTE}}}]\n", words)
                for name, words in (("gw", ""), ("ns/gw", ""), ("a/b/c", "is no gateway"), ("A_/b", "is no gateway"))
            ],
        )

    def test_matches(self) -> None:
        """Prefixes and expressions say something, and the latter are RE2's."""
        self.check(
            "VirtualService",
            [
                (routing(f"{{match: [{match}], route: {ROUTE}}}"), words)
                for match, words in (
                    ("{uri: {prefix: /a}}", ""),
                    ('{uri: {prefix: ""}}', "uri.prefix: empty"),
                    ('{uri: {regex: ""}}', "uri.regex: empty"),
                    ("{uri: {regex: '(?=a)'}}", "not a regular expression of RE2"),
                    ("{headers: {x-a: {regex: '('}}}", "headers.x-a.regex"),
                    ("{port: 0}", "port: 0 is no port"),
                )
            ],
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
                    ('{destination: {host: "*.example"}}', "can't be a wildcard"),
                    ("{destination: {host: a.example, subset: a_b}}", "is no name of a subset"),
                    ("{destination: {host: a.example, port: {}}}", "port.number: missing"),
                    ("{destination: {host: a.example, port: {number: 70000}}}", "70000 is no port"),
                    ("{destination: {host: '[::1]', port: {number: 80}}}", ""),
                )
            ],
        )
