"""edgegate's own access policies, through the real gateway."""

from __future__ import annotations

import subprocess

from tests.acceptance.manifests import GATEWAY, RELAYED, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports, program, wait_until
from tests.acceptance.served import Client, ServedTestCase

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop}
spec:
  hosts: [shop.example]
  gateways: [gw]
  http:
  - name: old
    match: [{uri: {prefix: /old}}]
    redirect: {uri: /new}
  - name: inner
    match: [{uri: {prefix: /inner}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - name: all
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: open}
spec:
  hosts: [open.example]
  gateways: [gw]
  http:
  - route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

LISTS = """\
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: known}
spec:
  targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]
  deny: {files: [bad.txt]}
---
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: office}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: shop, sectionName: inner}]
  allow: {addresses: [192.0.2.0/24]}
"""

BAD = """\
# those that nobody wants
198.51.100.0/24
2001:db8::/32 ; a whole network
203.0.113.7
"""

CLOSED = """\
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: closed}
spec:
  targetRefs:
  - {group: networking.istio.io, kind: Gateway, name: tcp, sectionName: tcp}
  - {group: networking.istio.io, kind: Gateway, name: tcp, sectionName: tls}
  deny: {addresses: [127.0.0.0/8]}
"""


class ConnectionTests(ServedTestCase):
    """Lists of addresses where connections are relayed."""

    opened = {"one": ""}
    dead = ("tcp", "open", "tls")
    files = {"gateway.yaml": GATEWAY, "tcp.yaml": RELAYED, "closed.yaml": CLOSED}

    def test_closed(self) -> None:
        """Who is on the list finds its connection closed, and nothing said; other ports of the Gateway are served."""
        for name in ("tcp", "tls"):
            client = Client(self.served.ports[name])
            self.addCleanup(client.close)
            self.assertTrue(client.ended(), name)
        client = Client(self.served.ports["open"])
        self.addCleanup(client.close)
        self.assertEqual(client.ask("GET", "/", "any.example").where, "one")
        self.served.gateway.says("address_list_denied[default/closed]")


class ChangingListTests(AcceptanceTestCase):
    """A list in a file that changes while the gateway watches it."""

    def test_changes(self) -> None:
        """The next request meets the new list, also on a connection that is kept; a broken list changes nothing."""
        etc = self.folder / "etc"
        etc.mkdir(exist_ok=True)
        (port,) = free_ports(1)
        (etc / "gateway.yaml").write_text(filled(GATEWAY + ANYTHING + WATCHED, http=port))
        (etc / "bad.txt").write_text("198.51.100.1\n")
        options = ("--config=etc", "--access-log=none", "--admin=none")
        gateway = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        gateway.says("serving HTTP on")
        client = Client(port)
        self.addCleanup(client.close)
        self.assertEqual(client.ask("GET", "/", "a.example").status, 200)
        (etc / "bad.txt").write_text("127.0.0.0/8\n")
        gateway.says("reloaded in", 1)
        self.assertEqual(client.ask("GET", "/", "a.example").status, 403)
        (etc / "bad.txt").write_text("127.0.0.0/80\n")
        gateway.says("reload refused", 1)
        self.assertEqual(client.ask("GET", "/", "a.example").status, 403)
        (etc / "bad.txt").write_text("# nobody\n")
        gateway.says("reloaded in", 2)
        self.assertEqual(client.ask("GET", "/", "a.example").status, 200)


ANYTHING = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec: {hosts: ["*"], gateways: [gw], http: [{directResponse: {status: 200}}]}
---
"""

WATCHED = """\
apiVersion: edgegate.io/v1alpha1
kind: AddressListPolicy
metadata: {name: bad}
spec: {deny: {files: [bad.txt]}}
"""

FEW = """\
apiVersion: edgegate.io/v1alpha1
kind: ConcurrencyPolicy
metadata: {name: few}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: shop, sectionName: inner}]
  limits: [{name: per-user, requests: 2, by: [{header: x-user}]}]
  response: {status: 429, retryAfter: 3s}
"""


class ConcurrencyTests(ServedTestCase):
    """How many requests of a user may be under way."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + ROUTES, "few.yaml": FEW}

    def test_under_way(self) -> None:
        """Two are under way and a third is refused, until one of them ends; others have their own."""
        clients = [self.client() for _ in range(2)]
        for client in clients:
            client.send(b"GET /inner HTTP/1.1\r\nHost: shop.example\r\nX-User: a\r\nX-Do: hang\r\n\r\n")
        wait_until(lambda: len(self.backends.seen["one"]) == 2)
        refused = self.ask("/inner", "shop.example", headers={"X-User": "a"})
        self.assertEqual((refused.status, refused.one("retry-after")), (429, "3"))
        self.assertEqual(self.ask("/inner", "shop.example", headers={"X-User": "b"}).where, "one")
        self.assertEqual(self.ask("/other", "shop.example", headers={"X-User": "a"}).where, "one")
        clients[0].close()
        wait_until(lambda: self.ask("/inner", "shop.example", headers={"X-User": "a"}).status != 429)


class AddressListTests(ServedTestCase):
    """Lists of addresses, where a proxy in front says who the client is."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + ROUTES, "lists.yaml": LISTS, "bad.txt": BAD}
    options = ("--trusted-hops=1",)

    def asked(self, target: str, address: str, host: str = "shop.example") -> str:
        """Return who answered, or the status of the gateway's own answer."""
        return self.client().ask("GET", target, host, [("X-Forwarded-For", address)]).where

    def test_deny(self) -> None:
        """Who is on the list of a Gateway gets 403 for every host, before redirects and 404."""
        for address in ("198.51.100.9", "2001:db8::1", "203.0.113.7", "::ffff:203.0.113.7"):
            for target, host in (("/", "shop.example"), ("/old", "shop.example"), ("/", "unknown.example")):
                self.assertEqual(self.asked(target, address, host), "403", (target, host, address))
        self.assertEqual(self.asked("/", "203.0.113.8"), "one")
        self.assertEqual(self.asked("/old", "203.0.113.8"), "301")
        self.assertEqual(self.asked("/", "203.0.113.8", "unknown.example"), "404")

    def test_route(self) -> None:
        """A list of one route counts for that alone."""
        self.assertEqual(self.asked("/inner", "203.0.113.8"), "403")
        self.assertEqual(self.asked("/inner", "192.0.2.8"), "one")
        self.assertEqual(self.asked("/other", "203.0.113.8"), "one")
        self.assertEqual(self.asked("/inner", "203.0.113.8", "open.example"), "one")

    def test_answer(self) -> None:
        """The answer says no more than it has to; the log says which policy it was."""
        answer = self.client().ask("GET", "/refused", "shop.example", [("X-Forwarded-For", "203.0.113.7")])
        self.assertEqual((answer.status, answer.body), (403, b"access denied"))
        line = self.logged("/refused")
        self.assertEqual((line["policy"], line["policy_origin"]), ("AddressListPolicy default/known", "lists.yaml:1"))
        self.assertEqual(line["response_code_details"], "address_list_denied[default/known]")
        grpc = [("X-Forwarded-For", "203.0.113.7"), ("Content-Type", "application/grpc"), ("TE", "trailers")]
        answer = self.client().ask("POST", "/a.B/C", "shop.example", grpc, b"")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "7"))

    def test_explained(self) -> None:
        """C{edgegate explain} names the policy, with its place."""
        command = [program("edgegate"), "explain", "--config=etc", "--trusted-hops=1"]
        port = self.served.ports["http"]
        asked = ["-H", "X-Forwarded-For: 203.0.113.8", f"http://shop.example:{port}/inner"]
        ran = subprocess.run(
            [*command, *asked], cwd=self.served.folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        self.assertIn("denied: AddressListPolicy default/office: the address 203.0.113.8 is not on allow", ran.stdout)
        self.assertIn("allowed: AddressListPolicy default/known", ran.stdout)
        self.assertIn("the gateway answers 403", ran.stdout)
