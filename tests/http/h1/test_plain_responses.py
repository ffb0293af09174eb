"""
Heads of responses that are taken apart without llhttp, compared with what llhttp makes of them: never more is taken,
nor taken for anything else.
"""

from __future__ import annotations

import random

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.plain_responses import PlainResponses
from edgegate.http.h1.response_reader import ResponseReader
from edgegate.http.limits import Limits
from edgegate.http.response import ResponseHead, ResponseRefused
from tests.http.h1.heads import any_three, cut, spoiled

NGINX = (
    b"HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sun, 29 Nov 2026 15:00:00 GMT\r\nContent-Type: image/png\r\n"
    b'Content-Length: 3000\r\nConnection: keep-alive\r\nETag: "674-bb8"\r\nAccept-Ranges: bytes\r\n\r\n'
)
EXPRESS = (
    b"HTTP/1.1 404 Not Found\r\nX-Powered-By: Express\r\ncontent-length: 9\r\nset-cookie: a=b\r\nSet-Cookie: c=d\r\n"
    b"Keep-Alive: timeout=5\r\nConnection: close\r\n\r\n"
)
PLAIN = (NGINX, EXPRESS)

STATUSES = (
    b"HTTP/1.1 200 OK",
    b"HTTP/1.1 200 ",
    b"HTTP/1.1 200",
    b"HTTP/1.1 201 Created",
    b"HTTP/1.1 500 Internal Server Error",
    b"HTTP/1.1 599 a\tb",
    b"HTTP/1.1 200 caf\xe9",
    b"HTTP/1.1 600 x",
    b"HTTP/1.1 100 Continue",
    b"HTTP/1.1 101 Switching Protocols",
    b"HTTP/1.1 103 Early Hints",
    b"HTTP/1.1 204 No Content",
    b"HTTP/1.1 304 Not Modified",
    b"HTTP/1.0 200 OK",
    b"HTTP/2.0 200 OK",
    b"HTTP/1.1  200 OK",
    b"HTTP/1.1 2000 OK",
    b"HTTP/1.1 20 OK",
    b"HTTP/1.1 +20 OK",
    b"http/1.1 200 OK",
    b"RTSP/1.1 200 OK",
    b"\r\nHTTP/1.1 200 OK",
    b"",
)
LINES = (
    b"Content-Length: 5",
    b"content-length: 0",
    b"Content-Length: 5 ",
    b"Content-Length: 5, 5",
    b"Content-Length: -1",
    b"Content-Length: " + b"9" * 18,
    b"Content-Length: " + b"9" * 19,
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"Connection: close",
    b"Connection: keep-alive",
    b"Connection: Close",
    b"Connection: date",
    b"Connection: upgrade",
    b"Proxy-Connection: close",
    b"Keep-Alive: timeout=5",
    b"close: 1",
    b"Upgrade: h2c",
    b"Date: today",
    b"Server: x",
    b"grpc-status: 0",
    b"X-Envoy-Upstream-Service-Time: 5",
    b"Set-Cookie: a=b",
    b"x-a:",
    b"x-a: ",
    b"x-a:  b",
    b"x-a: b\t",
    b"x-a: caf\xe9",
    b"x-a: b\x00",
    b"x-a: b\rx-b: c",
    b"x-a: b\nx-b: c",
    b" x-a: b",
    b"x a: b",
    b"x-a",
    b": b",
    b"X_A: b",
    b"",
)


def said(head: ResponseHead) -> dict[str, object]:
    """Return all that a head says."""
    # compiled, a class has no __slots__
    own = [name for name, kind in vars(type(head)).items() if name[0] != "_" and not callable(kind)]
    return {name: getattr(head, name) for name in own if name != "lines"}


def judged(raw: bytes) -> dict[str, object] | None:
    """Return what llhttp reads in a head; L{None}: it is refused."""
    try:
        return said(ResponseReader(Limits()).judged(raw))
    except ResponseRefused:
        return None


class PlainResponsesTests(SynchronousTestCase):
    """One memory of lines for all heads."""

    def setUp(self) -> None:
        """Make it."""
        self.plain = PlainResponses()

    def compare(self, raw: bytes) -> bool:
        """Compare what is made of a head; return whether it is plain."""
        head = self.plain.read(raw, Limits().response_fields)
        if head is not None:
            self.assertEqual(said(head), judged(raw), raw)
            self.assertEqual(head.lines, [b"%b: %b\r\n" % field for field in head.fields])
        return head is not None

    def test_taken(self) -> None:
        """Heads of common servers need no llhttp, once or often."""
        for _ in range(4):
            for raw in PLAIN:
                self.assertTrue(self.compare(raw))

    def test_cut(self) -> None:
        """A head that is cut off at any byte, and whose end then comes, is not taken for more than it is."""
        for raw in PLAIN:
            for each in cut(raw):
                self.compare(each)

    def test_spoiled(self) -> None:
        """Nor is one with any of the bytes that mean something, or nothing, at any place."""
        taken = sum(self.compare(each) for raw in PLAIN for each in (raw, raw, *spoiled(raw)))
        self.assertGreater(taken, 2000)

    def test_made_up(self) -> None:
        """Nor are heads of lines that mean something, in any order."""
        rnd = random.Random(22)
        taken = 0
        for _ in range(6000):
            lines = [rnd.choice(STATUSES), LINES[0]][: rnd.choice((1, 2, 2, 2))] + rnd.choices(
                LINES, k=rnd.randint(0, 4)
            )
            taken += self.compare(b"\r\n".join([*lines, b"", b""]))
        self.assertGreater(taken, 150)

    @any_three
    def test_any_bytes(self, reason: bytes, name: bytes, value: bytes) -> None:
        """Whatever bytes stand in the reason, in a name or in a value."""
        self.compare(b"HTTP/1.1 200 %b\r\ncontent-length: 5\r\n%b: %b\r\n\r\n" % (reason, name, value))

    def test_every_byte(self) -> None:
        """Each byte, wherever one may stand."""
        for byte in range(256):
            each = bytes((byte,))
            for raw in (
                b"HTTP/1.1%b200 OK\r\ncontent-length: 5\r\n\r\n",
                b"HTTP/1.1 200%bOK\r\ncontent-length: 5\r\n\r\n",
                b"HTTP/1.1 200 O%bK\r\ncontent-length: 5\r\n\r\n",
                b"HTTP/1.1 2%b0 OK\r\ncontent-length: 5\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-length: 5%b\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx%b: y\r\n\r\n",
                b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx: y%bz\r\n\r\n",
            ):
                self.compare(raw.replace(b"%b", each))

    def test_too_many(self) -> None:
        """A head with more fields than one may have is not taken."""
        for count, taken in ((3, True), (2, False)):
            raw = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\na: b\r\nc: d\r\n\r\n"
            self.assertIs(self.plain.read(raw, count) is not None, taken)

    def test_bounded(self) -> None:
        """However many status lines there are, few are remembered."""
        for number in range(1000):
            self.compare(b"HTTP/1.1 200 %d\r\ncontent-length: 5\r\n\r\n" % number)
        self.assertLessEqual(len(self.plain._statuses), 64)
