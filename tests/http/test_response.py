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

    def test_date(self) -> None:
        """A head is known to have a date as soon as it is made, unless the date is the connection's own."""
        date, other = (b"Date", b"today"), (b"a", b"b")
        self.assertTrue(ResponseHead(200, b"", [(b"a", b"b"), (b"date", b"today")]).dated)
        self.assertFalse(ResponseHead(200, b"", [other]).dated)
        head = h1_response(200, b"", True, [date, other])
        self.assertTrue(head.dated)
        self.assertFalse(head.with_fields([other]).dated)
        self.assertTrue(head.with_set([other]).dated)
        self.assertFalse(h1_response(200, b"", True, [date, (b"Connection", b"date")]).dated)

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
