"""Tests of L{edgegate.routing.compile.http_tables}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service


class HTTPTablesTests(SynchronousTestCase):
    """Routes by host."""

    def ports(self, text: str, host: str) -> list[int]:
        """Return where the routes of a host lead, in order."""
        plain = listener(compiled(text)[0], 80).plain
        assert plain is not None and plain.http is not None
        found = plain.http.lookup(host)
        return [] if found is None else [int(each.destinations[0].cluster.split("|")[1]) for each in found.routes]

    def test_merged(self) -> None:
        """Routes of several VirtualServices follow each other; the first that takes everything is behind them all."""
        prefix = "[{uri: {prefix: /a}}]"
        text = gateway("gw", "80 HTTP *")
        text += virtual_service("a", "a.example", f"http: [{route(port=1)}]")
        text += virtual_service("b", "a.example", f"http: [{route(port=2, match=prefix)}, {route(port=3)}]")
        self.assertEqual(self.ports(text, "a.example"), [2, 1])
        (warning,) = compiled(text)[1]
        self.assertIn("takes every request of a.example", warning)

    def test_hosts_apart(self) -> None:
        """A narrower host has its own routes only."""
        text = gateway("gw", "80 HTTP *")
        text += virtual_service("a", "*.example", f"http: [{route(port=1)}]")
        text += virtual_service("b", "a.example", f"http: [{route(port=2)}]")
        self.assertEqual((self.ports(text, "a.example"), self.ports(text, "b.example")), ([2], [1]))

    def test_two_servers(self) -> None:
        """Servers that share a port share their routes, each once."""
        text = gateway("gw", "80 HTTP a.example", "80 HTTP a.example,b.example")
        text += virtual_service("a", "a.example,b.example", f"http: [{route(port=1)}]")
        self.assertEqual((self.ports(text, "a.example"), self.ports(text, "b.example")), ([1], [1]))
