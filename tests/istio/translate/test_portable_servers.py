"""Tests of L{edgegate.istio.translate.portable_servers}."""

from __future__ import annotations

from edgegate.istio.translate import CompileOptions
from tests.istio.translate.compiling import gateway
from tests.istio.translate.test_portable import DifferencesTestCase

ENDED = "443 HTTPS {} {{mode: SIMPLE, credentialName: s}}".format


class ServersTests(DifferencesTestCase):
    """Servers that share a port, or are mapped."""

    def test_kinds(self) -> None:
        """Servers in the clear and of TLS on one port, and two of TCP."""
        passed = "443 TLS a.example {mode: PASSTHROUGH}"
        begin = "spec.servers[1].port: in a cluster port 443 has "
        self.check(gateway("gw", "443 HTTP *", passed), f"{begin}servers in the clear or of TLS, not both")
        self.check(gateway("gw", "443 TCP *", "443 TCP *"), f"{begin}one server of TCP")
        self.check(gateway("gw", "80 HTTP *", "80 HTTP a.example", passed))

    def test_sni(self) -> None:
        """Who answers without SNI, and for hosts of another server."""
        self.check(
            gateway("gw", ENDED("a.example")),
            "spec.servers[0].hosts: in a cluster a client that sends no SNI is refused",
        )
        self.check(
            gateway("gw", ENDED("a.example"), ENDED("b.example")),
            "spec.servers[1].hosts: in a cluster a connection that began with the SNI of another server gets 404",
        )

    def test_mapped(self) -> None:
        """Mapped ports, sockets, and redirects to a port that the client did not ask for."""
        options = CompileOptions(None, {80: 8080})
        plain = gateway("gw", "80 HTTP *")
        self.check(plain, "spec.servers[0].port: in a cluster the gateway's Service says", options=options)
        joined = gateway("gw", "8080 HTTP *", "80 HTTP *")
        self.check(joined, "spec.servers[1].port: in a cluster the gateway's Service says", options=options)
        redirecting = gateway("gw", "80 HTTP a.example {httpsRedirect: true}", ENDED("*").replace("443", "8443"))
        self.check(redirecting, "spec.servers[0].tls: in a cluster httpsRedirect keeps the port")
        bound = gateway("gw", "0 HTTP *").replace(", hosts", ", bind: 'unix:///a.sock', hosts")
        self.check(bound, "spec.servers[0].bind: in a cluster this is a socket")
        local = gateway("gw", "80 HTTP *").replace(", hosts", ", bind: 127.0.0.1, hosts")
        self.check(local, "spec.servers[0].bind: in a cluster this is an address of the gateway's Pod")
        self.check(local.replace("127.0.0.1", "0.0.0.0"))

    def test_selectors(self) -> None:
        """Gateways of several gateways, served together where no selector is given."""
        both = gateway("gw", "80 HTTP *") + gateway("more", "81 HTTP *").replace("istio: edge", "istio: other")
        self.check(both, "spec.selector: in a cluster other Pods serve this Gateway")
        self.check(both, options=CompileOptions({"istio": "edge"}))
