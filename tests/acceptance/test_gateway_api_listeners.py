"""
What the conformance tests of the Kubernetes Gateway API ask of listeners, redirects and TLS, through the real gateway.

HTTPRoutes are said as VirtualServices, TLSRoutes as their C{tls} and C{tcp}
routes; see L{tests.acceptance.test_gateway_api}.
"""

from __future__ import annotations

import ssl

from edgegate.tls.authority import Authority
from tests.acceptance.gateway_api import ONE, TWO, TLSTestCase, gateway, prefix, virtual_service


def redirecting(path: str, words: str) -> str:
    """Write an item that redirects."""
    return f"{prefix(path)}, redirect: {{{words}}}"


def replacing(path: str, new: str, words: str) -> tuple[str, str]:
    """Write the items that redirect a path and all below it, with another prefix."""
    exact, below = f"match: [{{uri: {{exact: {path}}}}}]", f"match: [{{uri: {{prefix: {path}/}}}}]"
    return f"{exact}, redirect: {{uri: {new}, {words}}}", f"{below}, redirect: {{prefixRewrite: {new}/, {words}}}"


TO_ORG = "authority: example.org, redirectCode: 302"
REDIRECTS = (
    *replacing("/original-prefix", "/replacement-prefix", "redirectCode: 302"),
    redirecting("/full", "uri: /full-path-replacement, redirectCode: 302"),
    *replacing("/path-and-host", "/replacement-prefix", TO_ORG),
    *replacing("/path-and-status", "/replacement-prefix", "redirectCode: 301"),
    redirecting("/full-path-and-host", f"uri: /replacement-full, {TO_ORG}"),
    redirecting("/full-path-and-status", "uri: /replacement-full, redirectCode: 301"),
    redirecting("/hostname-redirect", "authority: example.org"),
    redirecting("/host-and-status", "authority: example.org, redirectCode: 301"),
    redirecting("/scheme", "scheme: https, redirectCode: 302"),
    redirecting("/scheme-and-host", f"scheme: https, {TO_ORG}"),
    redirecting("/scheme-and-status", "scheme: https, redirectCode: 301"),
    redirecting("/scheme-and-host-and-status", "scheme: https, authority: example.org, redirectCode: 301"),
    *(redirecting(f"/status-{code}", f"scheme: https, redirectCode: {code}") for code in (303, 307, 308)),
    redirecting("/port", "port: 8083, redirectCode: 302"),
    redirecting("/port-and-host", f"port: 8083, {TO_ORG}"),
    redirecting("/port-and-status", "port: 8083, redirectCode: 301"),
    redirecting("/nil-and-80", f"port: 80, {TO_ORG}"),
    redirecting("/nil-and-8080", f"port: 8080, {TO_ORG}"),
    redirecting("/nil-and-443", f"port: 443, {TO_ORG}"),
    redirecting("/nil-and-8443", f"port: 8443, {TO_ORG}"),
    redirecting("/nil-and-nil", TO_ORG),
    redirecting("/nil-and-listener", f"derivePort: FROM_REQUEST_PORT, {TO_ORG}"),
    redirecting("/http-and-nil", f"scheme: http, {TO_ORG}"),
    redirecting("/http-and-80", f"scheme: http, port: 80, {TO_ORG}"),
    redirecting("/http-and-8080", f"scheme: http, port: 8080, {TO_ORG}"),
    redirecting("/https-and-nil", f"scheme: https, {TO_ORG}"),
    redirecting("/https-and-443", f"scheme: https, port: 443, {TO_ORG}"),
    redirecting("/https-and-8443", f"scheme: https, port: 8443, {TO_ORG}"),
)

ISSUED = Authority.new("Tests of the Gateway API").server(["*.example", "*.example.org", "*.wildcard.example"])
ENDED = "tls: {mode: SIMPLE, serverCertificate: tls.crt, privateKey: tls.key}"
CERTIFICATE = {"tls.crt": ISSUED.chain_pem.decode(), "tls.key": ISSUED.key_pem.decode()}


class PortTests(TLSTestCase):
    """Several listeners with routes of their own."""

    files = {
        "routes.yaml": gateway(
            "gw",
            ("http", "HTTP", '"*"', ""),
            ("http2", "HTTP", '"*"', ""),
            ("https", "HTTPS", '"*"', ENDED),
        )
        + virtual_service(
            "ports",
            f"match: [{{port: $http, uri: {{prefix: /listener}}}}], {ONE}",
            f"match: [{{port: $http2, uri: {{prefix: /listener}}}}], {TWO}",
            *REDIRECTS,
        ),
        **CERTIFICATE,
    }
    dead = ("http2", "https")

    def test_listener_port(self) -> None:
        """HTTPRouteListenerPortMatching: a route of one listener is none of the other."""
        found = [self.ask_at(port, "a.example", "/listener").where for port in ("http", "http2")]
        self.assertEqual(found, ["one", "two"])
        self.assertEqual(self.ask_at("https", "a.example", "/listener", "a.example").status, 404)

    def redirected(self, port: str, *cases: tuple[str, int, str]) -> None:
        """Compare locations; C{a.example} is who asks."""
        for target, status, location in cases:
            answer = self.ask_at(port, "a.example", target, "a.example" if port == "https" else None)
            self.assertEqual((target, answer.status, answer.values("location")), (target, status, [location]))

    def test_redirects(self) -> None:
        """HTTPRouteRedirectPath, -HostAndStatus, -Scheme, -Port, and those of 303, 307 and 308."""
        self.redirected(
            "http",
            ("/original-prefix/lemon", 302, "http://a.example/replacement-prefix/lemon"),
            ("/original-prefix", 302, "http://a.example/replacement-prefix"),
            ("/full/path/original", 302, "http://a.example/full-path-replacement"),
            ("/path-and-host/lemon", 302, "http://example.org/replacement-prefix/lemon"),
            ("/path-and-host", 302, "http://example.org/replacement-prefix"),
            ("/path-and-status/lemon", 301, "http://a.example/replacement-prefix/lemon"),
            ("/full-path-and-host/lemon", 302, "http://example.org/replacement-full"),
            ("/full-path-and-status/lemon", 301, "http://a.example/replacement-full"),
            ("/hostname-redirect", 301, "http://example.org/hostname-redirect"),
            ("/host-and-status", 301, "http://example.org/host-and-status"),
            ("/scheme", 302, "https://a.example/scheme"),
            ("/scheme-and-host", 302, "https://example.org/scheme-and-host"),
            ("/scheme-and-status", 301, "https://a.example/scheme-and-status"),
            ("/scheme-and-host-and-status", 301, "https://example.org/scheme-and-host-and-status"),
            ("/status-303", 303, "https://a.example/status-303"),
            ("/status-307", 307, "https://a.example/status-307"),
            ("/status-308", 308, "https://a.example/status-308"),
            ("/port", 302, "http://a.example:8083/port"),
            ("/port-and-host", 302, "http://example.org:8083/port-and-host"),
            ("/port-and-status", 301, "http://a.example:8083/port-and-status"),
        )

    def test_ports_and_schemes(self) -> None:
        """HTTPRouteRedirectPortAndScheme: what is not said is the request's; the port of the scheme is left out."""
        own = self.served.ports["http2"]
        self.redirected(
            "http2",
            ("/nil-and-nil", 302, "http://example.org/nil-and-nil"),
            ("/nil-and-listener", 302, f"http://example.org:{own}/nil-and-listener"),
            ("/nil-and-80", 302, "http://example.org/nil-and-80"),
            ("/nil-and-8080", 302, "http://example.org:8080/nil-and-8080"),
            ("/https-and-nil", 302, "https://example.org/https-and-nil"),
            ("/https-and-443", 302, "https://example.org/https-and-443"),
            ("/https-and-8443", 302, "https://example.org:8443/https-and-8443"),
        )
        self.redirected(
            "https",
            ("/nil-and-nil", 302, "https://example.org/nil-and-nil"),
            ("/nil-and-443", 302, "https://example.org/nil-and-443"),
            ("/nil-and-8443", 302, "https://example.org:8443/nil-and-8443"),
            ("/http-and-nil", 302, "http://example.org/http-and-nil"),
            ("/http-and-80", 302, "http://example.org/http-and-80"),
            ("/http-and-8080", 302, "http://example.org:8080/http-and-8080"),
        )


EXACT, NARROW, WIDE = "abc.narrow.example", '"*.narrow.example"', '"*.example"'


def passed(name: str, port: str, server: str, *routes: tuple[str, str]) -> str:
    """Write a server that passes TLS on, and its routes: hosts, and the port."""
    services = (
        virtual_service(
            f"{name}-{number}",
            f"match: [{{sniHosts: [{hosts}]}}], {ONE.replace('one', backend)}",
            hosts=hosts,
            gateways=name,
            kind="tls",
        )
        for number, (hosts, backend) in enumerate(routes)
    )
    return gateway(name, (port, "TLS", server, "tls: {mode: PASSTHROUGH}")) + "".join(services)


class TLSRouteTests(TLSTestCase):
    """
    TLSRoutes that pass TLS on or end it, and HTTPRoutes of listeners with names.

    The backends that speak TLS are two ports of the gateway itself.
    """

    files = {
        "backends.yaml": gateway("gw", ("http", "HTTP", '"*"', ""))
        + gateway("tls1", ("tls1", "HTTPS", '"*"', ENDED))
        + gateway("tls2", ("tls2", "HTTPS", '"*"', ENDED))
        + virtual_service("tls1", ONE, hosts='"*"', gateways="tls1")
        + virtual_service("tls2", TWO, hosts='"*"', gateways="tls2"),
        "passed.yaml": passed("exact", "exact", EXACT, (NARROW, "tls1"))
        + passed("narrow", "narrow", NARROW, (EXACT, "tls1"), (WIDE, "tls2"))
        + passed("wide", "wide", WIDE, (EXACT, "tls1"), (NARROW, "tls2"))
        + passed("any", "any", '"*"', (EXACT, "tls1"), (WIDE, "tls2")),
        "ended.yaml": gateway(
            "ended", ("ended", "TLS", "abc.example", ENDED), ("ended", "TLS", '"*.wildcard.example"', ENDED)
        )
        + virtual_service("ended-1", ONE, hosts="abc.example", gateways="ended", kind="tcp")
        + virtual_service("ended-2", TWO, hosts='"*.wildcard.example"', gateways="ended", kind="tcp"),
        "mixed.yaml": gateway(
            "mixed",
            ("mixed", "HTTPS", "web.example", ENDED),
            ("mixed", "TLS", "passed.example", "tls: {mode: PASSTHROUGH}"),
            ("mixed", "HTTPS", '"*.wildcard.example"', ENDED),
        )
        + gateway("own", ("mixed", "HTTPS", "own.wildcard.example", ENDED))
        + virtual_service(
            "mixed",
            f"match: [{{sniHosts: [passed.example]}}], {ONE.replace('one', 'tls2')}",
            hosts="passed.example",
            gateways="mixed",
            kind="tls",
        )
        + virtual_service("web", ONE, hosts="web.example", gateways="mixed")
        + virtual_service("wildcard", TWO, hosts='"*.wildcard.example"', gateways="mixed")
        + virtual_service("own", ONE, hosts="own.wildcard.example", gateways="own"),
        **CERTIFICATE,
    }
    dead = ("tls1", "tls2", "exact", "narrow", "wide", "any", "ended", "mixed")

    def reached(self, port: str, *cases: tuple[str, str]) -> None:
        """Compare which backend each name reaches; C{-}: the connection is closed."""
        for name, expected in cases:
            try:
                found = self.ask_at(port, name, sni=name).where
            except (ssl.SSLError, ConnectionError):
                found = "-"
            self.assertEqual((port, name, found), (port, name, expected))

    def test_intersection(self) -> None:
        """TLSRouteHostnameIntersection: names that the listener and the route have in common, the narrowest first."""
        other, wrong = "other.narrow.example", "non.matching.org"
        self.reached("exact", (EXACT, "one"), (other, "-"), (wrong, "-"))
        self.reached("narrow", (EXACT, "one"), (other, "two"), ("other.example", "-"), (wrong, "-"))
        self.reached("wide", (EXACT, "one"), (other, "two"), ("other.example", "-"), (wrong, "-"))
        self.reached("any", (EXACT, "one"), (other, "two"), ("other.example", "two"), (wrong, "-"))

    def test_ended(self) -> None:
        """TLSRouteTerminateSimpleSameNamespace: TLS ends here, and its bytes go on in the clear, by the name."""
        self.reached("ended", ("abc.example", "one"), ("x.wildcard.example", "two"), ("x.example", "-"))

    def test_mixed(self) -> None:
        """GatewayHTTPSAndTLSPassthroughSamePort, HTTPRouteHTTPSListener: kinds of TLS on one port, told by the name."""
        self.reached(
            "mixed",
            ("web.example", "one"),
            ("passed.example", "two"),
            ("any.wildcard.example", "two"),
            ("own.wildcard.example", "one"),
            ("unknown.example", "-"),
        )

    def test_misdirected(self) -> None:
        """
        HTTPRouteHTTPSListenerDetectMisdirectedRequests: the host of another listener, 421 there.

        Here it is served where both listeners ask the same of clients, as these do; one of no listener is 404.
        """
        for sni, host, where in (
            ("web.example", "web.example", "one"),
            ("web.example", "any.wildcard.example", "two"),
            ("own.wildcard.example", "own.wildcard.example", "one"),
            ("own.wildcard.example", "any.wildcard.example", "two"),
            ("any.wildcard.example", "own.wildcard.example", "one"),
            ("web.example", "unknown.example", "404"),
        ):
            self.assertEqual((sni, host, self.ask_at("mixed", host, sni=sni).where), (sni, host, where))
