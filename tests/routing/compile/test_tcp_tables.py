"""Tests of L{edgegate.routing.compile.tcp_tables}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.routes import TCPRoute
from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service

PASSTHROUGH = "{mode: PASSTHROUGH}"


def clusters(routes: tuple[TCPRoute, ...] | None) -> list[str]:
    """Return where routes lead."""
    return [route.destinations[0].cluster.split("|")[1] for route in routes or ()]


class TCPRoutesTests(SynchronousTestCase):
    """Relays."""

    def test_order(self) -> None:
        """Routes of several VirtualServices follow each other; what stands behind one that takes all is reported."""
        subnet = route(port=1, match="[{destinationSubnets: [10.0.0.0/8]}]")
        text = gateway("gw", "31400 TCP *") + "".join(
            virtual_service(name, "*", f"tcp: [{body}]")
            for name, body in (("a", subnet), ("b", route(port=2)), ("c", route(port=3)))
        )
        snapshot, problems = compiled(text)
        plain = listener(snapshot, 31400).plain
        assert plain is not None
        self.assertEqual(clusters(plain.tcp), ["1", "2"])
        (warning,) = problems
        self.assertIn("never reached: the route at in.yaml:", warning)

    def test_port(self) -> None:
        """A match on another port is none."""
        text = gateway("gw", "31400 TCP *") + virtual_service(
            "a", "*", f"tcp: [{route(port=1, match='[{port: 31401}]')}, {route(port=2, match='[{port: 31400}]')}]"
        )
        plain = listener(compiled(text)[0], 31400).plain
        assert plain is not None
        self.assertEqual(clusters(plain.tcp), ["2"])


class PassthroughTests(SynchronousTestCase):
    """TLS passed through by SNI."""

    def found(self, text: str, name: str) -> list[str]:
        """Return where a name leads."""
        chain = listener(compiled(text)[0], 443).secure.lookup(name)
        return ["unknown"] if chain is None else clusters(chain.tcp)

    def test_reached_elsewhere(self) -> None:
        """A name that a narrower server of the same Gateway has is reached there, and no reason to warn."""
        text = gateway("gw", f"443 TLS a.example {PASSTHROUGH}", f"443 TLS * {PASSTHROUGH}")
        text += virtual_service("a", "a.example", f"tls: [{route(port=1, match='[{sniHosts: [a.example]}]')}]")
        self.assertEqual(self.found(text, "a.example"), ["1"])
        self.assertEqual([line for line in compiled(text)[1] if "never reached" in line], [])

    def test_narrowest(self) -> None:
        """The narrowest pattern decides, whatever the order."""
        sni = "[{{sniHosts: ['{}']}}]".format
        text = gateway("gw", f"443 TLS *.example {PASSTHROUGH}") + virtual_service(
            "a",
            "*.example",
            f"tls: [{route(port=1, match=sni('*.example'))}, {route(port=2, match=sni('a.example'))}]",
        )
        self.assertEqual(self.found(text, "a.example")[0], "2")
        self.assertEqual(self.found(text, "b.example"), ["1"])
        self.assertEqual(self.found(text, "b.other"), ["unknown"])

    def test_no_route(self) -> None:
        """A name that the server has and no route knows is found, and leads nowhere."""
        text = gateway("gw", f"443 TLS a.example {PASSTHROUGH}")
        self.assertEqual(self.found(text, "a.example"), [])
        self.assertIn("every connection is closed", compiled(text)[1][0])
