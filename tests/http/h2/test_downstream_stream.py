"""Tests of L{edgegate.http.h2.downstream_stream}: in which frames a response leaves."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.downstream_stream import GATHERED
from edgegate.http.h2.errors import INTERNAL_ERROR
from edgegate.http.h2.frames import PREFACE, settings_frame, window_update_frame
from edgegate.http.h2.hpack import block_of
from tests.http.conversation import Conversation, FakeStream
from tests.http.h2.recording import REQUEST, frames_of, headers, said

CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"


class ResponseTests(SynchronousTestCase):
    """One request, whose response is on its way."""

    def setUp(self) -> None:
        self.talk = Conversation()
        self.client: FakeStream = self.talk.client()
        fields = [REQUEST[0], (b":scheme", b"http"), (b":authority", b"web.example"), REQUEST[3]]
        self.client.deliver(PREFACE + settings_frame([(4, 1 << 20)]) + window_update_frame(0, 1 << 20))
        self.client.deliver(headers(1, block_of(fields)).serialize())
        self.client.take()
        self.backend = self.talk.backend()

    def sent(self) -> list[tuple[object, ...]]:
        """Return what was sent."""
        return said(frames_of(self.client.take()))

    def test_end_with_the_last_piece(self) -> None:
        """Where the end comes with the last piece of a body it takes no frame of its own."""
        self.backend.deliver(CHUNKED + b"3\r\nabc\r\n0\r\n\r\n")
        self.assertEqual(self.sent(), [("HEADERS", 1, False), ("DATA", 1, 3, True)])

    def test_end_alone(self) -> None:
        """A piece waits for nothing that has not come; the end is an empty frame then."""
        self.backend.deliver(CHUNKED + b"3\r\nabc\r\n")
        self.assertEqual(self.sent(), [("HEADERS", 1, False), ("DATA", 1, 3, False)])
        self.backend.deliver(b"0\r\n\r\n")
        self.assertEqual(self.sent(), [("DATA", 1, 0, True)])

    def test_trailers(self) -> None:
        """Trailers end it behind the last piece."""
        self.backend.deliver(CHUNKED + b"3\r\nabc\r\n0\r\na: b\r\n\r\n")
        self.assertEqual(self.sent(), [("HEADERS", 1, False), ("DATA", 1, 3, False), ("HEADERS", 1, True)])

    def test_cut(self) -> None:
        """What came of a response that breaks off is sent before its reset."""
        self.backend.deliver(CHUNKED + b"3\r\nabc\r\n")
        self.backend.deliver(b"4\r\nde")
        self.backend.reset()
        self.assertEqual(
            self.sent(),
            [("HEADERS", 1, False), ("DATA", 1, 3, False), ("DATA", 1, 2, False), ("RST_STREAM", 1, INTERNAL_ERROR)],
        )

    def test_gathered(self) -> None:
        """More than so much of one turn is not kept until its end."""
        self.client.at_turn_end = lambda call: None  # type: ignore[method-assign]
        piece = b"4000\r\n" + bytes(0x4000) + b"\r\n"
        self.backend.deliver(CHUNKED + piece * (GATHERED // 0x4000 - 1))
        self.assertEqual(self.sent(), [])
        self.backend.deliver(piece * 2)
        self.assertGreaterEqual(len(self.sent()), GATHERED // 0x4000)
