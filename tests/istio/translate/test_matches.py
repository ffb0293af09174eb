"""Tests of L{edgegate.istio.translate.matches}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.matches import http_match
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from tests.istio.translate.compiling import decoded, route, virtual_service


class HTTPMatchTests(SynchronousTestCase):
    """A match becomes conditions."""

    def match(self, match: str) -> HTTPMatch | None:
        """Compile a match."""
        resources, problems = decoded(virtual_service("a", "a.example", f"http: [{route(match=f'[{match}]')}]"))
        (resource,) = resources.virtual_services
        path = ("spec", "http", 0, "match", 0)
        return http_match(resource, path, resource.spec.http[0].match[0], problems)

    def test_conditions(self) -> None:
        """Every condition is compiled, names of headers in lower case."""
        found = self.match(
            "{uri: {exact: /a}, ignoreUriCase: true, scheme: {exact: https}, method: {prefix: G},"
            " authority: {regex: a+}, headers: {X-A: {}}, withoutHeaders: {X-B: {exact: b}},"
            " queryParams: {Q: {exact: c}}}"
        )
        self.assertEqual(
            found,
            HTTPMatch(
                StringMatch(Kind.EXACT, "/a", ignore_case=True),
                StringMatch(Kind.PREFIX, "G"),
                StringMatch(Kind.REGEX, "a+"),
                (("x-a", StringMatch(Kind.PRESENT)),),
                scheme=StringMatch(Kind.EXACT, "https"),
                without_headers=(("x-b", StringMatch(Kind.EXACT, "b")),),
                query_params=(("Q", StringMatch(Kind.EXACT, "c")),),
            ),
        )

    def test_presence(self) -> None:
        """C{*} is presence where Istio has it so."""
        found = self.match("{headers: {a: {regex: '*'}}, withoutHeaders: {b: {regex: '*'}}, queryParams: {c: {}}}")
        present = StringMatch(Kind.PRESENT)
        expected = HTTPMatch(
            headers=(("a", present),), without_headers=(("b", present),), query_params=(("c", present),)
        )
        self.assertEqual(found, expected)

    def test_claims(self) -> None:
        """A claim has one name, however it is written."""
        wanted = StringMatch(Kind.EXACT, "a")
        for name in ("@request.auth.claims.Sub", "@Request.Auth.claims[Sub]"):
            found = self.match(f"{{headers: {{'{name}': {{exact: a}}}}, withoutHeaders: {{'{name}': {{exact: a}}}}}}")
            claim = ("@request.auth.claims[Sub]", wanted)
            self.assertEqual(found, HTTPMatch(headers=(claim,), without_headers=(claim,)))

    def test_any_case(self) -> None:
        """C{ignoreUriCase} is for exact paths and prefixes; an expression says itself what it ignores."""
        for kind, expected in (("exact", True), ("prefix", True), ("regex", False)):
            found = self.match(f"{{uri: {{{kind}: /a}}, ignoreUriCase: true}}")
            assert found is not None and found.uri is not None
            self.assertIs(found.uri.ignore_case, expected, kind)

    def test_stat_prefix(self) -> None:
        """The name for statistics is kept, and changes nothing."""
        found = self.match("{statPrefix: shop, uri: {exact: /a}}")
        self.assertEqual(found, HTTPMatch(StringMatch(Kind.EXACT, "/a"), stat_prefix="shop"))

    def test_never(self) -> None:
        """A match that is in error never holds."""
        for match in ("{uri: {regex: '('}}", "{headers: {a: {regex: '('}}}", "{queryParams: {a: {regex: '('}}}"):
            self.assertIsNone(self.match(match))
