"""Policies of authorization through the real gateway: what they refuse, and what nobody gets around them by."""

from __future__ import annotations

import signal
import socket
import subprocess

import h2.config
import h2.connection
import h2.events

from tests.acceptance.manifests import GATEWAY, RELAYED
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import Client, ServedTestCase

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

POLICIES = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: admin}
spec:
  action: DENY
  rules:
  - to: [{operation: {paths: [/admin, "/admin/*"]}}]
  - to: [{operation: {hosts: [secret.example, "secret.example:*"]}}]
  - to: [{operation: {methods: [DELETE]}}]
    when: [{key: "request.headers[x-role]", notValues: [root]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: all}
spec:
  rules:
  - to: [{operation: {notPaths: ["/never*"]}}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: tried, annotations: {istio.io/dry-run: "true"}}
spec:
  action: DENY
  rules: [{to: [{operation: {paths: [/tried]}}]}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: nobody, namespace: elsewhere}
spec: {}
"""

DENIED = "rbac_access_denied_matched_policy[ns[default]-policy[admin]-rule[%d]]"


class AuthorizationTests(ServedTestCase):
    """A DENY policy, and an ALLOW policy behind it."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + ROUTES, "policies.yaml": POLICIES}

    def where(self, target: str, host: str = "shop.example", method: str = "GET", *headers: tuple[str, str]) -> str:
        """Return who answered, or the status of the gateway's own answer."""
        return self.client().ask(method, target, host, headers).where

    def test_answer(self) -> None:
        """Who is denied gets Envoy's answer, and the log says by what."""
        answer = self.client().ask("GET", "/admin?first", "shop.example")
        self.assertEqual((answer.status, answer.body), (403, b"RBAC: access denied"))
        self.assertEqual((answer.one("content-type"), answer.one("content-length")), ("text/plain", "19"))
        line = self.logged("/admin?first")
        self.assertEqual((line["response_code_details"], line["response_flags"]), (DENIED % 0, None))
        self.assertEqual(self.client().ask("GET", "/never?second", "shop.example").status, 403)
        details = self.logged("/never?second")["response_code_details"]
        self.assertEqual(details, "rbac_access_denied_matched_policy[none]")

    def test_grpc(self) -> None:
        """A client of gRPC gets a status of gRPC."""
        fields = [("Content-Type", "application/grpc"), ("TE", "trailers")]
        answer = self.client().ask("POST", "/admin/a.B/C", "shop.example", fields, b"")
        self.assertEqual((answer.status, answer.one("grpc-status"), answer.body), (200, "7", b""))
        self.assertEqual(answer.one("grpc-message"), "RBAC: access denied")

    def test_before_routes(self) -> None:
        """Policies come before redirects, routes and what has none."""
        self.assertEqual(self.where("/old"), "301")
        self.assertEqual(self.where("/admin", "unknown.example"), "403")
        self.assertEqual(self.where("/", "unknown.example"), "404")
        self.assertEqual(self.where("/", "secret.example"), "403")
        self.assertEqual(self.where("/tried"), "one")

    def test_paths(self) -> None:
        """No spelling that is served as a path that is denied gets past."""
        for target in (
            "/admin",
            "/admin/",
            "/admin/x",
            "/admin?",
            "/./admin",
            "/x/../admin",
            "/x/%2e%2E/admin",
            "/%61dmin",
            "/%61%64%6d%69%6e/x",
            "/x\\..\\admin",
            "\\admin",
            "/../../admin",
            "/x/..;a=b/admin",
            "http://shop.example/admin",
            "HTTP://shop.example/%61dmin",
            "http://other.example/admin",
            "/admin#x",
        ):
            answer = self.where(target)
            self.assertIn(answer, ("403", "400"), target)
        for target in (
            "/Admin",
            "/administrator",
            "/%2561dmin",
            "//admin",
            "/x%2fadmin",
            "/admin;a",
            "/x?/admin",
            "/admin.",
        ):
            answer = self.client().ask("GET", target, "shop.example")
            # what is let pass is sent on as it was judged
            self.assertEqual((answer.where, answer.echo["target"]), ("one", target))

    def test_hosts(self) -> None:
        """However its host is given."""
        for target, host in (
            ("/", "SECRET.example"),
            ("/", "secret.example:80"),
            ("/", "secret.example."),
            ("/", "Secret.Example.:80"),
            ("http://secret.example/", "shop.example"),
            ("http://Secret.Example:8080/", "shop.example"),
        ):
            self.assertEqual(self.where(target, host), "403", (target, host))

    def test_fields(self) -> None:
        """Every field of a name counts."""
        root, user = ("X-Role", "root"), ("x-role", "user")
        self.assertEqual(self.where("/", "shop.example", "DELETE", root), "one")
        for fields in ((), (user,), (("X-Role", "root,user"),), (("Connection", "x-role"), root)):
            self.assertEqual(self.where("/", "shop.example", "DELETE", *fields), "403", fields)

    def test_explained(self) -> None:
        """C{edgegate explain} names the rule, with its place, and for others the first condition that fails."""
        port = self.served.ports["http"]
        command = [program("edgegate"), "explain", "--config=etc", f"http://shop.example:{port}/admin/x"]
        ran = subprocess.run(
            command, cwd=self.served.folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        self.assertIn(
            "denied: AuthorizationPolicy default/admin: DENY by ns[default]-policy[admin]-rule[0]", ran.stdout
        )
        self.assertIn("policies.yaml:7", ran.stdout)
        self.assertIn("the gateway answers 403", ran.stdout)


class HTTP2Tests(ServedTestCase):
    """The same over HTTP/2, whose request line is fields."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + ROUTES, "policies.yaml": POLICIES}

    def asked(self, *fields: tuple[str, str]) -> str:
        """Return the status of the answer; C{reset} where the stream or the connection was ended."""
        # what a client of this library would refuse to send is what an attacker sends
        config = h2.config.H2Configuration(
            validate_outbound_headers=False, normalize_outbound_headers=False, header_encoding="latin-1"
        )
        connection = h2.connection.H2Connection(config)
        connection.initiate_connection()
        connection.send_headers(1, fields, end_stream=True)
        with socket.create_connection(("127.0.0.1", self.served.ports["http"]), PATIENCE) as sock:
            sock.settimeout(PATIENCE)
            sock.sendall(connection.data_to_send())
            while data := sock.recv(65536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.ResponseReceived):
                        return dict(event.headers)[":status"]
                    if isinstance(event, h2.events.StreamReset | h2.events.ConnectionTerminated):
                        return "reset"
                sock.sendall(connection.data_to_send())
        return "reset"

    def request(self, path: str, authority: str = "shop.example", method: str = "GET") -> list[tuple[str, str]]:
        """Return the fields of a request."""
        return [(":method", method), (":scheme", "http"), (":authority", authority), (":path", path)]

    def test_passes(self) -> None:
        """What is not denied is served."""
        self.assertEqual(self.asked(*self.request("/")), "200")

    def test_denied(self) -> None:
        """Nothing gets past by what only HTTP/2 can say."""
        role = ("x-role", "root")
        for fields in (
            self.request("/admin"),
            self.request("/x/../admin"),
            self.request("/%61dmin"),
            self.request("http://shop.example/admin"),
            self.request("/admin#x"),
            self.request("admin"),
            self.request("/", "secret.example"),
            self.request("/", "SECRET.EXAMPLE:1"),
            [*self.request("/"), (":path", "/admin")],
            [*self.request("/admin"), (":path", "/")],
            [*self.request("/", "secret.example"), ("host", "shop.example")],
            [*self.request("/"), ("host", "secret.example")],
            [(":method", "GET"), (":scheme", "http"), (":path", "/"), ("host", "secret.example")],
            [*self.request("/", "shop.example", "DELETE")],
            [*self.request("/", "shop.example", "DELETE"), ("X-Role", "root")],
            [*self.request("/", "shop.example", "DELETE"), role, ("connection", "x-role")],
        ):
            self.assertIn(self.asked(*fields), ("403", "400", "reset"), fields)
        self.assertEqual(self.asked(*self.request("/", "shop.example", "DELETE"), role), "200")


class ReloadTests(ServedTestCase):
    """Policies that come and go."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + ROUTES}

    def test_kept_alive(self) -> None:
        """A connection that is open meets what a reload brings; what can't be read leaves all as it was."""
        client = self.client()
        self.assertEqual(client.ask("GET", "/admin", "shop.example").where, "one")
        policies = self.served.folder / "etc" / "policies.yaml"
        policies.write_text(POLICIES)
        self.reload("reloaded in")
        self.assertEqual(self.later(client), "403")
        # what denies, mended so that it denies nothing, beside what is no port
        policies.write_text(POLICIES.replace("/admin", "/other").replace("methods: [DELETE]", "ports: [http]"))
        self.reload("reload refused")
        self.assertEqual(self.later(client), "403")
        policies.unlink()
        self.reload("reloaded in", 2)
        self.assertEqual(self.later(client), "one")

    def reload(self, word: str, count: int = 1) -> None:
        """Have the gateway read its files again."""
        gateway = self.served.gateway
        gateway.process.send_signal(signal.SIGHUP)
        gateway.says(word, count)

    def later(self, client: Client) -> str:
        """Ask on a connection that may have been ended meanwhile, or on another one."""
        try:
            return client.ask("GET", "/admin", "shop.example").where
        except (AssertionError, OSError):
            return self.client().ask("GET", "/admin", "shop.example").where


CLOSED = """\
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: closed}
spec:
  action: DENY
  rules:
  - to: [{operation: {methods: [GET], ports: ["$tcp"]}}]
  - when: [{key: connection.sni, values: [secret.example]}]
"""


class ConnectionTests(ServedTestCase):
    """Policies where connections are relayed."""

    opened = {"one": ""}
    dead = ("tcp", "open", "tls")
    files = {"gateway.yaml": GATEWAY, "tcp.yaml": RELAYED + CLOSED}

    def test_closed(self) -> None:
        """What only requests have counts for nothing; the connection is closed without a byte, and it is logged."""
        client = Client(self.served.ports["tcp"])
        self.addCleanup(client.close)
        self.assertTrue(client.ended())
        self.served.gateway.says("rbac_access_denied_matched_policy[ns[default]-policy[closed]-rule[0]]")
        client = Client(self.served.ports["open"])
        self.addCleanup(client.close)
        self.assertEqual(client.ask("GET", "/", "any.example").where, "one")

    def test_by_name(self) -> None:
        """TLS that is passed through is judged by the name that its client asks for."""
        with self.assertRaises(OSError):
            Client(self.served.ports["tls"], "secret.example")
        self.served.gateway.says("rbac_access_denied_matched_policy[ns[default]-policy[closed]-rule[1]]")
