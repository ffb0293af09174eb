"""Tests of L{edgegate.routing.compile.listeners}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service

TLS = "{mode: SIMPLE, serverCertificate: a, privateKey: b}"
FILES = {"a": b"", "b": b""}


class ListenersTests(SynchronousTestCase):
    """Filter chains."""

    def test_shared(self) -> None:
        """Plain HTTP servers of a port are one chain; each server with TLS is one of its own."""
        text = gateway(
            "gw",
            "80 HTTP a.example",
            "80 HTTP b.example",
            f"443 HTTPS a.example,*.a.example {TLS}",
            f"443 HTTPS b.example {TLS}",
        )
        snapshot, _ = compiled(text, files=FILES)
        plain = listener(snapshot, 80).plain
        assert plain is not None
        self.assertEqual(plain.hosts, ("a.example", "b.example"))
        secure = listener(snapshot, 443).secure
        a, b = secure.lookup("a.example"), secure.lookup("b.example")
        assert a is not None and b is not None
        self.assertIs(secure.lookup("x.a.example"), a)
        self.assertIsNot(a, b)
        self.assertEqual((a.hosts, a.tls is not None, a.http is not None), (("a.example", "*.a.example"), True, True))
        self.assertIsNone(listener(snapshot, 443).plain)

    def test_kinds(self) -> None:
        """A port may carry plain traffic, TLS that ends here, and TLS that is passed through."""
        text = gateway(
            "gw",
            "443 TCP *",
            f"443 TLS a.example {TLS}",
            "443 TLS b.example {mode: PASSTHROUGH}",
        ) + virtual_service("a", "*", f"tcp: [{route(port=1)}]")
        found = listener(compiled(text, files=FILES)[0], 443)
        ended, passed = found.secure.lookup("a.example"), found.secure.lookup("b.example")
        assert found.plain is not None and ended is not None and passed is not None
        self.assertEqual([chain.tls is not None for chain in (found.plain, ended, passed)], [False, True, False])
        self.assertEqual([len(chain.tcp or ()) for chain in (found.plain, ended, passed)], [1, 1, 0])

    def test_no_route(self) -> None:
        """A server that leads nowhere is a warning."""
        for server in ("443 TCP *", f"443 TLS a.example {TLS}", "443 TLS a.example {mode: PASSTHROUGH}"):
            (warning,) = compiled(gateway("gw", server), files=FILES)[1]
            self.assertIn("every connection is closed", warning)

    def test_no_http_route(self) -> None:
        """A server, or a host of it, for which there is nothing but 404 is a warning; one that redirects is none."""
        both = f"443 HTTPS a.example,*.b.example {TLS}"
        for server in ("80 HTTP *", both):
            (warning,) = compiled(gateway("gw", server), files=FILES)[1]
            self.assertIn("in.yaml:7:5: warning: spec.servers[0]: no http route of any VirtualService leads", warning)
        for served, told in (
            ("x.b.example", ["spec.servers[0].hosts[0]"]),
            ("a.example", ["spec.servers[0].hosts[1]"]),
            ("*", []),
        ):
            text = gateway("gw", both) + virtual_service("a", served, f"http: [{route()}]")
            warnings = compiled(text, files=FILES)[1]
            self.assertEqual([line.split(": ")[2] for line in warnings], told)
            for line in warnings:
                self.assertIn("no http route of any VirtualService is for this host", line)
        self.assertEqual(compiled(gateway("gw", "80 HTTP a.example {httpsRedirect: true}"))[1], [])

    def test_shared_port(self) -> None:
        """What another Gateway's routes serve on the same port is served."""
        text = gateway("gw", "80 HTTP a.example") + gateway("more", "80 HTTP *.example")
        told = compiled(text + virtual_service("a", "*.example", f"http: [{route()}]", gateways="more"))[1]
        self.assertEqual(told, [])

    def test_errors_come_first(self) -> None:
        """That nothing leads on may have an error as its reason, and is not told beside one."""
        text = gateway("gw", "80 HTTP *") + virtual_service("a", "a.example", f"http: [{route()}]", gateways="nothing")
        (error,) = compiled(text)[1]
        self.assertIn("no document declares Gateway", error)

    def test_missing_certificate(self) -> None:
        """A server whose certificate is missing is told, and opens nothing."""
        snapshot, problems = compiled(gateway("gw", f"443 HTTPS a.example {TLS}"), files={"a": b""})
        self.assertIn("error: spec.servers[0].tls.privateKey", problems[0])
        self.assertIsNone(listener(snapshot, 443).secure.lookup("a.example"))
