"""Tests of L{edgegate.http.h2.held_back}: which of the requests that wait for their client's room is next."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.frames import FRAME_BYTES
from edgegate.http.h2.held_back import HELD_BYTES, UNREAD, HeldBack
from edgegate.http.h2.stream import Early, Stream
from edgegate.http.request import refused_head
from tests.http.h2.recording import RecordedRequest, RecordedServer


class HeldBackTests(SynchronousTestCase):
    """Three of a connection."""

    def setUp(self) -> None:
        """Have them wait."""
        server = RecordedServer()
        self.held = HeldBack()
        self.streams: list[Stream] = [RecordedRequest(server, number) for number in (1, 3, 5)]
        for stream in self.streams:
            stream.window = 0
            self.held.add(stream, Early(refused_head(), None, 16))

    def take(self, under_way: int, window: int) -> int:
        """Return the number of the next; 0: none."""
        stream = self.held.take(under_way, window)
        return 0 if stream is None else stream.number

    def test_few_under_way(self) -> None:
        """While few are under way no room is needed."""
        self.assertEqual([self.take(UNREAD - 1, 0) for _ in range(4)], [1, 3, 5, 0])

    def test_no_room(self) -> None:
        """None is next without room for the stream, or for all of them."""
        self.assertEqual(self.take(UNREAD, 1000), 0)
        self.streams[1].window = 1
        self.assertEqual(self.take(UNREAD, 0), 0)
        self.assertEqual((self.take(UNREAD, 1), self.take(UNREAD, 1), len(self.held)), (3, 0, 2))

    def test_room_that_was_used_up(self) -> None:
        """Room that others have used up has one begin, and one more for each frame."""
        for stream in self.streams:
            stream.window = 1
        self.held.room_came(1)
        self.assertEqual([self.take(UNREAD, 0) for _ in range(2)], [1, 0])
        self.held.room_came(FRAME_BYTES)
        self.assertEqual([self.take(UNREAD, 0) for _ in range(3)], [3, 5, 0])

    def test_drop(self) -> None:
        """One that has ended is not next, and takes nothing."""
        for _ in range(2):
            self.held.drop(self.streams[0])
            self.assertEqual((len(self.held), self.held.size), (2, 2 * (HELD_BYTES + 32)))
        self.assertEqual((self.held.streams(), self.take(0, 0)), (self.streams[1:], 3))
        self.assertEqual(self.held.size, HELD_BYTES + 32)
