"""External authorization from the files to the answer: what is asked, what is said, and what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Endpoint
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.client_counts import ClientCounts
from edgegate.overload.limits import NO_LIMIT
from tests.http.conversation import MIRROR, Conversation
from tests.http.guards.checking import Checking, parsed
from tests.istio.translate.compiling import compiled, gateway, listener, route, virtual_service

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
AUTH = "outbound|80||auth.example"

FILES = (
    gateway("gw", "80 HTTP app.example.com")
    + virtual_service("vs", "app.example.com", f"http: [{route()}]")
    + """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh, namespace: istio-system}
spec: {extensionProviders: [{name: auth, envoyExtAuthzHttp: {service: auth.example, port: 80, timeout: 1s, SAID}}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: auth, namespace: istio-system}
spec:
  hosts: [auth.example]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints: [{address: 10.0.1.1}]
---
"""
)


def policy(name: str, spec: str) -> str:
    """Write a policy."""
    return (
        "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\n"
        f"metadata: {{name: {name}, namespace: istio-system}}\nspec: {{{spec}}}\n---\n"
    )


def custom(rules: str = "[{}]") -> str:
    """Write one that has the service asked."""
    return policy("ask", f"action: CUSTOM, provider: {{name: auth}}, rules: {rules}")


@dataclass
class Case:
    """
    One request.

    @ivar said: What the service answers; C{timeout}: nothing; empty: it is not to be asked.
    @ivar status: Of the client's answer; 0: the request passes.
    """

    said: str = "200"
    status: int = 0
    provider: str = ""
    policies: str = field(default_factory=custom)
    method: str = "GET"
    path: str = "/"
    headers: tuple[str, ...] = ()
    answer: tuple[str, ...] = ()
    body: bytes = b""
    asks: dict[str, str | None] = field(default_factory=dict)
    backend: dict[str, str | None] = field(default_factory=dict)
    client: dict[str, str | None] = field(default_factory=dict)
    details: str = ""
    told: bytes | None = None


class FilesTests(SynchronousTestCase):
    """Each case has a gateway of its own."""

    def gateway(self, case: Case) -> Checking:
        """Have a client connect to a gateway that serves the files."""
        snapshot, problems = compiled(FILES.replace("SAID", case.provider) + case.policies)
        self.assertEqual([line for line in problems if " error: " in line], [])
        port = listener(snapshot, 80)
        chain = port.plain
        assert chain is not None
        talk = Conversation()
        places: dict[str, Any] = dict.fromkeys(snapshot.clusters, (Endpoint(TCPAddress("10.0.0.1", 80)),))
        talk.clusters.update(snapshot.clusters, {**places, AUTH: (Endpoint(MIRROR),)})
        checking = Checking(talk=talk)
        peer, local = TCPAddress("192.0.2.7", 4711), TCPAddress("127.0.0.1", 8080)
        checking.client = talk.client(ConnectionInfo(port, chain, peer, local, counts=ClientCounts("x", NO_LIMIT)))
        return checking

    def holds(self, fields: dict[bytes, bytes], expected: dict[str, str | None], case: Case) -> None:
        """Check some fields of a message."""
        for name, value in expected.items():
            found = fields.get(name.encode())
            self.assertEqual(found, None if value is None else value.encode(), (name, case))

    def check(self, *cases: Case) -> None:
        """Check cases."""
        for case in cases:
            talk = self.gateway(case)
            request = f"{case.method} {case.path} HTTP/1.1\r\nHost: app.example.com\r\n".encode()
            talk.ask(request, *(line.encode() for line in case.headers))
            self.assertEqual(talk.asked, case.said != "", case)
            if talk.asked:
                first, fields, _ = parsed(talk.service.sent)
                if ":line" in case.asks:
                    self.assertEqual(first.decode(), case.asks.pop(":line"))
                self.holds(fields, case.asks, case)
                if case.said == "timeout":
                    talk.talk.advance(2)
                else:
                    talk.answer(f"{case.said} X".encode(), *(line.encode() for line in case.answer), body=case.body)
            self.assertEqual(talk.passed, not case.status, case)
            if talk.passed:
                self.holds(talk.sent()[1], case.backend, case)
                talk.backend.deliver(OK)
            first, fields, body = talk.got()
            self.assertEqual(first.split(b" ")[1].decode(), str(case.status or 200), case)
            self.holds(fields, case.client, case)
            if case.told is not None:
                self.assertEqual(body, case.told, case)
            if case.details:
                self.assertEqual(talk.talk.ended[-1].details, case.details, case)

    def test_only_200_allows(self) -> None:
        """Whatever else is said is a refusal; what no rule matches is not asked about."""
        some = custom('[{to: [{operation: {notPaths: ["/public/*"]}}]}]')
        self.check(
            Case("200", policies=some),
            Case("202", 202, policies=some),
            Case("401", 401, policies=some, body=b"who", told=b"who", details="ext_authz_denied"),
            Case("", policies=some, path="/public/a"),
            Case("403", 403, policies=some, path="/public/../a"),
        )

    def test_errors(self) -> None:
        """A service that fails lets pass where the files say so; a refusal is none."""
        status, opens = 'statusOnError: "503"', "failOpen: true"
        self.check(
            Case("500", 503, status, body=b"secret", told=b"", details="ext_authz_error"),
            Case("timeout", 503, status, told=b""),
            Case("500", 0, opens),
            Case("timeout", 0, opens),
            Case("403", 403, opens),
        )

    def test_asked_and_taken_over(self) -> None:
        """What is listed is told, what is listed is believed, and nothing else."""
        self.check(
            Case(
                "200",
                0,
                "pathPrefix: /check, includeRequestHeadersInCheck: [cookie, x-app-*],"
                " includeAdditionalHeadersInCheck: {x-by: edge}, headersToUpstreamOnAllow: [x-auth-user],"
                " headersToDownstreamOnAllow: [set-cookie]",
                method="POST",
                path="/a?b=c",
                headers=(
                    *("Cookie: s=1", "X-App-Id: 7", "X-By: me", "X-Other: o", "Authorization: Basic eA=="),
                    *("X-Auth-User: forged", "Content-Length: 0"),
                ),
                asks={
                    ":line": "POST /check/a?b=c HTTP/1.1",
                    "host": "app.example.com",
                    "cookie": "s=1",
                    "x-app-id": "7",
                    "x-by": "edge",
                    "x-other": None,
                    "authorization": "Basic eA==",
                    "content-length": "0",
                },
                answer=(
                    *("x-auth-user: bob", "x-more: 1", "set-cookie: t=2"),
                    "x-envoy-auth-headers-to-remove: cookie, host",
                ),
                backend={"x-auth-user": "bob", "x-more": None, "cookie": None, "host": "app.example.com"},
                client={"set-cookie": "t=2"},
            )
        )

    def test_redirects(self) -> None:
        """A redirect to a login has all that is said, or what is listed and where it leads."""
        there = "location: https://login.example/"
        self.check(
            Case(
                "302",
                302,
                answer=(there, "set-cookie: a=1", "set-cookie: b=2"),
                client={"location": "https://login.example/", "set-cookie": "a=1 | b=2"},
            ),
            Case(
                "302",
                302,
                "headersToDownstreamOnDeny: [x-why]",
                answer=(there, "set-cookie: a=1", "x-why: w"),
                client={"location": "https://login.example/", "set-cookie": None, "x-why": "w"},
            ),
        )

    def test_beside_others(self) -> None:
        """A service that allows can't overrule a policy that denies, and is asked before it."""
        both = custom("[{to: [{operation: {paths: [/a]}}]}]") + policy(
            "deny", "action: DENY, rules: [{to: [{operation: {methods: [DELETE]}}]}]"
        )
        self.check(
            Case("200", 403, policies=both, path="/a", method="DELETE", told=b"RBAC: access denied"),
            Case("401", 401, policies=both, path="/a", method="DELETE"),
            Case("200", 0, policies=both, path="/a"),
            Case("", 403, policies=both, path="/b", method="DELETE"),
        )
