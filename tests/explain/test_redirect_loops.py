"""Tests of L{edgegate.explain.redirect_loops}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.redirect_loops import redirect_loops
from edgegate.model import codes
from tests.istio.analysis.telling import documents
from tests.istio.translate.compiling import compiled

GATEWAY = documents(
    "Gateway",
    "gw",
    "{servers: [{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.example, b.example]}]}",
)


def loops(http: str, gateway: str = GATEWAY, hosts: str = "a.example, b.example") -> list[str]:
    """Return what is said of routes, each with its path."""
    routes = documents("VirtualService", "v", f"{{hosts: [{hosts}], gateways: [gw], http: [{http}]}}")
    snapshot, problems = compiled(gateway + routes)
    assert not [line for line in problems if ": error" in line], problems
    found = list(redirect_loops(snapshot))
    assert all(each.code == codes.REDIRECT_LOOP for each in found)
    return [f"{each.origin.path[-1]}: {each.message}" for each in found]


class RedirectLoopTests(SynchronousTestCase):
    """Redirects that lead back."""

    def test_itself(self) -> None:
        """A redirect to a URL that it takes itself is told, with a request."""
        self.assertEqual(
            loops("{match: [{uri: {prefix: /old}}], redirect: {uri: /old/new}}"),
            ["0: leads back to itself: GET http://a.example/old is sent to http://a.example/old/new, "
             "then to http://a.example/old/new"],
        )  # fmt: skip

    def test_growing(self) -> None:
        """So is one that makes the path longer each time."""
        (told,) = loops("{match: [{uri: {prefix: /a}}], redirect: {prefixRewrite: /a/b}}")
        self.assertIn("GET http://a.example/a is sent to http://a.example/a/b, then to http://a.example/a/b/b", told)
        self.assertTrue(told.endswith(", and so on"))

    def test_through_others(self) -> None:
        """Two that lead to each other are both told; one that only leads into their loop is not."""
        told = loops(
            "{match: [{uri: {exact: /a}}], redirect: {uri: /b}}, {match: [{uri: {exact: /b}}], redirect: {uri: /a}},"
            "{match: [{uri: {exact: /c}}], redirect: {uri: /a}}"
        )
        self.assertEqual([each[0] for each in told], ["0", "1"])

    def test_hosts(self) -> None:
        """A loop may lead over two hosts, of which each has its routes."""
        told = loops(
            "{match: [{authority: {exact: a.example}}], redirect: {authority: b.example}},"
            "{match: [{authority: {exact: b.example}}], redirect: {authority: a.example}}"
        )
        self.assertEqual(len(told), 2)
        self.assertIn("GET http://a.example/ is sent to http://b.example/, then to http://a.example/", told[0])

    def test_none(self) -> None:
        """What ends is none: an answer, a backend, another gateway, an earlier route that takes the target."""
        to = "route: [{destination: {host: 127.0.0.1, port: {number: 8080}}}]"
        for http in (
            f"{{match: [{{uri: {{exact: /}}}}], redirect: {{uri: /home}}}}, {{{to}}}",
            f"{{match: [{{uri: {{prefix: /a/b}}}}], {to}}}, {{redirect: {{uri: /a/b}}}}",
            "{redirect: {authority: www.example}}",
            "{redirect: {scheme: https}}",
        ):
            self.assertEqual(loops(http), [], http)

    def test_headers(self) -> None:
        """A condition on a header is satisfied by the request that is told."""
        (told,) = loops("{match: [{headers: {x-user: {exact: qa}}}], redirect: {uri: /}}")
        self.assertIn("GET http://a.example/ with x-user: qa is sent to http://a.example/", told)

    def test_ports(self) -> None:
        """On another port than that of HTTP the host of the request has the port, and so have redirects."""
        (told,) = loops("{redirect: {uri: /}}", GATEWAY.replace("80", "8080"))
        self.assertIn("http://a.example:8080/", told)
        self.assertEqual(loops("{redirect: {uri: /, port: 81}}", GATEWAY.replace("80", "8080")), [])

    def test_https(self) -> None:
        """A redirect to HTTPS, where a redirect leads back to HTTP."""
        tls = "tls: {mode: SIMPLE, serverCertificate: c.pem, privateKey: k.pem}"
        https = f"{{port: {{number: 443, name: s, protocol: HTTPS}}, hosts: [a.example], {tls}}}"
        http = "{port: {number: 80, name: h, protocol: HTTP}, hosts: [a.example], tls: {httpsRedirect: true}}"
        gateway = documents("Gateway", "gw", f"{{servers: [{http}, {https}]}}")
        files = {"c.pem": b"c", "k.pem": b"k"}
        routes = documents(
            "VirtualService", "v", "{hosts: [a.example], gateways: [gw], http: [{redirect: {scheme: http}}]}"
        )
        snapshot, problems = compiled(gateway + routes, files=files)
        self.assertEqual([line for line in problems if ": error" in line], [])
        (told,) = redirect_loops(snapshot)
        self.assertIn("GET https://a.example/ is sent to http://a.example/, then to https://a.example/", told.message)
