"""Services that say who may pass, through the real gateway: logins, APIs, services that behave badly."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable
from concurrent import futures
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

import grpc
import h2.connection
import h2.events

from edgegate.protobuf.reading import read
from tests.acceptance.login_services import LoginService, Reply, authelia, misbehaving, oauth2_proxy
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, RELAYED, static_service
from tests.acceptance.processes import PATIENCE, wait_until
from tests.acceptance.served import Answer, Client, ServedTestCase
from tests.protobuf.envoy import AUTH, message_class

MESH = """\
apiVersion: mesh.istio.io/v1alpha1
kind: MeshConfig
metadata: {name: mesh}
spec:
  extensionProviders:
  - name: oauth2-proxy
    envoyExtAuthzHttp:
      service: oauth.local
      port: "4180"
      timeout: 5s
      includeRequestHeadersInCheck: [authorization, cookie, accept, "x-forwarded-*"]
      includeAdditionalHeadersInCheck:
        X-Auth-Request-Redirect: "%REQ(:SCHEME)%://%REQ(:AUTHORITY)%%REQ(:PATH)%"
      headersToUpstreamOnAllow: [x-auth-request-user, x-auth-request-email]
      headersToDownstreamOnAllow: [set-cookie]
      headersToDownstreamOnDeny: [content-type, set-cookie]
  - name: authelia
    envoyExtAuthzHttp:
      service: authelia.local
      port: 4180
      timeout: 5s
      pathPrefix: /api/authz/ext-authz/
      includeRequestHeadersInCheck: [accept, cookie, authorization, proxy-authorization]
      includeAdditionalHeadersInCheck: {X-Forwarded-Proto: "%REQ(:SCHEME)%"}
      headersToUpstreamOnAllow: ["remote-*", "authelia-*"]
      headersToDownstreamOnAllow: [set-cookie]
      headersToDownstreamOnDeny: [set-cookie]
  - name: odd
    envoyExtAuthzHttp:
      {service: odd.local, port: 4180, timeout: 700ms, headersToUpstreamOnAllow: [x-user], statusOnError: "503"}
  - name: odd-open
    envoyExtAuthzHttp:
      {service: odd.local, port: 4180, timeout: 700ms, headersToUpstreamOnAllow: [x-user], failOpen: true}
  - name: body
    envoyExtAuthzHttp:
      service: odd.local
      port: 4180
      timeout: 5s
      includeRequestBodyInCheck: {maxRequestBytes: 100000}
  - name: grpc
    envoyExtAuthzGrpc: {service: grpc.local, port: 4180, timeout: 5s}
---
"""

ROUTES = """\
  - match: [{uri: {prefix: /oauth2/}}]
    route: [{destination: {host: oauth.local, port: {number: 4180}}}]
  - match: [{authority: {exact: auth.example.com}}]
    route: [{destination: {host: authelia.local, port: {number: 4180}}}]
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
"""


def custom(provider: str, operation: str) -> str:
    """Have a provider be asked."""
    return f"""\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {{name: {provider}}}
spec: {{action: CUSTOM, provider: {{name: {provider}}}, rules: [{{to: [{{operation: {{{operation}}}}}]}}]}}
---
"""


POLICIES = (
    custom("oauth2-proxy", 'hosts: [shop.example], notPaths: ["/oauth2/*"]')
    + custom("authelia", "hosts: [wiki.example.com]")
    + custom("odd", "hosts: [odd.example]")
    + custom("odd-open", "hosts: [open.example]")
    + custom("body", "hosts: [body.example]")
    + custom("grpc", 'hosts: [grpc.example], ports: ["$http", "$tcp"]')
)

SERVICES: dict[str, Callable[[LoginService, Any], Reply | None]] = {
    "oauth": oauth2_proxy,
    "authelia": authelia,
    "odd": misbehaving,
}


class Deciding(grpc.GenericRpcHandler):
    """
    Envoy's C{Authorization}, by grpcio.

    @ivar asked: The attributes of what it was asked.
    """

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def service(self, details: Any) -> Any:
        """Find the method."""
        assert details.method == f"/{AUTH}.Authorization/Check", details.method
        return grpc.unary_unary_rpc_method_handler(self.check)

    def check(self, message: bytes, context: Any) -> bytes:
        """Decide by the path, and connections by nothing."""
        attributes = message_class(f"{AUTH}.CheckRequest").FromString(message).attributes
        self.asked.append(attributes)
        answer = message_class(f"{AUTH}.CheckResponse")()
        path = attributes.request.http.path
        if path.startswith("/fail"):
            context.abort(grpc.StatusCode.INTERNAL, "broken")
        if path.startswith("/deny") or not attributes.HasField("request"):
            answer.status.code = 7
            answer.denied_response.status.code = 418
            answer.denied_response.body = "teapot"
        else:
            option = answer.ok_response.headers.add()
            option.header.key, option.header.value = "x-user", "jane"
            answer.ok_response.headers_to_remove.append("x-secret")
            answer.ok_response.query_parameters_to_remove.append("token")
        found: bytes = answer.SerializeToString()
        return found


class ExternalAuthorizationTests(ServedTestCase):
    """One gateway and all of these services."""

    opened = {"one": ""}
    dead = ("oauth", "authelia", "odd", "grpc", "tcp", "open", "tls")
    files = {
        "gateway.yaml": GATEWAY + EVERY_HOST + ROUTES + RELAYED,
        "mesh.yaml": MESH
        + "".join(
            static_service(name, f"{name}.local", name, port=4180, protocol="GRPC" if name == "grpc" else "HTTP")
            for name in ("oauth", "authelia", "odd", "grpc")
        ),
        "policies.yaml": POLICIES,
    }
    services: ClassVar[dict[str, LoginService]] = {}
    deciding: ClassVar[Deciding] = Deciding()
    server: ClassVar[Any] = None

    def setUp(self) -> None:
        """Start the services, and then the gateway, once."""
        super().setUp()
        cls = type(self)
        if not cls.services:
            for name, reply in SERVICES.items():
                cls.services[name] = LoginService(self.served.ports[name], reply)
            cls.server = grpc.server(futures.ThreadPoolExecutor(4), handlers=[cls.deciding])
            cls.server.add_insecure_port(f"127.0.0.1:{self.served.ports['grpc']}")
            cls.server.start()
        for service in cls.services.values():
            service.asked.clear()
            service.go_on.clear()
        cls.deciding.asked.clear()

    @classmethod
    def tearDownClass(cls) -> None:
        """Stop them."""
        for service in cls.services.values():
            service.stop()
        cls.services.clear()
        if cls.server is not None:
            cls.server.stop(None).wait()

    # oauth2-proxy -----------------------------------------------------------------------------------------------------

    def shop(self, target: str, *headers: tuple[str, str]) -> Answer:
        """Ask for something behind oauth2-proxy."""
        return self.ask(target, "shop.example", headers=headers)

    def test_login(self) -> None:
        """A browser is sent to the login, comes back with a session, and the backend knows who it is."""
        refused = self.shop("/orders?id=7", ("Accept", "text/html"))
        self.assertEqual((refused.status, refused.body), (302, b"<a>Found</a>"))
        self.assertTrue(refused.one("set-cookie").startswith("_oauth2_proxy_csrf=nonce"))
        self.assertEqual(refused.one("content-type"), "text/html; charset=utf-8")
        back = parse_qs(urlsplit(refused.one("location")).query)["state"][0]
        self.assertEqual(back, "http://shop.example/orders?id=7")
        line = self.logged("/orders?id=7")
        self.assertEqual((line["response_flags"], line["response_code_details"]), ("UAEX", "ext_authz_denied"))
        done = self.shop(f"/oauth2/callback?code=good&state={back}", ("Cookie", "_oauth2_proxy_csrf=nonce"))
        self.assertEqual((done.status, done.one("location")), (302, back))
        session = done.values("set-cookie")[0].partition(";")[0]
        passed = self.shop("/orders?id=7", ("Cookie", "a=b"), ("Cookie", session))
        self.assertEqual(passed.where, "one")
        self.assertEqual(passed.told("x-auth-request-user"), ["jane"])
        self.assertEqual(passed.told("x-auth-request-email"), ["jane@example.com"])
        self.assertEqual((passed.told("gap-auth"), passed.values("gap-auth")), ([], []))
        # a session that was refreshed goes to the client
        self.assertTrue(passed.one("set-cookie").startswith("_oauth2_proxy=session-2"))
        asked = self.services["oauth"].asked[-1]
        self.assertEqual((asked[0], asked[1], asked[2]["content-length"]), ("GET", "/orders?id=7", "0"))

    def test_forged(self) -> None:
        """Who claims to be somebody is nobody without a session, and with one the one whose it is."""
        forged = (("X-Auth-Request-User", "admin"), ("X_Auth_Request_User", "admin"), ("x-auth-request-email", "x"))
        self.assertEqual(self.shop("/a", *forged).status, 302)
        passed = self.shop("/a", *forged, ("Cookie", "_oauth2_proxy=session-2"))
        users = [value for name, value in passed.echo["headers"] if "user" in name.lower().replace("_", "-")]
        self.assertIn("jane", users)
        self.assertNotIn("admin", users)
        self.assertEqual(passed.told("x-auth-request-email"), ["jane@example.com"])

    def test_api(self) -> None:
        """A program gets 401, not a page."""
        refused = self.shop("/api", ("Accept", "application/json"))
        self.assertEqual((refused.status, refused.body), (401, b"{}"))

    def test_http2(self) -> None:
        """A client of HTTP/2 is asked about likewise, and its cookie's pieces are one."""
        sock = socket.create_connection(("127.0.0.1", self.served.ports["http"]), PATIENCE)
        self.addCleanup(sock.close)
        connection = h2.connection.H2Connection()
        connection.initiate_connection()
        head = [(":method", "GET"), (":scheme", "http"), (":authority", "shop.example"), (":path", "/x")]
        connection.send_headers(1, head, end_stream=True)
        connection.send_headers(3, [*head, ("cookie", "a=b"), ("cookie", "_oauth2_proxy=session-2")], end_stream=True)
        statuses: dict[int, str] = {}
        sock.sendall(connection.data_to_send())
        while len(statuses) < 2:
            for event in connection.receive_data(sock.recv(65536)):
                if isinstance(event, h2.events.ResponseReceived):
                    fields = {bytes(name).decode(): bytes(value).decode() for name, value in event.headers or ()}
                    statuses[event.stream_id or 0] = fields[":status"]
            sock.sendall(connection.data_to_send())
        self.assertEqual(statuses, {1: "302", 3: "200"})

    def test_websocket(self) -> None:
        """A handshake is asked about, and goes on as one."""
        handshake = [
            *(("Connection", "Upgrade"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        self.assertEqual(self.shop("/ws", *handshake).status, 302)
        passed = self.shop("/ws", *handshake, ("Cookie", "_oauth2_proxy=session-2"))
        self.assertEqual((passed.where, passed.told("upgrade")), ("one", ["websocket"]))
        self.assertNotIn("upgrade", self.services["oauth"].asked[-1][2])

    # Authelia ---------------------------------------------------------------------------------------------------------

    def test_authelia(self) -> None:
        """Its portal is told where to come back to; who has a session passes with all that is known of it."""
        refused = self.ask("/page?a=b", "wiki.example.com", headers={"Accept": "text/html"})
        self.assertEqual(refused.status, 302)
        place = parse_qs(urlsplit(refused.one("location")).query)["rd"][0]
        self.assertEqual(place, "http://wiki.example.com/page?a=b")
        self.assertIn("authelia_session", refused.one("set-cookie"))
        self.assertIn(unquote(refused.one("location"))[:30], unquote(refused.body.decode()))
        self.assertEqual(self.services["authelia"].asked[-1][1], "/api/authz/ext-authz//page?a=b")
        self.assertEqual(self.ask("/", "auth.example.com").body, b"portal")
        api = self.ask("/page", "wiki.example.com", "POST", {"Accept": "text/html"}, b"x")
        self.assertEqual(api.status, 401)
        passed = self.ask(
            "/page", "wiki.example.com", headers={"Cookie": "authelia_session=jane", "Remote-Groups": "root"}
        )
        self.assertEqual((passed.told("remote-user"), passed.told("remote-groups")), (["jane"], ["dev,admins"]))
        self.assertIn("authelia_session", passed.one("set-cookie"))
        self.assertEqual(self.ask("/page", "wiki.example.com", headers={"Cookie": "authelia_session=eve"}).status, 403)

    # Services that behave badly ---------------------------------------------------------------------------------------

    def test_misbehaving(self) -> None:
        """Nobody passes by a service that says nothing sensible, unless the files say so, and then without a name."""
        for way in ("slow", "die", "half", "garbage", "huge-head", "huge-body", "evil", "500", "503"):
            refused = self.ask(f"/{way}", "odd.example")
            self.assertEqual((refused.status, refused.body), (503, b""), way)
            passed = self.ask(f"/{way}", "open.example", headers={"X-User": "admin"})
            self.assertEqual((passed.where, passed.told("x-user")), ("one", []), way)
        for way in ("201", "204", "301", "404"):
            self.assertEqual(self.ask(f"/{way}", "open.example").status, int(way))
        self.assertEqual(self.ask("/200", "odd.example").told("x-user"), ["anybody"])
        self.served.gateway.says("does not say who may pass")

    def test_bodies(self) -> None:
        """A service sees the body before the backend does, and more of it than is kept elsewhere."""
        body = os.urandom(90_000)
        self.assertEqual(self.ask("/ok", "body.example", "POST", body=body).where, "one")
        asked = self.services["odd"].asked[-1]
        self.assertEqual((asked[3] == body, asked[2]["x-envoy-auth-partial-body"]), (True, "false"))
        self.assertTrue(self.backends.saw("one")[-1].body == body)
        self.assertEqual(self.ask("/ok", "body.example", "POST", body=b"x" * 100_001).status, 413)

    def test_bodies_of_http2(self) -> None:
        """A client of HTTP/2 has room for as much as is kept."""
        body = os.urandom(95_000)
        (self.served.folder / "body").write_bytes(body)
        url = f"http://127.0.0.1:{self.served.ports['http']}/ok"
        command = ["curl", "-sS", "--http2-prior-knowledge", "-H", "Host: body.example", "--data-binary", "@body", url]
        done = subprocess.run(command, cwd=self.served.folder, capture_output=True, timeout=PATIENCE, check=True)
        self.assertEqual(json.loads(done.stdout)["backend"], "one")
        self.assertTrue(self.services["odd"].asked[-1][3] == body)
        self.assertTrue(self.backends.saw("one")[-1].body == body)

    def test_client_leaves(self) -> None:
        """Who leaves while a service is asked leaves nothing behind."""
        client = Client(self.served.ports["http"])
        client.send(b"GET /slow HTTP/1.1\r\nHost: body.example\r\n\r\n")
        service = self.services["odd"]
        wait_until(lambda: bool(service.asked))
        client.close()
        self.logged("/slow")
        service.go_on.set()
        self.assertEqual(self.ask("/ok", "body.example").where, "one")

    def test_reload(self) -> None:
        """A request that is asked about while the files change ends on those that it began with."""
        client = self.client()
        client.send(b"GET /slow HTTP/1.1\r\nHost: body.example\r\n\r\n")
        service = self.services["odd"]
        wait_until(lambda: bool(service.asked))
        policies = self.served.folder / "etc" / "policies.yaml"
        before = policies.read_text()
        policies.write_text(before.replace("body.example", "nobody.example"))
        os.kill(self.served.gateway.process.pid, signal.SIGHUP)
        self.served.gateway.says("reloaded")
        self.assertEqual(self.ask("/200", "body.example").where, "one")
        self.assertEqual(len(service.asked), 1)
        service.go_on.set()
        self.assertEqual(client.answer().where, "one")
        policies.write_text(before)
        os.kill(self.served.gateway.process.pid, signal.SIGHUP)
        self.served.gateway.says("reloaded", 2)

    # gRPC -------------------------------------------------------------------------------------------------------------

    def test_grpc(self) -> None:
        """A service of grpcio is asked, and what it says is done."""
        passed = self.ask("/a?b=c&token=t", "grpc.example", headers={"X-User": "admin", "X-Secret": "s"})
        self.assertEqual((passed.told("x-user"), passed.told("x-secret")), (["jane"], []))
        self.assertEqual(passed.echo["target"], "/a?b=c")
        (asked,) = self.deciding.asked
        http = asked.request.http
        self.assertEqual((http.method, http.path, http.host), ("GET", "/a?b=c&token=t", "grpc.example"))
        self.assertEqual(asked.source.address.socket_address.address, "127.0.0.1")
        refused = self.ask("/deny", "grpc.example")
        self.assertEqual((refused.status, refused.body), (418, b"teapot"))
        failed = self.ask("/fail", "grpc.example")
        self.assertEqual((failed.status, failed.body), (403, b""))
        self.assertEqual(self.logged("/fail")["response_code_details"], "ext_authz_error")

    def test_connection(self) -> None:
        """A connection is asked about before a byte passes."""
        client = Client(self.served.ports["tcp"])
        self.addCleanup(client.close)
        self.assertTrue(client.ended())
        (asked,) = self.deciding.asked
        self.assertFalse(asked.HasField("request"))
        self.assertEqual(asked.destination.address.socket_address.port_value, self.served.ports["tcp"])
        self.assertEqual(read(asked.SerializeToString()).keys(), {1, 2})
