"""Tests of L{edgegate.istio.analysis.gateways}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.istio.translate import CompileOptions
from tests.istio.analysis.telling import documents, lines


def gateway(name: str, server: str, selector: str = "") -> str:
    """Write a Gateway with one server."""
    return documents("Gateway", name, f"{{selector: {{{selector}}}, servers: [{server}]}}")


def https(credential: str, host: str, more: str = "") -> str:
    """Write an HTTPS server."""
    tls = f"tls: {{mode: SIMPLE, credentialName: {credential}{more}}}"
    return f"{{port: {{number: 443, name: s, protocol: HTTPS}}, hosts: [{host}], {tls}}}"


HTTP = "{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.example]}"


class CertificateTests(SynchronousTestCase):
    """One certificate for the servers of two Gateways."""

    def test_terms(self) -> None:
        """It is said whether requests on the other's connection are served."""
        both = gateway("one", https("c", "a.example")) + gateway("two", https("c", "b.example"))
        told = lines(both, "IST0138")
        self.assertEqual(len(told), 2)
        self.assertIn("servers[0] has the certificate of servers[0] of Gateway default/two at in.yaml:", told[0])
        self.assertIn("are served", told[0])
        other = gateway("two", https("c", "b.example", ", minProtocolVersion: TLSV1_3"))
        self.assertIn("answered 421", lines(gateway("one", https("c", "a.example")) + other, "IST0138")[0])
        self.assertEqual(
            lines(gateway("one", https("c", "a.example")) + gateway("two", https("d", "b")), "IST0138"), []
        )

    def test_levels(self) -> None:
        """It is a warning only where requests are not served."""
        one = gateway("one", https("c", "a.example"))
        told = lines(one + gateway("two", https("c", "b.example")), "IST0138")
        self.assertEqual([": info: " in line for line in told], [True, True])
        told = lines(one + gateway("two", https("c", "b.example", ", maxProtocolVersion: TLSV1_2")), "IST0138")
        self.assertEqual([": warning: " in line for line in told], [True, True])

    def test_many(self) -> None:
        """Of thousands of Gateways with one certificate each is told once, with one that matters first."""
        names = ("one", "two", "three", "four")
        text = "".join(gateway(name, https("c", f"{name}.example")) for name in names)
        told = lines(text, "IST0138")
        self.assertEqual(len(told), 4)
        self.assertIn("of Gateway default/two at in.yaml:10 and of 2 more: both ask", told[0])
        told = lines(text + gateway("five", https("c", "e.example", ", minProtocolVersion: TLSV1_3")), "IST0138")
        self.assertEqual(len(told), 5)
        self.assertIn(
            "warning: metadata.name: servers[0] has the certificate of servers[0] of Gateway default/five", told[0]
        )
        self.assertIn("and of 3 more: browsers", told[0])

    def test_namespaces(self) -> None:
        """A name means one Secret in one namespace, another one in another, or that of istio-system."""
        there = "kind: Gateway\nmetadata: {name: two"
        both = gateway("one", https("c", "a.example")) + gateway("two", https("c", "b.example")).replace(
            there, there + ", namespace: shop"
        )
        secrets = "".join(
            f"---\napiVersion: v1\nkind: Secret\nmetadata: {{name: c, namespace: {scope}}}\n"
            for scope in ("default", "shop")
        )
        self.assertEqual(lines(both + secrets, "IST0138"), [])
        for name in ("shop/c", "'kubernetes://shop/c'"):
            self.assertEqual(len(lines(both.replace("Name: c}", f"Name: {name}}}", 1) + secrets, "IST0138")), 2)
        self.assertEqual(len(lines(both, "IST0138")), 2)


class ConflictTests(SynchronousTestCase):
    """Two Gateways with one host on a port."""

    def test_left_out(self) -> None:
        """Of two servers the one that is left out is told once, with what becomes of it."""
        tcp = "{port: {number: 80, name: t, protocol: TCP}, hosts: [a.example]}"
        told = lines(gateway("one", HTTP) + gateway("two", tcp), "")
        about = [line for line in told if "Gateway default/" in line and "IST0145" in line]
        self.assertEqual(len(about), 2)
        self.assertIn("this server is left out", about[1])
        self.assertEqual([line for line in told if "EG109" in line], [])

    def test_many(self) -> None:
        """Of many others only some are named."""
        told = lines("".join(gateway(f"g{number}", HTTP) for number in range(6)), "IST0145")
        self.assertEqual(len(told), 6)
        for line in told:
            self.assertEqual((line.count(" at in.yaml:"), " and others, too" in line), (3, True), line)
        told = lines("".join(gateway(f"g{number}", HTTP) for number in range(4)), "IST0145")
        self.assertEqual([(line.count(" at in.yaml:"), "others" in line) for line in told], [(3, False)] * 4)

    def test_apart(self) -> None:
        """Another address, or gateways of which none is both, are no conflict."""
        bound = HTTP.replace("hosts:", "bind: 127.0.0.2, hosts:")
        self.assertEqual(lines(gateway("one", HTTP) + gateway("two", bound), "IST0145"), [])
        self.assertEqual(lines(gateway("one", HTTP, "a: b") + gateway("two", HTTP, "a: c"), "IST0145"), [])


class CredentialTests(SynchronousTestCase):
    """Secrets of servers that the compiler does not come to."""

    def test_not_served(self) -> None:
        """The Secret of a Gateway for others is looked for as well; that of one that is served is told once."""
        text = gateway("one", https("none", "a.example"), "a: b")
        (told,) = lines(text, "IST0101")
        self.assertIn(': error: spec.servers[0].tls.credentialName: no document declares Secret "none"', told)
        (told,) = lines(text, "IST0101", CompileOptions({"a": "c"}))
        self.assertIn(': info: spec.servers[0].tls.credentialName: no document declares Secret "none"', told)


class LeftOutTests(SynchronousTestCase):
    """Gateways that are served, and others that C{--selector} leaves out."""

    def test_levels(self) -> None:
        """What a served one has in common with one that is not is a note; with one that is, a warning."""
        one, more = CompileOptions({"a": "b"}), CompileOptions({"a": "b", "c": "d"})
        text = gateway("one", HTTP, "a: b") + gateway("two", HTTP, "a: b, c: d")
        for options, level in ((one, "info"), (more, "warning")):
            told = lines(text, "IST0145", options)
            self.assertEqual([f": {level}: " in line for line in told], [True, True], told)
        other = https("c", "b.example", ", minProtocolVersion: TLSV1_3")
        text = gateway("one", https("c", "a.example"), "a: b") + gateway("two", other, "a: b, c: d")
        (told,) = lines(text, "IST0138", one)
        self.assertIn("info: ", told)
        self.assertIn("that Gateway is not served here", told)
        (told,) = lines(text, "IST0138", more)
        self.assertIn("warning: ", told)


class UnusedTests(SynchronousTestCase):
    """Gateways of no use."""

    def test_unnamed(self) -> None:
        """One that nobody names is told once, not for each of its servers; one that redirects all is of use."""
        told = lines(gateway("one", HTTP), "")
        self.assertEqual(len(told), 1)
        self.assertIn('no VirtualService names it: write "default/one" into the gateways of one [EG105]', told[0])
        redirecting = HTTP.replace("hosts:", "tls: {httpsRedirect: true}, hosts:")
        self.assertEqual(lines(gateway("one", redirecting), "EG105"), [])

    def test_selector(self) -> None:
        """One for other gateways is a note."""
        (told,) = lines(gateway("one", HTTP, "a: b"), "EG105", CompileOptions({"a": "c"}))
        self.assertIn("info: metadata.name: not served: --selector does not give this gateway the labels a=b", told)
