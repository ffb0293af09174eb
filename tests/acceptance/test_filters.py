"""Other origins, failures on purpose, copies and shares of requests, through the real gateway."""

from __future__ import annotations

import os
import time
from collections import Counter

from tests.acceptance.echo import Seen
from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import Answer, ServedTestCase

CORS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: cors}
spec:
  hosts: [cors.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /cors-1}}]
    corsPolicy:
      allowOrigins: [{exact: "https://www.foo.com"}, {regex: "https://([a-z]+\\\\.)+bar\\\\.com"}, {prefix: "http://localhost:"}]
      allowMethods: [GET, OPTIONS]
      allowHeaders: [x-header-1, x-header-2]
      exposeHeaders: [x-header-3, x-header-4]
      allowCredentials: true
      maxAge: 1h
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /ignored}}]
    corsPolicy: {allowOrigins: [{exact: "https://www.foo.com"}], allowMethods: [GET], unmatchedPreflights: IGNORE}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /direct}}]
    corsPolicy: {allowOrigins: [{exact: "https://www.foo.com"}]}
    directResponse: {status: 200, body: {string: direct}}
  - corsPolicy: {allowOrigins: [{exact: "*"}], allowMethods: [PUT], allowCredentials: true}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

FAULTS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: faults}
spec:
  hosts: [faults.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /abort}}]
    fault: {abort: {httpStatus: 418, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /grpc}}]
    fault: {abort: {grpcStatus: RESOURCE_EXHAUSTED, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /half}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 30}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /never}}]
    fault: {abort: {httpStatus: 555, percentage: {value: 0}}, delay: {fixedDelay: 5s, percentage: {value: 0}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /unsaid}}]
    fault: {abort: {httpStatus: 555}, delay: {fixedDelay: 5s}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /delay}}]
    fault: {delay: {fixedDelay: 0.3s, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /slow-abort}}]
    fault: {delay: {fixedDelay: 0.2s, percent: 100}, abort: {httpStatus: 429, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

MIRRORS = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: mirrors}
spec:
  hosts: [mirrors.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /one-mirror}}]
    rewrite: {uri: /new}
    mirror: {host: 127.0.0.1, port: {number: $two}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /two-mirrors}}]
    mirrors:
    - destination: {host: 127.0.0.1, port: {number: $two}}
    - destination: {host: 127.0.0.1, port: {number: $three}}
      percentage: {value: 100}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /some}}]
    mirror: {host: 127.0.0.1, port: {number: $two}}
    mirrorPercentage: {value: 20}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /bad-mirrors}}]
    mirrors:
    - destination: {host: 127.0.0.1, port: {number: $hung}}
    - destination: {host: 127.0.0.1, port: {number: $reset}}
    - destination: {host: 127.0.0.1, port: {number: $dead}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /weights}}]
    route:
    - destination: {host: 127.0.0.1, port: {number: $one}}
      weight: 70
      headers: {response: {set: {x-picked: one}}}
    - destination: {host: 127.0.0.1, port: {number: $two}}
      weight: 30
    - destination: {host: 127.0.0.1, port: {number: $three}}
      weight: 0
"""


class CORSTests(ServedTestCase):
    """Pages of other origins."""

    files = {"gateway.yaml": GATEWAY, "cors.yaml": CORS}
    opened = {"one": ""}

    def preflight(self, path: str, origin: str, method: str = "GET") -> Answer:
        """Ask what a page may ask."""
        headers = {"Origin": origin, "Access-Control-Request-Method": method}
        return self.ask(path, "cors.example", "OPTIONS", headers)

    def test_preflight(self) -> None:
        """An allowed origin is told what it may; the backend is not asked."""
        for origin in (
            "https://www.foo.com",
            "https://www.bar.com",
            "https://xpto.www.bar.com",
            "http://localhost:3000",
        ):
            answer = self.preflight("/cors-1", origin)
            self.assertEqual((answer.status, answer.body), (200, b""))
            self.assertEqual(answer.one("access-control-allow-origin"), origin)
            self.assertEqual(answer.one("access-control-allow-methods"), "GET,OPTIONS")
            self.assertEqual(answer.one("access-control-allow-headers"), "x-header-1,x-header-2")
            self.assertEqual(answer.one("access-control-max-age"), "3600")
            self.assertEqual(answer.one("access-control-expose-headers"), "x-header-3,x-header-4")
            self.assertEqual(answer.one("access-control-allow-credentials"), "true")
        self.assertEqual(self.backends.seen["one"], [])

    def test_unmatched_preflight(self) -> None:
        """That of another origin is for the backend, or where the route says so answered with nothing."""
        for origin in (
            "https://foobar.com",
            "https://www.foo.com.evil",
            "https://xbar.com",
            "null",
            "HTTPS://www.foo.com",
        ):
            answer = self.preflight("/cors-1", origin)
            self.assertEqual((origin, answer.where), (origin, "one"))
            self.assertEqual(answer.one("access-control-allow-origin"), "-")
        answer = self.preflight("/ignored", "https://foobar.com")
        self.assertEqual((answer.where, answer.one("access-control-allow-origin")), ("200", "-"))

    def test_no_preflight(self) -> None:
        """OPTIONS without the browser's fields is a request as any other."""
        for headers in ({}, {"Origin": "https://www.foo.com"}, {"Access-Control-Request-Method": "GET"}):
            self.assertEqual(self.ask("/cors-1", "cors.example", "OPTIONS", headers).where, "one")

    def test_answers(self) -> None:
        """An allowed origin may read the answer, whatever the backend says of it; another one is told nothing."""
        told = "header=access-control-allow-origin:https://evil.example"
        for path in ("/cors-1", "/direct"):
            answer = self.ask(path, "cors.example", headers={"Origin": "https://www.foo.com", "x-do": told})
            self.assertEqual((path, answer.values("access-control-allow-origin")), (path, ["https://www.foo.com"]))
            answer = self.ask(path, "cors.example", headers={"Origin": "https://foobar.com"})
            self.assertEqual((path, answer.status, answer.one("access-control-allow-origin")), (path, 200, "-"))
        answer = self.ask("/cors-1", "cors.example", headers={"Origin": "https://www.foo.com"})
        self.assertEqual(answer.one("access-control-expose-headers"), "x-header-3,x-header-4")
        self.assertEqual(answer.one("access-control-allow-methods"), "-")

    def test_everybody(self) -> None:
        """Where all origins are allowed each is told its own name, and may bring credentials if the route says so."""
        for origin in ("https://foobar.com:12345", "null"):
            for answer in (
                self.preflight("/", origin, "PUT"),
                self.ask("/", "cors.example", "PUT", {"Origin": origin}),
            ):
                self.assertEqual(answer.one("access-control-allow-origin"), origin)
                self.assertEqual(answer.one("access-control-allow-credentials"), "true")


class FaultTests(ServedTestCase):
    """Failures on purpose."""

    files = {"gateway.yaml": GATEWAY, "faults.yaml": FAULTS}
    opened = {"one": ""}

    def test_abort(self) -> None:
        """The files' status, which the log tells from the backend's."""
        client = self.client()
        for _ in range(2):
            answer = client.ask("GET", "/abort?log", "faults.example")
            self.assertEqual((answer.status, answer.body), (418, b"fault filter abort (FI)\n"))
        self.assertEqual(answer.one("connection"), "-")
        answer = client.ask("POST", "/abort", "faults.example", body=b"x" * 1000)
        self.assertEqual((answer.status, answer.one("connection")), (418, "close"))
        self.assertTrue(client.ended())
        line = self.logged("/abort?log")
        self.assertEqual((line["response_flags"], line["response_code_details"]), ("FI", "fault_filter_abort"))
        self.assertEqual(self.backends.seen["one"], [])

    def test_grpc_abort(self) -> None:
        """A status of gRPC reaches a gRPC client as one, and others as what it stands for."""
        answer = self.ask("/grpc", "faults.example", "POST", {"content-type": "application/grpc"}, b"")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "8"))
        answer = self.ask("/abort", "faults.example", "POST", {"content-type": "application/grpc"}, b"")
        self.assertEqual((answer.status, answer.one("grpc-status")), (200, "2"))

    def test_shares(self) -> None:
        """30 percent are 30 percent: within five standard deviations of 600 requests; 0 percent are none."""
        client = self.client()
        for path, low, high in (("/half", 124, 236), ("/never", 0, 0), ("/unsaid", 0, 0)):
            answers = Counter(client.ask("GET", path, "faults.example").status for _ in range(600))
            self.assertTrue(low <= answers[555] <= high, answers)
            self.assertEqual(answers[200] + answers[555], 600)

    def test_delay(self) -> None:
        """A delay lasts at least as long as the files say, and what was uploaded meanwhile arrives whole."""
        body = os.urandom(200_000)
        answer = self.ask("/delay?log", "faults.example", "POST", body=body)
        self.assertGreaterEqual(answer.seconds, 0.3)
        self.assertEqual(answer.echo["body"].encode("latin-1"), body)
        self.assertEqual(self.logged("/delay?log")["response_flags"], "DI")
        answer = self.ask("/slow-abort?log", "faults.example")
        self.assertGreaterEqual(answer.seconds, 0.2)
        self.assertEqual(answer.status, 429)
        self.assertEqual(self.logged("/slow-abort?log")["response_flags"], "DI,FI")


class MirrorTests(ServedTestCase):
    """Copies, and shares."""

    files = {"gateway.yaml": GATEWAY, "mirrors.yaml": MIRRORS}
    opened = {"one": "", "two": "", "three": "", "hung": "hang", "reset": "reset"}
    dead = ("dead",)

    def test_copies(self) -> None:
        """A copy is the request as it went to the backend, one hop further on."""
        body = os.urandom(60_000)  # below what is held for a mirror that does not keep up: no copy is given up
        own = ("x-forwarded-for", "x-envoy-internal")

        def rest(seen: Seen) -> list[tuple[str, str]]:
            return sorted((name, value) for name, value in seen.headers if name not in own)

        answer = self.ask("/one-mirror/x?y=z", "mirrors.example:80", "POST", {"x-mine": "1"}, body)
        self.assertEqual(answer.where, "one")
        main, copy = self.backends.seen["one"][0], self.backends.saw("two")[0]
        self.assertEqual((copy.method, copy.target), ("POST", "/new/x?y=z"))
        self.assertEqual(copy.values("host"), ["mirrors.example:80"])
        self.assertEqual(copy.values("x-forwarded-for"), [f"{main.values('x-forwarded-for')[0]},127.0.0.1"])
        self.assertEqual(copy.values("x-envoy-internal"), ["true"])
        self.assertEqual(rest(copy), rest(main))
        self.assertEqual((main.body, copy.body), (body, body))

    def test_chunked_copies(self) -> None:
        """Two mirrors have the chunks and the trailer fields."""
        client = self.client()
        client.send(b"POST /two-mirrors HTTP/1.1\r\nHost: mirrors.example\r\nTransfer-Encoding: chunked\r\n\r\n")
        client.dribble((b"5\r\nhel", b"lo\r\n", b"6\r\n world\r\n0\r\nX-Sum: 1\r\n", b"\r\n"))
        self.assertEqual(client.answer().echo["body"], "hello world")
        for name in ("two", "three"):
            copy = self.backends.saw(name)[0]
            self.assertEqual((copy.body, copy.trailers), (b"hello world", [("x-sum", "1")]))

    def test_share_of_copies(self) -> None:
        """20 percent are copied: within five standard deviations of 300."""
        client = self.client()
        for _ in range(300):
            client.ask("GET", "/some", "mirrors.example")
        self.assertTrue(25 <= len(self.backends.saw("two", 25)) <= 95, len(self.backends.seen["two"]))

    def test_bad_mirrors(self) -> None:
        """Mirrors that hang, reset or are not there do not slow the request down, large or small."""
        client = self.client()
        began = time.monotonic()
        for _ in range(20):
            self.assertEqual(client.ask("GET", "/bad-mirrors", "mirrors.example").where, "one")
            answer = client.ask("POST", "/bad-mirrors", "mirrors.example", body=b"x" * 300_000)
            self.assertEqual(len(answer.echo["body"]), 300_000)
        self.assertLess(time.monotonic() - began, 8)

    def test_weights(self) -> None:
        """70 to 30 to nothing, within five standard deviations, each with the changes of its destination."""
        client = self.client()
        answers = [client.ask("GET", "/weights", "mirrors.example") for _ in range(500)]
        found = Counter(answer.where for answer in answers)
        self.assertTrue(299 <= found["one"] <= 401, found)
        self.assertEqual(found["one"] + found["two"], 500)
        self.assertEqual(found["one"], sum(answer.one("x-picked") == "one" for answer in answers))
