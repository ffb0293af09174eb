"""Tests for L{edgegate.http.h1.response_writer}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.field_block import FieldBlock
from edgegate.http.h1.response_writer import ResponseWriter
from edgegate.http.request import HostMemory, RequestHead, h1_head
from edgegate.http.response import ResponseHead

DATE = FieldBlock((b"date", b"now"))
OWN = (FieldBlock((b"x", b"y")),)


def request(method: bytes = b"GET", version: str = "1.1") -> RequestHead:
    """Make the head of the request that is answered."""
    return h1_head(method, b"/", version, True, [(b"host", b"a")], HostMemory())


class AnswerWriterTests(SynchronousTestCase):
    """Answers are framed for the client that gets them."""

    def write(self, asked: RequestHead, head: ResponseHead, *body: bytes, keep: bool = True) -> tuple[bytes, bool]:
        """Write a whole response; return its bytes and whether the connection is kept."""
        writer = ResponseWriter()
        kept = writer.head(asked, head, OWN, None if head.dated else DATE, keep)
        for data in body:
            writer.body(data)
        writer.end([])
        return writer.take(), kept

    def test_sized(self) -> None:
        """A body of known length is sent as it is."""
        self.assertEqual(
            self.write(request(), ResponseHead(200, b"OK", [(b"a", b"b")], 4), b"ab", b"cd"),
            (
                b"HTTP/1.1 200 OK\r\na: b\r\ncontent-length: 4\r\nx: y\r\ndate: now\r\nserver: edgegate\r\n\r\nabcd",
                True,
            ),
        )

    def test_chunked(self) -> None:
        """A body of unknown length is chunked for HTTP/1.1, with trailers if there are any."""
        data, kept = self.write(request(), ResponseHead(200, b"OK", []), b"0123456789abcdef")
        self.assertTrue(kept)
        self.assertTrue(data.endswith(b"\r\n\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n"))
        writer = ResponseWriter()
        writer.head(request(), ResponseHead(200, b"OK", []), (), DATE, True)
        writer.take()
        writer.end([(b"a", b"b"), (b"c", b"d")])
        self.assertEqual(writer.take(), b"0\r\na: b\r\nc: d\r\n\r\n")

    def test_until_close(self) -> None:
        """For HTTP/1.0 it ends with the connection, whatever the client wants."""
        data, kept = self.write(request(version="1.0"), ResponseHead(200, b"OK", []), b"ab")
        self.assertFalse(kept)
        self.assertIn(b"connection: close\r\n", data)
        self.assertTrue(data.endswith(b"\r\n\r\nab"))

    def test_no_body(self) -> None:
        """HEAD, 204 and 304 have none; the length of what GET would have is told, but for 204."""
        data, _ = self.write(request(b"HEAD"), ResponseHead(200, b"OK", [], 4), b"abcd")
        self.assertIn(b"content-length: 4\r\n", data)
        self.assertTrue(data.endswith(b"\r\n\r\n"))
        for status in (204, 304):
            data, _ = self.write(request(), ResponseHead(status, b"", []), b"abcd")
            self.assertTrue(data.endswith(b"server: edgegate\r\n\r\n"), data)
            self.assertNotIn(b"chunked", data)
        data, _ = self.write(request(), ResponseHead(204, b"", [], 0))
        self.assertNotIn(b"content-length", data)

    def test_date(self) -> None:
        """A response has one date: its own, or else ours."""
        data, _ = self.write(request(), ResponseHead(200, b"OK", [(b"date", b"then")], 0))
        self.assertEqual(data.count(b"date: "), 1)
        self.assertIn(b"date: then\r\n", data)

    def test_version(self) -> None:
        """A client is answered in its own version, and the head that others share stays as it is."""
        head = ResponseHead(200, b"OK", [], 0)
        for version in ("1.0", "1.1", "1.0"):
            data, _ = self.write(request(version=version), head)
            self.assertTrue(data.startswith(b"HTTP/%b 200 OK\r\n" % version.encode()), data)

    def test_kept_for_http_1_0(self) -> None:
        """An HTTP/1.0 client that asked for it is told that its connection is kept."""
        data, kept = self.write(request(version="1.0"), ResponseHead(200, b"OK", [], 0))
        self.assertTrue(kept)
        self.assertIn(b"connection: keep-alive\r\n", data)

    def test_not_kept(self) -> None:
        """A connection that ends says so."""
        data, kept = self.write(request(), ResponseHead(200, b"OK", [], 0), keep=False)
        self.assertFalse(kept)
        self.assertIn(b"connection: close\r\n", data)

    def test_switching(self) -> None:
        """A 101 says which protocols follow, and neither a length nor that the connection ends."""
        head = ResponseHead(101, b"Switching Protocols", [(b"a", b"b")])
        head.upgrade = (b"websocket", b"chat/2")
        data, kept = self.write(request(), head)
        self.assertFalse(kept)
        self.assertEqual(
            data,
            b"HTTP/1.1 101 Switching Protocols\r\na: b\r\nx: y\r\ndate: now\r\n"
            b"connection: upgrade\r\nupgrade: websocket, chat/2\r\nserver: edgegate\r\n\r\n",
        )

    def test_lines(self) -> None:
        """The lines of a head are made once, and kept with it."""
        writer, head = ResponseWriter(), ResponseHead(404, b"Not Found", [(b"a", b"1"), (b"date", b"today")])
        writer.interim(head)
        self.assertEqual(writer.out[0], b"HTTP/1.1 404 Not Found\r\na: 1\r\ndate: today\r\n")
        self.assertIs(writer.out[0], head.h1)
        writer.interim(head)
        self.assertIs(writer.out[2], head.h1)

    def test_length(self) -> None:
        """The lines tell a body's length where a response may: not an interim one, nor 204 (RFC 9110 section 8.6)."""
        for status, told in ((200, True), (304, True), (404, True), (103, False), (101, False), (204, False)):
            writer = ResponseWriter()
            writer.interim(ResponseHead(status, b"", [], 0))
            self.assertEqual(b"content-length: 0\r\n" in writer.take(), told, status)

    def test_interim(self) -> None:
        """Interim answers have neither date nor server."""
        writer = ResponseWriter()
        writer.proceed()
        writer.interim(ResponseHead(103, b"Early Hints", [(b"link", b"</a>")]))
        self.assertEqual(writer.take(), b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
