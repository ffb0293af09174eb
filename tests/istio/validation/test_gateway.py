"""Tests of L{edgegate.istio.validation.gateway}."""

from __future__ import annotations

from tests.istio.validation.cases import HTTP, CasesTestCase, gateway


def server(port: str = "number: 80, name: http, protocol: HTTP", rest: str = "hosts: [a.example]") -> str:
    """Return a Gateway with one server."""
    return gateway(f"{{port: {{{port}}}, {rest}}}")


class GatewayTests(CasesTestCase):
    """Servers, ports and hosts."""

    def test_servers(self) -> None:
        """There is one at least; names of ports and servers are told apart."""
        other = HTTP.replace("80", "81")
        self.check(
            "Gateway",
            [
                ("servers: []", "spec.servers: a Gateway has at least one server"),
                (gateway(HTTP, other), 'spec.servers[1].port.name: "http" is the name of servers[0]\'s port'),
                (gateway(HTTP, other.replace("name: http", "name: more")), ""),
                (
                    gateway(HTTP[:-1] + ", name: a}", other.replace("name: http", "name: more")[:-1] + ", name: a}"),
                    'spec.servers[1].name: "a" is the name of servers[0]',
                ),
            ],
        )

    def test_ports(self) -> None:
        """Numbers, names, protocols and binds."""
        self.check(
            "Gateway",
            [
                (server("number: 0, name: http, protocol: HTTP"), "port.number: 0 is no port"),
                (server("number: 65536, name: http, protocol: HTTP"), "port.number: 65536 is no port"),
                (server('number: 80, name: "", protocol: HTTP'), "port.name: a port has a name"),
                (server("number: 80, name: http, protocol: HTPP"), 'unknown protocol "HTPP"; did you mean "HTTP"?'),
                (server("number: 80, name: http, protocol: http2"), ""),
                (server("number: 80, name: http, protocol: HTTP, targetPort: 81"), "no meaning on a Gateway"),
                (server(rest="hosts: [a.example], bind: 127.0.0.1"), ""),
                (server(rest="hosts: [a.example], bind: localhost"), "neither an IP address nor unix://"),
                (server("number: 0, name: http, protocol: HTTP", "hosts: [a.example], bind: unix:///a"), ""),
                (server(rest="hosts: [a.example], bind: unix:///a"), "port.number: must be 0"),
                (
                    server("number: 0, name: http, protocol: HTTP", "hosts: [a.example], bind: unix://a"),
                    'bind: "unix://a" is not unix:// with an absolute path',
                ),
            ],
        )

    def test_hosts(self) -> None:
        """Names with a domain, patterns, addresses, each with a namespace before it."""
        self.check(
            "Gateway",
            [
                (server(rest=f'hosts: ["{host}"]'), words)
                for host, words in (
                    ("*", ""),
                    ("*.example.com", ""),
                    ("127.0.0.1", ""),
                    ("./a.example", ""),
                    ("*/a.example", ""),
                    ("shop/*", ""),
                    ("Not_A/a.example", "is no namespace"),
                    ("a.example/api", "is no namespace; a host has no path: write a.example"),
                    ("shop", "is a short name"),
                    ("localhost", ""),
                    ("shop/Localhost", ""),
                    ("app.localhost", ""),
                    ("*.localhost", ""),
                    ("local", "is a short name"),
                    ("a.example:80", "did you mean"),
                    ("https://a.example", "is a URL"),
                    ("a.*.example", "is no pattern"),
                    ("*a.example", "is no pattern"),
                    ("a..example", "a..example"),
                )
            ]
            + [(server(rest="hosts: []"), "a server has at least one host")],
        )

    def test_tls(self) -> None:
        """HTTPS and TLS have settings; HTTP has but its redirect, TCP none."""
        https = "number: 443, name: https, protocol: HTTPS"
        tcp = "number: 80, name: tcp, protocol: TCP"
        self.check(
            "Gateway",
            [
                (server(https), "spec.servers[0].tls: missing"),
                (server(rest="hosts: [a.example], tls: {httpsRedirect: true}"), ""),
                (server(rest="hosts: [a.example], tls: {mode: SIMPLE}"), "tls.mode: a server of protocol HTTP"),
                (server(tcp, "hosts: [a.example], tls: {httpsRedirect: true}"), "protocol TCP has no TLS settings"),
            ],
        )
