"""Tests of L{edgegate.istio.translate.servers}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.istio.translate.servers import Server, selected, servers_of
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.servers import Traffic
from tests.istio.translate.compiling import decoded, gateway


def servers(text: str) -> list[Server]:
    """The servers of the first Gateway."""
    resources, _ = decoded(text)
    return list(servers_of(resources.gateways[0], Problems()))


class ServersTests(SynchronousTestCase):
    """Entries of C{Gateway.servers}."""

    def test_traffic(self) -> None:
        """Protocol and TLS mode say what a server does; those that need a mesh are not opened."""
        for server, traffic in (
            ("80 HTTP a.example", Traffic.HTTP),
            ("80 http2 a.example", Traffic.HTTP),
            ("80 GRPC-Web a.example", Traffic.HTTP),
            ("80 HTTP a.example {httpsRedirect: true}", Traffic.HTTP),
            ("80 TCP a.example", Traffic.TCP),
            ("80 MONGO a.example", Traffic.TCP),
            ("443 HTTPS a.example {mode: SIMPLE}", Traffic.HTTPS),
            ("443 HTTPS a.example {mode: OPTIONAL_MUTUAL}", Traffic.HTTPS),
            ("443 HTTPS a.example {mode: PASSTHROUGH}", Traffic.PASSTHROUGH),
            ("443 HTTPS a.example {}", Traffic.PASSTHROUGH),
            ("443 TLS a.example {mode: MUTUAL}", Traffic.TLS),
            ("443 TLS a.example {mode: ISTIO_MUTUAL}", None),
            ("443 TLS a.example {mode: AUTO_PASSTHROUGH}", None),
            ("443 TLS a.example", None),
            ("443 UDP a.example", None),
        ):
            self.assertEqual([each.traffic for each in servers(gateway("gw", server))], [traffic] if traffic else [])

    def test_grpc_web(self) -> None:
        """A server's protocol says whether gRPC-Web is translated."""
        for protocol, translated in (("GRPC-Web", True), ("GRPC-WEB", True), ("GRPC", False), ("HTTP", False)):
            (server,) = servers(gateway("gw", f"80 {protocol} a.example"))
            self.assertIs(server.value.grpc_web, translated)

    def test_hosts(self) -> None:
        """Hosts are in normal form, apart from the namespace that may attach."""
        (server,) = servers(gateway("gw", "80 HTTP A.example,./b.example,*/c.example,ns/*.d.example", namespace="own"))
        self.assertEqual(
            [(host.pattern, namespace) for host, namespace in zip(server.hosts, server.namespaces, strict=True)],
            [("a.example", None), ("b.example", "own"), ("c.example", None), ("*.d.example", "ns")],
        )

    def test_bind(self) -> None:
        """A server listens on all addresses of both kinds unless it says where."""
        for bind, address in (
            ("", TCPAddress("::", 80)),
            (", bind: 127.0.0.1", TCPAddress("127.0.0.1", 80)),
            (', bind: "[::1]"', TCPAddress("::1", 80)),
            (", bind: unix:///run/a.sock", UNIXAddress("/run/a.sock")),
            (', bind: "unix://@a"', UNIXAddress("@a")),
        ):
            text = gateway("gw", "80 TCP a.example").replace(", hosts", f"{bind}, hosts")
            self.assertEqual([each.value.address for each in servers(text)], [address], bind)

    def test_bad_bind(self) -> None:
        """A server without a place to listen at is left out."""
        self.assertEqual(servers(gateway("gw", "80 TCP a.example").replace(", hosts", ", bind: eth0, hosts")), [])

    def test_chain_names(self) -> None:
        """Routes are called as Istio calls them."""
        found = servers(gateway("gw", "80 HTTP a.example", "443 HTTPS b.example {mode: SIMPLE}"))
        self.assertEqual([server.value.name for server in found], ["http.80", "https.443.p1.gw.default"])

    def test_selected(self) -> None:
        """A Gateway is taken where the labels satisfy all of its selector."""
        resources, _ = decoded(gateway("gw", "80 HTTP a.example"))
        (found,) = resources.gateways
        self.assertTrue(selected(found, None))
        self.assertTrue(selected(found, {"istio": "edge", "more": "labels"}))
        self.assertFalse(selected(found, {"istio": "other"}))
        self.assertFalse(selected(found, {}))
