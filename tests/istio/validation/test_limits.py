"""Tests of L{edgegate.istio.validation.limits}."""

from __future__ import annotations

from collections.abc import Iterable

from tests.istio.validation.cases import CasesTestCase

KINDS = {"RateLimitPolicy": "requests: 10, period: 1m", "ConcurrencyPolicy": "requests: 10"}
"""The kinds of policies that have limits, with what a limit of each must say."""


class LimitsTests(CasesTestCase):
    """What is wrong with limits is told, of whichever kind their policy is."""

    def check_both(self, cases: Iterable[tuple[str, ...]], severity: str = "error") -> None:
        """Check what is told of a limit that says something more, and has lines beside it."""
        for kind, said in KINDS.items():
            specs = [
                ("\n".join([f"limits: [{{{said}{', ' if more else ''}{more}}}]", *beside]), words)
                for more, words, *beside in cases
            ]
            self.check(kind, specs, severity)

    def test_limits(self) -> None:
        """There are some, and they are told apart."""
        for kind, said in KINDS.items():
            cases = (
                ("shadow: true", "it has no limits"),
                (f"limits: [{{{said.replace('10', '0')}}}]", "0 requests"),
                (f"limits: [{', '.join([f'{{{said}}}'] * 16)}]", ""),
                (f"limits: [{', '.join([f'{{{said}}}'] * 17)}]", "it has 17 limits; 16 are the most"),
                (f"limits: [{{name: a b, {said}}}]", '"a b" is no name'),
                (f"limits: [{{name: a, {said}}}, {{name: a, {said}}}]", "limits[0] is called"),
                (f"limits: [{{name: limit-1, {said}}}, {{{said}}}]", "limits[0] is called"),
            )
            self.check(kind, cases)

    def test_keys(self) -> None:
        """What tells requests apart is one thing, and is something."""
        cases = (
            ("by: [{clientAddress: {}}, {header: x-key, absent: Skip}, {cookie: sid}, {claim: a.b}]", ""),
            ('by: [{identity: {}, absent: Skip}, {host: {}}, {path: "/t/{*}/{**}"}]', ""),
            ("by: [{}]", "it is one of clientAddress"),
            ("by: [{header: a, cookie: b}]", "cookie"),
            ("by: [{clientAddress: {ipv4PrefixLength: 33}}]", "33 bits: an address has 32"),
            ("by: [{clientAddress: {ipv6PrefixLength: 129}}]", "129 bits: an address has 128"),
            ("by: [{clientAddress: {}, absent: Skip}]", "never absent"),
            ("by: [{header: 'a b'}]", "is no name of a header"),
            ("by: [{header: ':path'}]", ":path is no header"),
            ("by: [{cookie: 'a;b'}]", "is no name of a cookie"),
            ("by: [{claim: a..b}]", "is no claim"),
            ("by: [{path: /a}]", "it has neither {*} nor {**}"),
            ('by: [{path: "/a{*}"}]', "is no template"),
        )
        self.check_both(cases)

    def test_match(self) -> None:
        """What a limit counts can be."""
        cases = (
            ('match: {methods: [GET], paths: [/a, "/b/*", "*.png", "/c/{*}"], notPaths: ["/b/c"]}', ""),
            ("match: {headers: [{name: x-tier, values: [free]}, {name: x-key}]}", ""),
            ('match: {paths: [""]}', "an empty value fits nothing"),
            ("match: {paths: [a]}", 'did you mean "/a"?'),
            ('match: {paths: ["/a*b"]}', "neither in front nor behind"),
            ('match: {paths: ["*a*"]}', "neither in front nor behind"),
            ('match: {notPaths: ["/a?b"]}', "a path ends before its query"),
            ('match: {paths: ["/{**}/{*}"]}', "is no template"),
            ("match: {headers: [{name: ':method'}]}", "is no header"),
        )
        self.check_both(cases)
        self.check_both([("match: {methods: [get]}", 'did you mean "GET"?')], "warning")

    def test_response(self) -> None:
        """What is answered is an error."""
        cases = (
            ('{status: 503, body: "{}", contentType: application/json}', ""),
            ("{status: 200}", "200 is no error"),
            ('{contentType: "a\\nb"}', "is no value of a header"),
            (f"{{body: {'a' * 65537}}}", "longer than 65536 bytes"),
        )
        self.check_both([("", words, f"response: {response}") for response, words in cases])
