"""Tests for L{edgegate.http.response}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.response import ResponseHead, ResponseRefused, h1_response


class AnswerHeadTests(SynchronousTestCase):
    """What becomes of a response's head."""

    def test_fields(self) -> None:
        """Fields that pass keep their order; the connection's own and the backend's name do not pass."""
        head = h1_response(
            200,
            b"OK",
            True,
            [
                (b"Set-Cookie", b"a"),
                (b"Server", b"x"),
                (b"Connection", b"X-Own, close"),
                (b"X-Own", b"1"),
                (b"Set-Cookie", b"b"),
                (b"Content-Length", b"3 "),
            ],
        )
        self.assertEqual(head.fields, [(b"set-cookie", b"a"), (b"set-cookie", b"b")])
        self.assertEqual((head.length, head.chunked, head.keep), (3, False, True))

    def test_switching(self) -> None:
        """A response may name protocols, each with its version."""
        fields = [(b"Upgrade", b"WebSocket"), (b"Connection", b"Upgrade"), (b"Upgrade", b"chat/2, "), (b"A", b"b")]
        head = h1_response(101, b"Switching Protocols", True, fields)
        self.assertEqual((head.upgrade, head.fields), ((b"WebSocket", b"chat/2"), [(b"a", b"b")]))
        self.assertEqual(head.with_fields([]).upgrade, head.upgrade)

    def test_lines(self) -> None:
        """The lines for a client are made once, and say whether they have a date."""
        head = ResponseHead(404, b"Not Found", [(b"a", b"1"), (b"date", b"today")])
        self.assertEqual(head.h1_lines, b"HTTP/1.1 404 Not Found\r\na: 1\r\ndate: today\r\n")
        self.assertIs(head.h1_lines, head.h1_lines)
        self.assertTrue(head.dated)

    def test_length(self) -> None:
        """The lines tell a body's length where a response may: not an interim one, nor 204 (RFC 9110 section 8.6)."""
        for status, told in ((200, True), (304, True), (404, True), (103, False), (101, False), (204, False)):
            lines = ResponseHead(status, b"", [], 0).h1_lines
            self.assertEqual(b"content-length: 0\r\n" in lines, told, status)

    def test_refused(self) -> None:
        """What two readers could read differently is refused."""
        for fields in (
            [(b"content-length", b"1"), (b"content-length", b"1")],
            [(b"content-length", b"one")],
            [(b"content-length", b"1"), (b"transfer-encoding", b"chunked")],
            [(b"transfer-encoding", b"chunked"), (b"transfer-encoding", b"chunked")],
            [(b"transfer-encoding", b"gzip")],
        ):
            with self.assertRaises(ResponseRefused, msg=repr(fields)):
                h1_response(200, b"OK", True, fields)
        for status in (100, 101, 103, 204):
            # a body that one reader would see and another would not
            for field in ((b"content-length", b"5"), (b"transfer-encoding", b"chunked")):
                with self.assertRaises(ResponseRefused, msg=repr((status, field))):
                    h1_response(status, b"x", True, [field])
            self.assertIsNone(h1_response(status, b"x", True, [(b"content-length", b"0")]).length)
