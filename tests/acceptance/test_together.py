"""What several things that one route says come to together, through the real gateway."""

from __future__ import annotations

import os

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import ServedTestCase

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: shaky}
spec:
  hosts: [shaky.example]
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
  - {address: 127.0.0.1, ports: {http: $one}}
  - {address: 127.0.0.1, ports: {http: $reset}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: together}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /identity}}]
    headers:
      request:
        set: {x-request-id: fixed, x-forwarded-proto: wss}
        add: {x-id: "%REQ(x-request-id)%"}
        remove: [x-forwarded-for, user-agent]
      response: {remove: [x-envoy-upstream-service-time, date, x-backend]}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /all}}]
    rewrite: {uri: /new, authority: new.example}
    timeout: 2s
    retries: {attempts: 2, retryOn: gateway-error, backoff: 1ms}
    mirror: {host: 127.0.0.1, port: {number: $two}}
    fault: {delay: {fixedDelay: 0.1s, percentage: {value: 100}}}
    corsPolicy: {allowOrigins: [{exact: "https://a.example"}]}
    headers:
      request: {set: {x-where: "%REQ(:path)% %REQ(:authority)%"}}
      response: {add: {x-tried: "%RESPONSE_CODE%"}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /shaky}}]
    retries: {attempts: 2, retryOn: "reset,connect-failure", backoff: 1ms}
    route: [{destination: {host: shaky.example}}]
  - match: [{uri: {prefix: /dead}}]
    retries: {attempts: 0}
    corsPolicy: {allowOrigins: [{exact: "https://a.example"}]}
    route: [{destination: {host: 127.0.0.1, port: {number: $dead}}}]
  - match: [{uri: {prefix: /split}}]
    route:
    - destination: {host: 127.0.0.1, port: {number: $one}}
      weight: 50
      headers: {request: {set: {x-for: one}}}
    - destination: {host: 127.0.0.1, port: {number: $two}}
      weight: 50
      headers: {request: {set: {x-for: two}, remove: [x-mine]}}
    headers: {request: {add: {x-route: "1"}}}
"""

MIB = 1024 * 1024


class TogetherTests(ServedTestCase):
    """One route, many words."""

    files = {"gateway.yaml": GATEWAY, "routes.yaml": ROUTES}
    opened = {"one": "", "two": "", "reset": "early;reset"}
    dead = ("dead",)

    def test_identity(self) -> None:
        """What tells a backend who asks can be changed too."""
        for _ in range(2):
            answer = self.ask("/identity", headers={"User-Agent": "x"})
            self.assertEqual((answer.told("x-request-id"), answer.told("x-forwarded-proto")), (["fixed"], ["wss"]))
            self.assertEqual((answer.told("x-forwarded-for"), answer.told("user-agent")), ([], []))
            self.assertEqual(len(answer.told("x-id")), 1)
            self.assertEqual((answer.one("x-envoy-upstream-service-time"), answer.one("x-backend")), ("-", "-"))

    def test_all(self) -> None:
        """Held back, copied, rewritten, tried three times and read by another page."""
        body = os.urandom(10_000)
        told = {"x-do": "fail=2", "x-key": "k", "Origin": "https://a.example"}
        answer = self.ask("/all/x?y", method="POST", headers=told, body=body)
        self.assertEqual((answer.status, answer.echo["target"]), (200, "/new/x?y"))
        self.assertGreaterEqual(answer.seconds, 0.1)
        self.assertEqual(answer.told("x-where"), ["/all/x?y a.example"])
        self.assertEqual((answer.told("host"), answer.told("x-envoy-attempt-count")), (["new.example"], ["3"]))
        self.assertEqual(answer.values("x-tried"), ["200"])
        self.assertEqual(answer.one("access-control-allow-origin"), "https://a.example")
        self.assertEqual([seen.body for seen in self.backends.seen["one"]], [body] * 3)
        copies = self.backends.saw("two")
        self.assertEqual([(copy.target, copy.body) for copy in copies], [("/new/x?y", body)])
        self.assertEqual(copies[0].values("host"), ["new.example"])

    def test_read_by_a_page(self) -> None:
        """A page that may read answers may read that the backend is down."""
        answer = self.ask("/dead", headers={"Origin": "https://a.example"})
        self.assertEqual((answer.status, answer.one("access-control-allow-origin")), (503, "https://a.example"))

    def test_reset_within_the_upload(self) -> None:
        """An upload that is still coming goes on to the next backend, whole."""
        for number in range(6):
            client = self.client()
            client.send(b"POST /shaky?%d HTTP/1.1\r\nHost: a.example\r\nContent-Length: 30\r\n\r\n" % number)
            client.dribble((b"a" * 10, b"b" * 10, b"c" * 10))
            answer = client.answer()
            self.assertEqual((answer.status, answer.echo["body"]), (200, "a" * 10 + "b" * 10 + "c" * 10))
        self.assertGreater(self.backends.connections["reset"], 0)

    def test_large_uploads_to_a_shaky_backend(self) -> None:
        """A megabyte arrives whole or is answered 503: never in part, never twice."""
        body = os.urandom(MIB)
        statuses = [self.ask(f"/shaky/large?{number}", method="PUT", body=body).status for number in range(8)]
        self.assertLessEqual(set(statuses), {200, 503})
        self.assertIn(200, statuses)
        self.assertEqual([seen.body for seen in self.backends.seen["one"]], [body] * statuses.count(200))

    def test_split(self) -> None:
        """Requests alike go to two destinations, each with its own changes and its route's."""
        client = self.client()
        for _ in range(40):
            answer = client.ask("GET", "/split", "a.example", [("X-Mine", "1")])
            mine = ["1"] if answer.where == "one" else []
            self.assertEqual((answer.told("x-for"), answer.told("x-mine")), ([answer.where], mine))
            self.assertEqual(answer.told("x-route"), ["1"])
        self.assertTrue(all(self.backends.seen[name] for name in ("one", "two")))
