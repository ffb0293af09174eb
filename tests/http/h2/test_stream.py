"""Tests of L{edgegate.http.h2.stream}: how a message is sent."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.hpack import EMPTY_TABLE
from tests.http.h2.recording import OK, REQUEST, Peer, RecordedRequest, RecordedServer, said, window_update


class SenderTests(SynchronousTestCase):
    """A response that is awaited."""

    def setUp(self) -> None:
        self.server = RecordedServer()
        self.server.take()
        self.peer = Peer(self.server)

    def awaited(self) -> RecordedRequest:
        """Ask for one more."""
        self.peer.headers(self.server.last + 2, REQUEST)
        return self.server.began[-1]

    def test_length(self) -> None:
        """The piece that completes the length ends it; nothing is sent behind that."""
        stream = self.awaited()
        self.server.send_head(stream, OK, False, 5)
        for piece in (b"abc", b"de", b"f"):
            self.server.send_data(stream, piece)
        self.server.end(stream)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("DATA", 1, 3, False), ("DATA", 1, 2, True)])

    def test_end(self) -> None:
        """Where there is no telling, the end is an empty frame, or goes with the last piece."""
        stream = self.awaited()
        self.server.send_head(stream, OK, False)
        self.server.send_data(stream, b"abc")
        self.server.end(stream)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("DATA", 1, 3, False), ("DATA", 1, 0, True)])
        stream = self.awaited()
        self.server.send_head(stream, OK, False)
        self.server.send_data(stream, b"abc", True)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 3, False), ("DATA", 3, 3, True)])

    def test_head_only(self) -> None:
        """A head may be all there is."""
        stream = self.awaited()
        self.server.send_head(stream, OK, True)
        self.server.send_head(stream, OK, True)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, True)])

    def test_empty_table(self) -> None:
        """The first block that comes next says that the table is empty, trailers too."""
        stream = self.awaited()
        self.server.send_head(stream, OK, False)
        self.peer.frames()
        self.server.queue.say_empty_table()
        self.server.end(stream, OK)
        frame = self.peer.frames()[0]
        self.assertEqual(frame.data, EMPTY_TABLE + OK)

    def test_empty_table_in_order(self) -> None:
        """That is so in the order in which blocks are written: trailers may have to wait for room."""
        waiting, other = self.awaited(), self.awaited()
        waiting.window = 0
        self.server.send_head(waiting, OK, False)
        self.server.send_data(waiting, b"abc")
        self.peer.frames()
        self.server.queue.say_empty_table()
        self.server.end(waiting, OK)
        self.server.send_head(other, OK, True)
        blocks = [frame.data for frame in self.peer.frames()]
        blocks += [frame.data for frame in self.peer.tell(window_update(1, 9))]
        self.assertEqual(blocks, [EMPTY_TABLE + OK, b"abc", OK])

    def test_memoryview(self) -> None:
        """A piece may be a view of something larger."""
        stream = self.awaited()
        self.server.send_head(stream, OK, False, 40_000)
        self.server.send_data(stream, memoryview(bytes(50_000))[5_000:45_000])
        self.assertEqual([len(frame.data) for frame in self.peer.frames()[1:]], [16384, 16384, 7232])
