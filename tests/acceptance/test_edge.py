"""What of a client's request reaches a backend, and how much a client may stretch, through the real gateway."""

from __future__ import annotations

from collections.abc import Sequence
from select import select

from tests.acceptance.echo import EchoBackends
from tests.acceptance.manifests import EVERY_HOST, GATEWAY, filled
from tests.acceptance.processes import PATIENCE, AcceptanceTestCase, free_ports
from tests.acceptance.served import Answer, Client

FILES = (
    GATEWAY
    + """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: moved}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: [moved.example], tls: {httpsRedirect: true}}
---
"""
    + EVERY_HOST.replace("[gw]", "[gw, moved]")
    + """\
  - match: [{uri: {prefix: /rewritten}}]
    rewrite: {authority: inside.example}
    route: [{destination: {host: 127.0.0.1, port: {number: $echo}}}]
  - route: [{destination: {host: 127.0.0.1, port: {number: $echo}}}]
"""
)
SAID = (
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Port", "1"),
    ("X-Forwarded-Prefix", "/evil"),
    ("Forwarded", "for=203.0.113.9"),
    ("X-Real-IP", "203.0.113.9"),
    ("Proxy", "http://evil.example"),
    ("x_forwarded_proto", "https"),
    ("x.forwarded.client.cert", "Hash=forged"),
    ("my_field", "1"),
)


class EdgeTests(AcceptanceTestCase):
    """Gateways that trust nobody, or somebody."""

    def open(self, *options: str) -> None:
        """Start a backend, and the gateway in front of it."""
        self.backends = EchoBackends()
        self.addCleanup(self.backends.stop)
        (self.port,) = free_ports(1)
        etc = self.folder / "etc"
        etc.mkdir()
        (etc / "a.yaml").write_text(filled(FILES, http=self.port, echo=self.backends.open("echo")))
        common = "--config=etc", "--access-log=none", "--admin=none", "--no-watch"
        self.start("twistd", "-n", "--pidfile=", "edgegate", *common, *options).says("serving HTTP")

    def client(self) -> Client:
        """Connect to the gateway."""
        client = Client(self.port)
        self.addCleanup(client.close)
        return client

    def ask(self, target: str, host: str = "a.example", headers: Sequence[tuple[str, str]] = SAID) -> Answer:
        """Ask once."""
        return self.client().ask("GET", target, host, headers)

    def told(self, answer: Answer) -> dict[str, list[str]]:
        """Return what the backend received of the headers that were sent."""
        names = [name.lower() for name, _ in SAID]
        return {name: answer.told(name) for name in names if answer.told(name)}

    def test_nobody_is_trusted(self) -> None:
        """Of a client's word about itself its x-forwarded-for passes, in front of the address that counts."""
        self.open()
        expected = {"x-forwarded-for": ["203.0.113.9,127.0.0.1"], "x-forwarded-proto": ["http"], "my_field": ["1"]}
        self.assertEqual(self.told(self.ask("/")), expected)
        rewritten = self.ask("/rewritten")
        self.assertEqual(rewritten.told("x-forwarded-host"), ["a.example"])
        self.assertEqual(rewritten.told("x-envoy-external-address"), ["127.0.0.1"])
        self.assertEqual(self.ask("/", "moved.example").status, 301)

    def test_a_proxy_is_trusted(self) -> None:
        """Its word counts, other spellings of it never, and who came by https is not sent to https again."""
        self.open("--trusted-hops=1", "--headers-with-underscores=drop")
        told = self.told(self.ask("/"))
        self.assertEqual(told.pop("x-forwarded-for"), ["203.0.113.9,127.0.0.1"])
        self.assertEqual(told, {name.lower(): [value] for name, value in SAID[1:8]})
        rewritten = self.ask("/rewritten")
        self.assertEqual(rewritten.told("x-forwarded-host"), ["evil.example,a.example"])
        self.assertEqual(rewritten.told("x-envoy-external-address"), ["203.0.113.9"])
        self.assertEqual(self.ask("/", "moved.example").told("x-forwarded-proto"), ["https"])
        self.assertEqual(self.ask("/", "moved.example", [("X-Forwarded-Proto", "http")]).status, 301)
        odd = self.ask("/", headers=[("X-Forwarded-For", "1.2.3.4:567")])
        self.assertEqual(odd.told("x-envoy-external-address"), ["127.0.0.1"])

    def test_underscores_are_refused(self) -> None:
        """Where that is wanted, in headers and in trailers."""
        self.open("--headers-with-underscores=reject")
        self.assertEqual(self.ask("/").status, 400)
        self.assertEqual(self.ask("/", headers=[("my-field", "1")]).status, 200)
        client = self.client()
        client.send(b"POST / HTTP/1.1\r\nHost: a.example\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nmy_field: 1\r\n\r\n")
        self.assertEqual(client.answer().status, 400)

    def test_unfinished_heads(self) -> None:
        """Past what they may hold together the largest are refused; the others are served."""
        self.open("--unfinished-heads=128KiB")
        large = [self.client() for _ in range(3)]
        for client in large:
            client.send(b"GET / HTTP/1.1\r\nHost: a.example\r\nX: " + b"x" * 50_000)
        answered, _, _ = select([client.socket for client in large], [], [], PATIENCE)
        refused = [client for client in large if client.socket in answered]
        self.assertEqual([client.answer().status for client in refused], [431])
        for client in large:
            if client not in refused:
                client.send(b"\r\n\r\n")
                self.assertEqual(client.answer().status, 200)
