"""Tests of L{edgegate.http.h1.chunk_reader}; more of it is tested with L{edgegate.http.h1.request_reader}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h1.chunk_reader import ChunkedBody
from edgegate.http.h1.chunks import ChunkError

BODY = b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n"


class ChunkedBodyTests(SynchronousTestCase):
    """One body."""

    def setUp(self) -> None:
        """Begin."""
        self.pieces: list[bytes] = []
        self.body = ChunkedBody(self.pieces.append)

    def test_at_once(self) -> None:
        """What is behind it is not taken."""
        self.assertEqual(self.body.read(BODY + b"GET /"), len(BODY))
        self.assertTrue(self.body.whole)
        self.assertEqual((b"".join(self.pieces), self.body.trailers), (b"abcde", [(b"x-sum", b"5")]))

    def test_byte_by_byte(self) -> None:
        """However it is cut."""
        for at in range(len(BODY)):
            self.assertFalse(self.body.whole)
            self.assertEqual(self.body.read(BODY[at : at + 1]), 1)
        self.assertTrue(self.body.whole)
        self.assertEqual((b"".join(self.pieces), self.body.trailers), (b"abcde", [(b"x-sum", b"5")]))

    def test_broken(self) -> None:
        """What is no chunk is refused."""
        for data in (b"x\r\n", b"-1\r\n", b"3\r\nabcd", b"0\r\nno field\r\n\r\n", b"0x3\r\nabc\r\n", b"3\nabc\r\n"):
            body = ChunkedBody(self.pieces.append)
            with self.assertRaises(ChunkError, msg=data):
                body.read(data)
                body.read(b"\r\n\r\n")

    def test_sink_that_fails(self) -> None:
        """What whoever gets a piece raises is not the client's fault."""
        body = ChunkedBody(lambda _: 1 // 0)  # type: ignore[arg-type, return-value]
        with self.assertRaises(Exception) as caught:
            body.read(BODY)
        self.assertNotIsInstance(caught.exception, ChunkError)

    def test_ended(self) -> None:
        """A body that is whole, or ended, keeps no parser that would keep it in turn."""
        other = ChunkedBody(self.pieces.append)
        self.body.read(BODY)
        other.end()
        self.assertEqual((self.body._parser, other._parser), (None, None))
