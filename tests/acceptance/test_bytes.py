"""Requests as bytes on one connection: pipelined, chunked, cut, with Expect, over routes that do different things."""

from __future__ import annotations

import os

from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import Answer, Client, ServedTestCase

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: actions}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - match: [{uri: {prefix: /redirect}}]
    redirect: {uri: /new}
  - match: [{uri: {prefix: /direct}}]
    directResponse: {status: 200, body: {string: direct}}
  - match: [{uri: {prefix: /abort}}]
    fault: {abort: {httpStatus: 503, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /delay}}]
    fault: {delay: {fixedDelay: 0.2s, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /late-abort}}]
    fault: {delay: {fixedDelay: 0.2s, percentage: {value: 100}}, abort: {httpStatus: 503, percentage: {value: 100}}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /cors}}]
    corsPolicy: {allowOrigins: [{exact: "https://foo.com"}]}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
  - match: [{uri: {prefix: /dead}}]
    retries: {attempts: 0}
    route: [{destination: {host: 127.0.0.1, port: {number: $dead}}}]
  - rewrite: {uri: /base/}
    mirror: {host: 127.0.0.1, port: {number: $two}}
    route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]
"""

HOST = b"Host: a.example\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"
EXPECT = b"Expect: 100-continue\r\n"

OWN = ("/redirect", "/direct", "/abort", "/dead", "/late-abort")
"""What the gateway answers itself."""

STATUSES = {"/redirect": 301, "/direct": 200, "/abort": 503, "/dead": 503, "/late-abort": 503}


def request(line: bytes, *rest: bytes) -> bytes:
    """Return a request to the routes' host."""
    return line + b" HTTP/1.1\r\n" + HOST + b"".join(rest or (b"\r\n",))


class BytesTests(ServedTestCase):
    """One connection at a time."""

    files = {"gateway.yaml": GATEWAY, "routes.yaml": ROUTES}
    opened = {"one": "", "two": ""}
    dead = ("dead",)

    def connected(self, data: bytes) -> Client:
        """Connect and send bytes."""
        client = self.client()
        client.send(data)
        return client

    def test_pipelined(self) -> None:
        """Answers come in the order of their requests, whoever gives them and however long it takes."""
        preflight = b"Origin: https://foo.com\r\nAccess-Control-Request-Method: GET\r\n\r\n"
        client = self.connected(
            b"".join(
                (
                    request(b"GET /delay/1"),
                    request(b"GET /redirect"),
                    request(b"POST /echo/2", b"Content-Length: 3\r\n\r\nabc"),
                    request(b"HEAD /direct"),
                    request(b"GET /direct"),
                    request(b"OPTIONS /cors", preflight),
                    request(b"POST /echo/3", CHUNKED, b"2\r\nde\r\n1\r\nf\r\n0\r\n\r\n"),
                    request(b"GET /dead"),
                    request(b"GET /abort"),
                    request(b"GET /late-abort"),
                    request(b"GET /echo/4", b"X-Do: status=304\r\n\r\n"),
                    request(b"GET /echo/5", b"X-Do: status=204\r\n\r\n"),
                    request(b"HEAD /echo/6"),
                    request(b"GET /echo/7", b"Connection: close\r\n\r\n"),
                    request(b"GET /never"),
                )
            )
        )
        found: list[object] = []
        methods = "GET GET POST HEAD GET OPTIONS POST GET GET GET GET GET HEAD GET"
        for method in methods.split():
            answer: Answer = client.answer(method)
            told = answer.echo["body"] or answer.echo["target"] if answer.body.startswith(b"{") else answer.status
            found.append(told)
        expected = ["/delay/1", 301, "abc", 200, 200, 200, "def", 503, 503, 503, 304, 204, 200, "/base/echo/7"]
        self.assertEqual(found, expected)
        self.assertTrue(client.ended())

    def test_byte_by_byte(self) -> None:
        """A request that comes byte by byte is what it is in one piece, to the backend and to the mirror."""
        data = request(
            b"POST /echo?q=1",
            b"X-Two: a\r\nX-Two: b\r\n",
            b"Trailer: X-Sum\r\n",
            CHUNKED,
            b"5;name=value\r\nhello\r\n7\r\n, world\r\n0\r\nX-Sum: 12\r\n\r\n",
        )
        answers = []
        for pieces in ([data], [data[at : at + 1] for at in range(len(data))]):
            client = self.client()
            client.dribble(pieces)
            answers.append(client.answer().echo)
        for echo in answers:
            self.assertEqual((echo["body"], echo["trailers"]), ("hello, world", [["x-sum", "12"]]))
            self.assertEqual([value for name, value in echo["headers"] if name == "x-two"], ["a", "b"])
        self.assertEqual([copy.body for copy in self.backends.saw("two", 2)], [b"hello, world"] * 2)

    def test_expect_of_own_answers(self) -> None:
        """A client that waits for 100 Continue is not asked for a body that nobody takes, and its connection ends."""
        for path in OWN:
            client = self.connected(request(b"PUT " + path.encode(), EXPECT, b"Content-Length: 5\r\n\r\n"))
            answer = client.answer()
            self.assertEqual((path, answer.status, answer.one("connection")), (path, STATUSES[path], "close"))
            self.assertTrue(client.ended())

    def test_expect_of_backends(self) -> None:
        """It is asked for the body once, when the backend is there."""
        for path in (b"/echo", b"/delay", b"/cors"):
            client = self.connected(request(b"PUT " + path, EXPECT, b"Content-Length: 5\r\n\r\n"))
            self.assertEqual((path, client.answer().status), (path, 100))
            client.send(b"hello")
            answer = client.answer()
            self.assertEqual((answer.echo["body"], answer.told("expect")), ("hello", []))
            self.assertEqual(client.ask("GET", "/direct", "a.example").body, b"direct")

    def test_answers_before_the_body(self) -> None:
        """Who uploads a megabyte to what the gateway answers itself reads the answer, by length and in chunks."""
        body = os.urandom(1_000_000)
        for path in OWN:
            for framed in (
                b"Content-Length: 1000000\r\n\r\n" + body,
                CHUNKED + b"f4240\r\n" + body + b"\r\n0\r\n\r\n",
            ):
                client = self.connected(request(b"POST " + path.encode(), framed))
                answer = client.answer()
                self.assertEqual((path, answer.status), (path, STATUSES[path]))

    def test_answer_while_the_upload_is_coming(self) -> None:
        """A redirect does not wait for the end of the upload."""
        client = self.connected(request(b"POST /redirect", b"Content-Length: 1000000\r\n\r\n", b"x" * 1000))
        self.assertEqual(client.answer().one("location"), "http://a.example/new")
        client.send(b"x" * 100_000)
        self.assertTrue(client.ended())

    def test_early_answer_of_a_backend(self) -> None:
        """A backend that answers before it has read the body is heard."""
        client = self.connected(request(b"POST /echo", b"X-Do: early\r\nContent-Length: 1000000\r\n\r\n", b"x" * 1000))
        self.assertEqual(client.answer().where, "one")

    def test_delayed_upload(self) -> None:
        """What is uploaded during a delay arrives whole and in order, small and large, by length and in chunks."""
        for size in (10, 64 * 1024, 300_000):
            body = os.urandom(size)
            chunks = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in _pieces(body, 9_000)) + b"0\r\n\r\n"
            for framed in (b"Content-Length: %d\r\n\r\n%b" % (size, body), CHUNKED + chunks):
                client = self.connected(request(b"POST /delay", framed))
                self.assertEqual(client.answer().echo["body"].encode("latin-1"), body)
                self.assertEqual(client.ask("GET", "/direct", "a.example").status, 200)

    def test_client_leaves_in_a_delay(self) -> None:
        """A client that goes away during a delay is not sent on to a backend."""
        client = self.connected(request(b"GET /delay/gone?log"))
        client.close()
        self.assertEqual(self.logged("/delay/gone?log")["response_flags"], "DI,DC")
        self.assertEqual(self.ask("/delay/later").where, "one")  # as long as the delay of the first was
        self.assertEqual([seen.target for seen in self.backends.seen["one"]], ["/delay/later"])

    def test_http_1_0(self) -> None:
        """Old clients get what they can read, and the end of the connection."""
        for path, status in (("/redirect", 301), ("/direct", 200), ("/abort", 503), ("/echo", 200)):
            client = self.connected(b"GET %b HTTP/1.0\r\nHost: a.example\r\n\r\n" % path.encode())
            answer = client.answer(protocol="HTTP/1.0")
            self.assertEqual((path, answer.status, answer.values("transfer-encoding")), (path, status, []))
            self.assertTrue(client.ended())

    def test_odd_targets(self) -> None:
        """What a redirect or a rewrite makes of odd targets stays one line and one URL."""
        for target in (b"/redirect/%0d%0aX-Evil:1", b"/direct/%00", b"/echo/%0d%0a", b"/echo//a//b", b"/echo/?a=b?c=d"):
            client = self.connected(request(b"GET " + target))
            answer = client.answer()
            self.assertEqual(answer.values("x-evil"), [])
            if answer.body.startswith(b"{"):
                self.assertEqual(answer.echo["target"].encode(), b"/base" + target)
        client = self.connected(request(b"GET /redirect\x80"))
        self.assertIn(client.answer().status, (301, 400))


def _pieces(data: bytes, size: int) -> list[bytes]:
    return [data[at : at + size] for at in range(0, len(data), size)]
