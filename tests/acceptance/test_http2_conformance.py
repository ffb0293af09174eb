"""The cases of L{tests.acceptance.conformance}, said to a real gateway: over TLS by ALPN, and in the clear."""

from __future__ import annotations

import os
import signal

from edgegate.demo.certificates import fill
from edgegate.http.h2.frames import ACK, END_HEADERS
from tests.acceptance.conformance.exchange import Client, Server, case, closed, ended, failures, left, ponged
from tests.acceptance.conformance.newer_requests import MALFORMED
from tests.acceptance.conformance.suite import suites
from tests.acceptance.echo import EchoBackends
from tests.acceptance.manifests import filled
from tests.acceptance.processes import AcceptanceTestCase, Running, free_ports
from tests.http.h2.messages import EVERY, block, data, headers, ping, request

FILES = """\
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: gw}
spec:
  servers:
  - {port: {number: $http, name: http, protocol: HTTP}, hosts: ["*"], bind: 127.0.0.1}
  - port: {number: $https, name: https, protocol: HTTPS}
    hosts: [a.example]
    bind: 127.0.0.1
    tls: {mode: SIMPLE, serverCertificate: certs/a.example.crt, privateKey: certs/a.example.key}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: ["*"]
  gateways: [gw]
  http: [{route: [{destination: {host: 127.0.0.1, port: {number: $echo}}}]}]
"""


class ConformanceTests(AcceptanceTestCase):
    """One gateway in front of a backend that tells what it received."""

    def setUp(self) -> None:
        """Start both."""
        super().setUp()
        self.backends = EchoBackends()
        self.addCleanup(self.backends.stop)
        self.ports = dict(zip(("http", "https"), free_ports(2), strict=True))
        self.ports["echo"] = self.backends.open("echo")
        etc = self.folder / "etc"
        etc.mkdir()
        fill(etc / "certs", ["a.example"])
        (etc / "a.yaml").write_text(filled(FILES, **self.ports))
        options = "--config=etc", "--access-log=none", "--admin=none", "--no-watch"
        self.gateway: Running = self.start("twistd", "-n", "--pidfile=", "edgegate", *options)
        self.gateway.says("serving HTTP")

    def passes(self, **counts: int) -> None:
        """Go through parts of the suite, each of so many cases, on both ports."""
        for scheme in ("http", "https"):
            server = Server(self.ports[scheme], scheme == "https")
            for name, cases in suites(scheme).items():
                if name in counts:
                    self.assertEqual(len(cases), counts[name])
                    found = failures(cases, server)
                    self.assertEqual(found, [], f"{scheme}, {name}:\n" + "\n".join(found))
        self.unharmed()

    def unharmed(self) -> None:
        """The gateway runs, and has had no error of its own."""
        self.assertIsNone(self.gateway.process.poll())
        self.assertNotIn("Traceback", self.gateway.output)

    def test_public_suite(self) -> None:
        """The 146 cases of h2spec, and the one that it has for strict judges: each error is said, by its code."""
        self.passes(generic=44, http2=95, hpack=8)

    def test_newer_rules(self) -> None:
        """What is younger than that suite, or finer: whatever is refused is seen by no backend, and harms no other."""
        self.passes(newer=71, requests=138)
        seen = self.backends.saw("echo")
        self.assertNotIn(MALFORMED, {each.target for each in seen})
        self.assertTrue({"/", "*"} & {each.target for each in seen})
        cookies = {tuple(each.values("cookie")) for each in seen if each.values("cookie")}
        self.assertEqual(cookies, {("a=b; c=d",)})

    def test_ping_while_draining(self) -> None:
        """A gateway that drains answers PINGs, and what is under way, before it says which stream was the last."""
        begun = headers(1, block([*request("http", "POST"), ("x-do", "empty")]), END_HEADERS)

        def end(its: dict[int, int]) -> bytes:
            os.kill(self.gateway.process.pid, signal.SIGTERM)
            return b""

        drains = case(
            "6.8",
            "a drain",
            begun + ping(),
            ponged(),
            end,
            left(EVERY),
            ping(b"meantime"),
            ponged(b"meantime"),
            ping(b"draining", ACK),
            left(1),
            ping(b"and then"),
            ponged(b"and then"),
            headers(3, block(request("http"))) + data(1, b"x"),
            ended(1),
            closed(),
        )
        Client(Server(self.ports["http"], False)).run(drains)
        self.assertEqual([each.method for each in self.backends.saw("echo")], ["POST"])
