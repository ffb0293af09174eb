"""Tests of L{edgegate.istio.translate.rules}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate.rules import takes_all
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.routes import HTTPRoute
from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service


class RulesTests(SynchronousTestCase):
    """VirtualServices, apart from servers."""

    def routes(self, *matches: str, servers: tuple[str, ...] = ("80 HTTP *",), rest: str = "") -> list[HTTPRoute]:
        """Return the routes of one item."""
        body = f"http: [{{{rest}match: [{', '.join(matches)}], {route()[1:]}]"
        snapshot, _ = compiled(gateway("gw", *servers) + virtual_service("a", "a.example", body))
        plain = listener(snapshot, 80).plain
        assert plain is not None and plain.http is not None
        host = plain.http.lookup("a.example")
        return [] if host is None else list(host.routes)

    def test_names(self) -> None:
        """A route goes by its name and that of its match."""
        for rest, match, expected in (
            ("", "{uri: {prefix: /a}}", "default"),
            ("name: shop, ", "{uri: {prefix: /a}}", "shop"),
            ("name: shop, ", "{name: first, uri: {prefix: /a}}", "shop.first"),
            ("", "{name: first, uri: {prefix: /a}}", "first"),
        ):
            (found,) = self.routes(match, rest=rest)
            self.assertEqual(found.name, expected)

    def test_scope(self) -> None:
        """A match on another port, or of a client in a mesh, is left out; one that takes all ends the list."""
        self.assertEqual(self.routes("{port: 81}"), [])
        self.assertEqual(self.routes("{sourceLabels: {a: b}}"), [])
        self.assertEqual(self.routes("{sourceNamespace: a}"), [])
        self.assertEqual(len(self.routes("{sourceNamespace: '', port: 0}")), 1)
        for where in ("gw", "mesh, gw"):  # as Istio: gateways that are named are all that is asked for
            self.assertEqual(len(self.routes(f"{{sourceLabels: {{a: b}}, gateways: [{where}]}}")), 1)
        self.assertEqual(self.routes("{gateways: [mesh]}"), [])
        (found,) = self.routes("{port: 80}", "{uri: {prefix: /b}}")
        self.assertEqual(found.matches, ())
        first, last = self.routes("{uri: {prefix: /b}}", "{uri: {prefix: /}}", "{uri: {prefix: /c}}")
        self.assertEqual((len(first.matches), last.matches), (1, ()))

    def test_takes_all(self) -> None:
        """Any path and nothing else."""
        self.assertTrue(takes_all(HTTPMatch()))
        for kind, value in ((Kind.PREFIX, "/"), (Kind.PREFIX, ""), (Kind.REGEX, ".*"), (Kind.PRESENT, "")):
            self.assertTrue(takes_all(HTTPMatch(StringMatch(kind, value))))
            self.assertFalse(
                takes_all(HTTPMatch(StringMatch(kind, value), headers=(("a", StringMatch(Kind.PRESENT)),)))
            )
        for match in (
            HTTPMatch(StringMatch(Kind.REGEX, "/.*")),
            HTTPMatch(StringMatch(Kind.EXACT, "/")),
            HTTPMatch(query_params=(("a", StringMatch(Kind.PRESENT)),)),
            HTTPMatch(scheme=StringMatch(Kind.EXACT, "http")),
            HTTPMatch(port=80),
        ):
            self.assertFalse(takes_all(match))

    def test_sni(self) -> None:
        """SNI names lie within the VirtualService's hosts."""
        text = gateway("gw", "443 TLS *.example {mode: PASSTHROUGH}")
        sni = "[{sniHosts: [b.other]}]"
        body = f"tls: [{route(port=1, match=sni)}]"
        errors = [line for line in compiled(text + virtual_service("a", "*.example", body))[1] if " error: " in line]
        self.assertIn('spec.tls[0].match[0].sniHosts[0]: "b.other" is not among the hosts: *.example', errors[0])

    def test_sni_addresses(self) -> None:
        """An IP address is no SNI that a client may say, and no fault."""
        text = gateway("gw", "443 TLS *.example {mode: PASSTHROUGH}")
        for sni, count in (("[1.1.1.1]", 0), ("[1.1.1.1, b.example]", 1)):
            body = f"tls: [{route(port=1, match=f'[{{sniHosts: {sni}}}]')}]"
            snapshot, lines = compiled(text + virtual_service("a", "*.example", body))
            self.assertEqual([line for line in lines if " error: " in line], [])
            chain = snapshot.listeners[0].secure.lookup("b.example")
            routes = chain.tcp if chain is not None and chain.tcp is not None else ()
            self.assertEqual([route.sni_hosts for route in routes], [("b.example",)] * count)
