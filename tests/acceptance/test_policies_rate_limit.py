"""Limits on how often, through the real gateway, counted by itself."""

from __future__ import annotations

import subprocess
from typing import Any, cast

import grpc

from tests.acceptance.manifests import EVERY_HOST, GATEWAY
from tests.acceptance.processes import PATIENCE, program
from tests.acceptance.served import Answer, ServedTestCase

ROUTES = """\
  - name: login
    match: [{uri: {prefix: /login}}]
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - name: all
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

LIMITS = """\
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: clients}
spec:
  targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]
  rateLimitHeaders: true
  limits:
  - name: per-client
    requests: 3
    period: 1h
    by: [{clientAddress: {}}]
    match: {paths: [/limited/*]}
  response: {body: '{"error": "slow down"}', contentType: application/json, grpcResourceExhausted: true}
---
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: logins}
spec:
  targetRefs: [{group: networking.istio.io, kind: VirtualService, name: all, sectionName: login}]
  limits:
  - {requests: 1, period: 1h, by: [{header: x-user}], match: {methods: [POST]}}
---
apiVersion: edgegate.io/v1alpha1
kind: RateLimitPolicy
metadata: {name: watched}
spec:
  targetRefs: [{group: networking.istio.io, kind: Gateway, name: gw}]
  shadow: true
  limits:
  - {name: tenants, requests: 1, period: 1h, by: [{path: "/t/{*}/{**}", absent: Skip}]}
"""


class RateLimitTests(ServedTestCase):
    """Limits, where a proxy in front says who the client is."""

    opened = {"one": ""}
    files = {"gateway.yaml": GATEWAY + EVERY_HOST + ROUTES, "limits.yaml": LIMITS}
    options = ("--trusted-hops=1",)

    def asked(self, target: str, address: str, *headers: tuple[str, str], method: str = "GET") -> Answer:
        """Return the answer to a client with an address."""
        return self.client().ask(method, target, "shop.example", [("X-Forwarded-For", address), *headers])

    def test_clients(self) -> None:
        """A client has three requests in an hour, one of IPv6 with all of its network; others have their own."""
        for mine, others in (("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8:0:1::1")):
            answers = [self.asked("/limited/a", mine) for _ in range(4)]
            self.assertEqual([answer.where for answer in answers], ["one"] * 3 + ["429"])
            self.assertEqual(self.asked("/limited/a", others).where, "one")
            self.assertEqual(self.asked("/other", mine).where, "one")
        self.assertEqual(self.asked("/limited/a", "2001:db8::ffff").where, "429")

    def test_answer(self) -> None:
        """The answer is the policy's, and says when to come back; one that passes says what is left."""
        answers = [self.asked("/limited/b", "192.0.2.10") for _ in range(4)]
        left = [answer.one("ratelimit").partition(";t=")[0] for answer in answers]
        self.assertEqual(left, [f'"per-client";r={count}' for count in (2, 1, 0, 0)])
        self.assertEqual({answer.one("ratelimit-policy") for answer in answers}, {'"per-client";q=3;w=3600'})
        refused = answers[3]
        self.assertEqual((refused.one("content-type"), refused.body), ("application/json", b'{"error": "slow down"}'))
        self.assertTrue(1190 <= int(refused.one("retry-after")) <= 1200, refused.headers)

    def test_grpc(self) -> None:
        """A client of gRPC gets the status of gRPC that the policy says."""
        grpc = (("Content-Type", "application/grpc"), ("TE", "trailers"))
        for _ in range(3):
            self.asked("/limited/a.B/C", "192.0.2.20", *grpc, method="POST")
        answer = self.asked("/limited/a.B/C", "192.0.2.20", *grpc, method="POST")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "8"))

    def test_clients_of_http2(self) -> None:
        """grpcio sees the status of gRPC, and curl that of HTTP/2 with its fields."""
        port = self.served.ports["http"]
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            method = channel.unary_unary("/limited/Echo")
            codes = []
            for _ in range(4):
                error = self.assertRaises(grpc.RpcError, method, b"", metadata=[("x-forwarded-for", "192.0.2.50")])
                codes.append(cast(Any, error).code())
        self.assertEqual(codes.index(grpc.StatusCode.RESOURCE_EXHAUSTED), 3)
        asked = ["-sS", "-i", "--http2-prior-knowledge", "-H", "X-Forwarded-For: 192.0.2.50"]
        ran = subprocess.run(
            [program("curl"), *asked, f"http://127.0.0.1:{port}/limited/a"],
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=True,
        )
        self.assertTrue(ran.stdout.startswith("HTTP/2 429"), ran.stdout)
        self.assertIn('ratelimit: "per-client";r=0;t=', ran.stdout)

    def test_route(self) -> None:
        """A limit of one route counts what goes there, by a header."""
        user = ("X-User", "ann")
        codes = [self.asked("/login", "192.0.2.30", user, method="POST").where for _ in range(2)]
        self.assertEqual(codes, ["one", "429"])
        self.assertEqual(self.asked("/login", "192.0.2.30", user).where, "one")
        self.assertEqual(self.asked("/login", "192.0.2.30", ("X-User", "bob"), method="POST").where, "one")
        self.assertEqual(self.asked("/else", "192.0.2.30", user, method="POST").where, "one")

    def test_shadow(self) -> None:
        """What is in shadow passes."""
        self.assertEqual([self.asked("/t/acme/x", "192.0.2.40").where for _ in range(5)], ["one"] * 5)

    def test_explained(self) -> None:
        """C{edgegate explain} names limits and keys; how full they are only a gateway knows that runs."""
        command = [program("edgegate"), "explain", "--config=etc", "--trusted-hops=1"]
        asked = ["-H", "X-Forwarded-For: 2001:db8::1", f"http://shop.example:{self.served.ports['http']}/limited/a"]
        ran = subprocess.run(
            [*command, *asked], cwd=self.served.folder, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        self.assertIn("RateLimitPolicy default/clients", ran.stdout)
        self.assertIn("per-client counts 2001:db8::/64", ran.stdout)
