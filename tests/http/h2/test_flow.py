"""Tests of L{edgegate.http.h2.flow}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.buffers import BUFFERS
from edgegate.http.h2.errors import FLOW_CONTROL_ERROR, ConnectionFailed
from edgegate.http.h2.flow import (
    CONNECTION_FULL,
    FULL,
    GROWN_WINDOW,
    MOST_WINDOW,
    ROOM,
    STREAM_WINDOW,
    FlowStream,
    ReceiveWindow,
    SendQueue,
)
from edgegate.http.h2.frames import FRAME_BYTES
from tests.http.h2.recording import frames_of, said


class Sending(FlowStream):
    """A stream whose owner only counts."""

    def __init__(self, number: int, window: int = 65535) -> None:
        super().__init__(number, window)
        self.rooms = self.ends = 0

    def send_room(self) -> None:
        self.rooms += 1

    def end_sent(self) -> None:
        self.ends += 1


class ReceiveWindowTests(SynchronousTestCase):
    """What a peer may send."""

    def test_consumed(self) -> None:
        """Room is told when half of it was consumed, never when bytes only came."""
        window = ReceiveWindow(100)
        self.assertTrue(window.take(100))
        self.assertEqual(window.release(49), 0)
        self.assertEqual(window.release(1), 50)
        self.assertEqual(window.release(50), 50)
        self.assertEqual(window.held, 0)

    def test_too_much(self) -> None:
        """What was consumed and not yet told may not be used."""
        window = ReceiveWindow(100)
        self.assertTrue(window.take(40))
        self.assertEqual(window.release(40), 0)
        self.assertTrue(window.take(60))
        self.assertFalse(window.take(1))

    @given(st.lists(st.tuples(st.booleans(), st.integers(0, 60)), max_size=50))
    def test_never_more(self, steps: list[tuple[bool, int]]) -> None:
        """A peer that keeps to what it was told is never refused, and never has more than the limit under way."""
        window, told, sent, consumed = ReceiveWindow(100), 100, 0, 0
        for comes, most in steps:
            if comes:
                size = min(most, told - sent)
                self.assertTrue(window.take(size))
                sent += size
            else:
                size = min(most, sent - consumed)
                consumed += size
                told += window.release(size)
            self.assertLessEqual(told - consumed, 100)
            self.assertEqual(window.held, sent - consumed)

    def test_grows(self) -> None:
        """The window of a stream grows once it was used up, if all is consumed and there is some to spare."""
        stream = Sending(1)
        half = STREAM_WINDOW // 2
        stream.take(half)
        more = stream.release(half)
        self.assertEqual((more, stream.grow(1 << 20)), (half, 0))
        stream.tell(more)
        stream.take(half)
        self.assertEqual(stream.grow(1 << 20), 0)
        stream.release(half)
        self.assertEqual(stream.grow(1000), 1000)
        self.assertEqual(stream.limit, STREAM_WINDOW + 1000)
        stream.tell(half + 1000)
        self.assertEqual(stream.grow(1 << 20), GROWN_WINDOW - STREAM_WINDOW - 1000)
        self.assertEqual(stream.limit, GROWN_WINDOW)
        self.assertEqual(stream.grow(1 << 20), 0)


class SendQueueTests(SynchronousTestCase):
    """What may be sent, and whose turn it is."""

    def setUp(self) -> None:
        self.queue = SendQueue()

    def said(self) -> list[tuple[object, ...]]:
        """Return what was written."""
        return said(frames_of(self.queue.take()))

    def test_at_once(self) -> None:
        """A piece for which there is room goes at once, a large one in several frames, the last of which ends it."""
        stream = Sending(1)
        self.queue.send(stream, b"x" * 40000, True)
        self.assertEqual(self.queue.gathered, 40000)
        self.assertEqual(
            self.said(), [("DATA", 1, FRAME_BYTES, False), ("DATA", 1, FRAME_BYTES, False), ("DATA", 1, 7232, True)]
        )
        self.assertEqual((stream.window, self.queue.window, stream.ends), (25535, 25535, 1))
        self.assertEqual((self.queue.gathered, self.queue.frames), (0, 3))

    def test_waits(self) -> None:
        """What there is no room for waits; the end comes with its last byte."""
        stream = Sending(1, 10)
        self.queue.send(stream, b"0123456789ab", False)
        self.queue.finish(stream, b"")
        self.assertEqual((self.said(), stream.queued), ([("DATA", 1, 10, False)], 2))
        self.assertTrue(self.queue.opened(stream, 1))
        self.assertEqual((self.said(), stream.ends), ([("DATA", 1, 1, False)], 0))
        self.queue.opened(stream, 9)
        self.assertEqual((self.said(), stream.ends), ([("DATA", 1, 1, True)], 1))

    def test_connection(self) -> None:
        """There must be room of the connection as well."""
        self.queue.window = 5
        stream, other = Sending(1), Sending(3)
        self.queue.send(stream, b"x" * 8, True)
        self.queue.send(other, b"y" * 8, True)
        self.assertEqual(self.said(), [("DATA", 1, 5, False)])
        self.queue.opened_all(8)
        self.assertEqual(self.said(), [("DATA", 1, 3, True), ("DATA", 3, 5, False)])
        self.queue.opened_all(1 << 20)
        self.assertEqual(self.said(), [("DATA", 3, 3, True)])

    def test_turns(self) -> None:
        """Streams that have much to send take turns, one frame each."""
        streams = [Sending(number) for number in (1, 3, 5)]
        self.queue.window = 0
        for stream in streams:
            self.queue.send(stream, b"x" * 2 * FRAME_BYTES, True)
        self.queue.opened_all(1 << 20)
        self.assertEqual([frame[1] for frame in self.said()], [1, 3, 5, 1, 3, 5])

    def test_one_stuck(self) -> None:
        """A stream without room holds up no other."""
        stuck, other = Sending(1, 0), Sending(3)
        self.queue.send(stuck, b"x", True)
        self.queue.send(other, b"y", True)
        self.assertEqual(self.said(), [("DATA", 3, 1, True)])

    def test_negative(self) -> None:
        """Settings may take away more room than there is: then it waits until there is some again."""
        stream = Sending(1, 10)
        self.queue.send(stream, b"x" * 20, True)
        self.said()
        self.queue.line_up(stream, -100)
        self.queue.pump()
        self.queue.opened(stream, 100)
        self.assertEqual((self.said(), stream.window), ([], 0))
        self.queue.line_up(stream, 7)
        self.queue.pump()
        self.assertEqual(self.said(), [("DATA", 1, 7, False)])
        self.queue.opened(stream, 50)
        self.assertEqual(self.said(), [("DATA", 1, 3, True)])

    def test_end_needs_no_room(self) -> None:
        """An end without a byte is sent also where there is no room, or where nothing is taken."""
        stream, other = Sending(1, -5), Sending(3)
        self.queue.send(stream, b"", True)
        self.queue.hold()
        self.queue.send(other, b"", True)
        self.assertEqual(self.said(), [("DATA", 1, 0, True), ("DATA", 3, 0, True)])

    def test_overflow(self) -> None:
        """No window grows beyond 2^31-1: a stream's is told, the connection's ends it, as that of all streams does."""
        stream = Sending(1)
        self.assertFalse(self.queue.opened(stream, MOST_WINDOW))
        for change in (
            lambda: self.queue.opened_all(MOST_WINDOW),
            lambda: self.queue.line_up(Sending(1), MOST_WINDOW),
        ):
            self.assertEqual(self.assertRaises(ConnectionFailed, change).code, FLOW_CONTROL_ERROR)

    def test_trailers(self) -> None:
        """Trailers come behind all that waits, and end the stream."""
        stream = Sending(1, 3)
        self.queue.send(stream, b"12345", False)
        self.queue.finish(stream, b"\x88")
        self.assertEqual((self.said(), stream.ends), ([("DATA", 1, 3, False)], 0))
        self.queue.opened(stream, 3)
        self.assertEqual((self.said(), stream.ends), ([("DATA", 1, 2, False), ("HEADERS", 1, True)], 1))
        other = Sending(3)
        self.queue.finish(other, b"\x88")
        self.assertEqual((self.said(), other.ends), ([("HEADERS", 3, True)], 1))

    def test_full(self) -> None:
        """Past a mark no more should come; below another one is told so, once."""
        stream = Sending(1, 0)
        self.queue.send(stream, b"x" * FULL, False)
        self.assertFalse(stream.full)
        self.queue.send(stream, b"x", False)
        self.assertTrue(stream.full)
        self.queue.opened(stream, FULL - ROOM)
        self.assertEqual((stream.rooms, stream.full), (0, True))
        self.queue.opened(stream, 2)
        self.assertEqual((stream.rooms, stream.full), (1, False))
        self.queue.opened(stream, 10)
        self.assertEqual(stream.rooms, 1)

    def test_small_pieces(self) -> None:
        """What waits in small pieces is put together: each of them would cost more than it carries."""
        stream = Sending(1, 0)
        pieces = [b"%04d" % number for number in range(5000)]
        for piece in pieces:
            self.queue.send(stream, piece, False)
        self.queue.opened(stream, 1 << 20)
        frames = frames_of(self.queue.take())
        self.assertLess(len(frames), 25)
        self.assertEqual(b"".join(frame.data for frame in frames), b"".join(pieces))

    def test_full_connection(self) -> None:
        """
        Past a mark for all streams no more should come of any but what it has to say next: of one that is stuck for
        good the others are not.
        """
        stuck = [Sending(number, 0) for number in range(1, 201, 2)]
        taken = 0
        for stream in stuck:
            while not stream.full:
                self.queue.send(stream, b"x" * 8192, False)
                taken += 8192
        self.assertEqual(self.queue.waiting, taken)
        self.assertLessEqual(taken, CONNECTION_FULL + 100 * 8192)
        other = stuck[-1]
        self.queue.opened(other, 8191)
        self.assertTrue(other.full)
        self.queue.opened(other, 1)
        self.assertEqual((other.full, other.rooms), (False, 1))
        for stream in stuck[:-1]:
            self.queue.drop(stream)
        self.assertEqual(self.queue.waiting, 0)
        self.queue.send(other, b"x" * FULL, False)
        self.assertFalse(other.full)

    def test_held(self) -> None:
        """While nothing is taken bodies wait with their streams."""
        stream = Sending(1)
        self.queue.hold()
        self.queue.send(stream, b"x", True)
        self.assertEqual((self.said(), stream.queued), ([], 1))
        self.queue.go_on()
        self.assertEqual(self.said(), [("DATA", 1, 1, True)])

    def test_buffers(self) -> None:
        """What waits is counted among all that does, until it is sent or dropped."""
        before = BUFFERS.held
        queue, first, second = SendQueue(), Sending(1, 10), Sending(3, 0)
        queue.send(first, bytes(10), False)
        self.assertEqual(BUFFERS.held, before)
        queue.send(first, bytes(100), False)
        queue.send(second, bytes(50), False)
        self.assertEqual(BUFFERS.held - before, 150)
        queue.opened(first, 60)
        self.assertEqual(BUFFERS.held - before, 90)
        queue.drop(first)
        queue.drop(second)
        self.assertEqual(BUFFERS.held, before)

    def test_all_buffers_are_full(self) -> None:
        """While too much waits in all, a stream of which anything waits is brought no more until that is sent."""
        self.addCleanup(setattr, BUFFERS, "bound", BUFFERS.bound)
        queue, stream = SendQueue(), Sending(1, 10)
        BUFFERS.bound = BUFFERS.held
        queue.send(stream, bytes(10), False)
        self.assertFalse(stream.full)
        queue.send(stream, bytes(10), False)
        self.assertTrue(stream.full)
        queue.opened(stream, 10)
        self.assertEqual((stream.full, stream.rooms), (False, 1))

    def test_dropped(self) -> None:
        """Nothing more goes of a stream that is over."""
        stream = Sending(1, 0)
        self.queue.send(stream, b"x", True)
        self.queue.drop(stream)
        self.queue.opened(stream, 10)
        self.assertEqual((self.said(), stream.ends), ([], 0))

    def test_from_inside(self) -> None:
        """Who is told that there is room may send from inside the call."""
        queue = self.queue

        class Sender(Sending):
            def send_room(self) -> None:
                super().send_room()
                queue.send(self, b"y" * 10, True)

        stream = Sender(1, 0)
        self.queue.send(stream, b"x" * (FULL + 1), False)
        self.queue.opened(stream, 1 << 20)
        self.queue.opened_all(1 << 20)
        sizes = [frame[2] for frame in self.said()]
        self.assertEqual((sum(size for size in sizes if isinstance(size, int)), stream.ends), (FULL + 11, 1))

    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["send", "end", "stream", "all", "settings"]), st.integers(0, 2), st.integers(0, 50000)
            ),
            max_size=40,
        )
    )
    def test_any_order(self, steps: list[tuple[str, int, int]]) -> None:
        """Whatever comes in whatever order, no window is passed, and every byte arrives once there is room."""
        queue, streams = SendQueue(), [Sending(number, 1000) for number in (1, 3, 5)]
        queue.initial = 1000
        given_, sent, ended = [0, 0, 0], [0, 0, 0], [False] * 3
        room, total = [1000] * 3, 65535

        def look() -> None:
            for frame in frames_of(queue.take()):
                which = (frame.stream_id - 1) // 2
                sent[which] += len(frame.data)

        for what, which, size in steps:
            stream = streams[which]
            if what == "send" and not ended[which]:
                queue.send(stream, b"x" * size, False)
                given_[which] += size
            elif what == "end" and not ended[which]:
                ended[which] = True
                queue.finish(stream, b"")
            elif what == "stream":
                room[which] += size
                queue.opened(stream, size)
            elif what == "all":
                total += size
                queue.opened_all(size)
            elif what == "settings":
                more, queue.initial = size - queue.initial, size
                for at, each in enumerate(streams):
                    room[at] += more
                    queue.line_up(each, more)
                queue.pump()
            look()
            self.assertLessEqual(sum(sent), total)
            self.assertEqual(queue.waiting, sum(each.queued for each in streams))
            self.assertEqual([each.window for each in streams], [room[at] - sent[at] for at in range(3)])
        for which, stream in enumerate(streams):
            if not ended[which]:
                queue.finish(stream, b"")
            queue.opened(stream, 1 << 26)
        queue.opened_all(1 << 26)
        look()
        self.assertEqual((sent, [stream.ends for stream in streams]), (given_, [1, 1, 1]))
