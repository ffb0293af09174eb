"""What the conformance tests of the Gateway API have in common: HTTPRoutes said as VirtualServices, and checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.acceptance.served import Answer, Client, Headers, ServedTestCase

ONE = "route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]"
TWO = ONE.replace("one", "two")


def prefix(path: str) -> str:
    """Write the matches of a path and all below it."""
    return f"match: [{{uri: {{exact: {path}}}}}, {{uri: {{prefix: {path}/}}}}]"


def virtual_service(name: str, *items: str, hosts: str = "a.example", gateways: str = "gw", kind: str = "http") -> str:
    """Write a VirtualService; an item is what stands in the braces of one."""
    routes = "".join(f"  - {{{item}}}\n" for item in items)
    return (
        f"apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}}}\n"
        f"spec:\n  hosts: [{hosts}]\n  gateways: [{gateways}]\n  {kind}:\n{routes}---\n"
    )


def gateway(name: str, *servers: tuple[str, str, str, str]) -> str:
    """Write a Gateway; a server is the name of its port, its protocol, its hosts, and its C{tls}."""
    written = "".join(
        f"  - {{port: {{number: ${port}, name: p{number}, protocol: {protocol}}}, hosts: [{hosts}]"
        f"{', ' if tls else ''}{tls}}}\n"
        for number, (port, protocol, hosts, tls) in enumerate(servers)
    )
    return (
        f"apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {{name: {name}}}\n"
        f"spec:\n  servers:\n{written}---\n"
    )


class GatewayAPITestCase(ServedTestCase):
    """Checks of single requests."""

    def check(
        self,
        target: str,
        told: Mapping[str, Sequence[str]] | None = None,
        answered: Mapping[str, Sequence[str]] | None = None,
        headers: Headers | None = None,
        method: str = "GET",
        path: str = "",
        where: str = "one",
    ) -> None:
        """
        Ask, and compare.

        @param told: What the backend sees of these headers.
        @param answered: What the client does.
        @param path: What the backend is asked for, if it is another target.
        """
        answer = self.ask(target, headers=headers or [], method=method)
        self.assertEqual((target, answer.where), (target, where))
        self.assertEqual((target, answer.echo["target"]), (target, path or target))
        for name, values in (told or {}).items():
            self.assertEqual((target, name, answer.told(name)), (target, name, list(values)))
        self.compare(answer, answered or {})

    def compare(self, answer: Answer, expected: Mapping[str, Sequence[str]]) -> None:
        """Compare headers of an answer."""
        self.assertEqual({name: answer.values(name) for name in expected}, expected)


class TLSTestCase(GatewayAPITestCase):
    """Requests to any of the gateway's ports."""

    def ask_at(self, port: str, host: str, target: str = "/", sni: str | None = None) -> Answer:
        """Ask at a port by its name, over TLS if there is an SNI."""
        client = Client(self.served.ports[port], sni)
        self.addCleanup(client.close)
        return client.ask("GET", target, host)
