"""Tests of L{edgegate.routing.compile.redirects}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service

TLS = "{mode: SIMPLE, serverCertificate: a, privateKey: b}"
FILES = {"a": b"", "b": b""}


class RedirectTests(SynchronousTestCase):
    """The port that C{httpsRedirect} leads to."""

    def port(self, host: str, *servers: str) -> int | None:
        """Return where a host is sent from port 80."""
        text = gateway("gw", "80 HTTP *.example {httpsRedirect: true}", *servers)
        plain = listener(compiled(text, files=FILES)[0], 80).plain
        assert plain is not None and plain.http is not None
        found = plain.http.lookup(host)
        return None if found is None else found.redirect_port

    def test_ports(self) -> None:
        """443 where it is served there or nowhere; else the port where it is."""
        self.assertEqual(self.port("a.example"), 443)
        self.assertEqual(self.port("a.example", f"443 HTTPS *.example {TLS}"), 443)
        self.assertEqual(self.port("a.example", f"8443 HTTPS *.example {TLS}"), 8443)
        self.assertEqual(self.port("a.example", f"9443 HTTPS *.example {TLS}", f"8443 HTTPS *.example {TLS}"), 8443)
        self.assertIsNone(self.port("a.other"))

    def test_routes_stay(self) -> None:
        """A host that is sent elsewhere than its wildcard keeps its routes: those who come by https are served."""
        text = gateway("gw", "80 HTTP *.example {httpsRedirect: true}", f"8443 HTTPS a.example {TLS}")
        text += virtual_service("all", "*.example", f"http: [{route()}]")
        plain = listener(compiled(text, files=FILES)[0], 80).plain
        assert plain is not None and plain.http is not None
        found = [plain.http.lookup(host) for host in ("a.example", "b.example")]
        self.assertEqual([len(host.routes) for host in found if host is not None], [1, 1])

    def test_narrower(self) -> None:
        """A host below a wildcard that has HTTPS on a port of its own is sent there."""
        servers = f"443 HTTPS *.example {TLS}", f"8443 HTTPS a.example {TLS}"
        self.assertEqual((self.port("a.example", *servers), self.port("b.example", *servers)), (443, 443))
        alone = (f"8443 HTTPS a.example {TLS}",)
        self.assertEqual((self.port("a.example", *alone), self.port("b.example", *alone)), (8443, 443))
