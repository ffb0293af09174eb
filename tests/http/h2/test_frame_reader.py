"""Tests of L{edgegate.http.h2.frame_reader}."""

from __future__ import annotations

from itertools import pairwise

from hyperframe.frame import Frame, HeadersFrame, PriorityFrame, SettingsFrame
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR, ConnectionFailed
from edgegate.http.h2.frame_reader import WORK, FrameReader, FrameSink
from edgegate.http.h2.frames import PREFACE, Setting, frame
from tests.http.h2.recording import continuation, data, goaway, headers, ping, reset, settings, window_update

START = PREFACE + SettingsFrame(0, {3: 7}).serialize()


class Recorder(FrameSink):
    """Writes down what it is told; pieces of one body are put together."""

    def __init__(self) -> None:
        self.events: list[tuple[object, ...]] = []

    def headers_came(self, number: int, block: bytes, ends: bool) -> None:
        self.events.append(("headers", number, block, ends))

    def data_came(self, number: int, data: bytes, padding: int, ends: bool) -> None:
        before = self.events[-1] if self.events else ()
        if before[:2] == ("data", number) and not before[4]:
            _, _, body, padded, _ = before
            assert isinstance(body, bytes) and isinstance(padded, int)
            self.events[-1] = ("data", number, body + data, padded + padding, ends)
        else:
            self.events.append(("data", number, data, padding, ends))

    def window_update_came(self, number: int, more: int) -> None:
        self.events.append(("window", number, more))

    def reset_came(self, number: int, code: int) -> None:
        self.events.append(("reset", number, code))

    def settings_came(self, settings: list[Setting]) -> None:
        self.events.append(("settings", settings))

    def settings_ack_came(self) -> None:
        self.events.append(("settings ack",))

    def ping_came(self, payload: bytes, acknowledges: bool) -> None:
        self.events.append(("ping", payload, acknowledges))

    def goaway_came(self, last: int, code: int) -> None:
        self.events.append(("goaway", last, code))

    def rare_came(self, kind: int) -> None:
        self.events.append(("rare", kind))


def with_priority(number: int, parent: int, padding: int = 0) -> HeadersFrame:
    """Return HEADERS with a priority."""
    found = headers(number, b"block")
    found.flags.add("PRIORITY")
    found.depends_on = parent
    if padding:
        found.flags.add("PADDED")
        found.pad_length = padding
    return found


def padded_headers(number: int) -> HeadersFrame:
    """Return HEADERS with padding."""
    found = headers(number, b"padded", ends=False)
    found.flags.add("PADDED")
    found.pad_length = 4
    return found


FRAMES: list[Frame] = [
    headers(1, b"first"),
    headers(3, b"be", ends=False, whole=False),
    continuation(3, b"", whole=False),
    continuation(3, b"gun"),
    data(3, b"x" * 3000),
    data(3, b"y" * 1500, padding=20),
    data(3, b"", ends=True),
    padded_headers(5),
    with_priority(7, 0, padding=3),
    window_update(0, 5),
    window_update(3, 7),
    reset(1, 8),
    ping(),
    ping(acknowledges=True),
    settings({4: 1, 9: 2}),
    goaway(3, 2),
]
TOLD: list[tuple[object, ...]] = [
    ("settings", [(3, 7)]),
    ("headers", 1, b"first", True),
    ("rare", 9),
    ("rare", 9),
    ("headers", 3, b"begun", False),
    ("data", 3, b"x" * 3000 + b"y" * 1500, 21, True),
    ("headers", 5, b"padded", False),
    ("headers", 7, b"block", True),
    ("window", 0, 5),
    ("window", 3, 7),
    ("reset", 1, 8),
    ("ping", b"12345678", False),
    ("ping", b"12345678", True),
    ("settings", [(4, 1), (9, 2)]),
    ("goaway", 3, 2),
    ("rare", 16),
]
ALL = START + b"".join(each.serialize() for each in FRAMES) + frame(16, 0, 0, b"\0\0\0\3u=1")


class FrameReaderTests(SynchronousTestCase):
    """Bytes of a client."""

    def setUp(self) -> None:
        self.reader = FrameReader(True)
        self.sink = Recorder()

    def failing(self, rest: bytes, start: bytes = START) -> int:
        """Return the code with which bytes are refused."""
        try:
            FrameReader(True).receive(start + rest, Recorder())
        except ConnectionFailed as failed:
            return failed.code
        return -1

    def test_whole(self) -> None:
        """Every frame is told as what it is."""
        self.reader.receive(ALL, self.sink)
        self.assertEqual(self.sink.events, TOLD)
        self.assertFalse(self.reader.in_frame)

    def test_cut(self) -> None:
        """It is the same wherever the bytes are cut, and whether something is unfinished is known."""
        for at in range(1, len(ALL)):
            reader, sink = FrameReader(True), Recorder()
            reader.receive(ALL[:at], sink)
            self.assertEqual(reader.awaits_settings, at < len(START))
            reader.receive(ALL[at:], sink)
            self.assertEqual(sink.events, TOLD, at)

    def test_cut_before_much(self) -> None:
        """What is kept of a frame goes on with the little that it needs of the much that follows."""
        body = b"0123456789abcdef" * 1024
        small = ping().serialize() * 60
        for kept, behind in ((data(1, body), data(3, body, ends=True)), (headers(1, b"h" * 5000), data(1, body))):
            first = kept.serialize()
            whole = START + first + small + behind.serialize()
            told = Recorder()
            FrameReader(True).receive(whole, told)
            for at in range(1, len(START) + 1100, 7):
                reader, sink = FrameReader(True), Recorder()
                reader.receive(whole[:at], sink)
                reader.receive(whole[at:], sink)
                self.assertEqual(sink.events, told.events, at)
                self.assertFalse(reader.in_frame)

    def test_broken_before_much(self) -> None:
        """A sink that stops the reader in what was kept is told nothing of what follows."""

        class Stopping(Recorder):
            def data_came(self, number: int, data: bytes, padding: int, ends: bool) -> None:
                super().data_came(number, data, padding, ends)
                reader.stop()

        reader, sink = FrameReader(True), Stopping()
        frames = data(1, b"x" * 16384).serialize() + ping().serialize() * 500
        reader.receive(START + frames[:5], sink)
        reader.receive(frames[5:], sink)
        self.assertEqual([event[0] for event in sink.events], ["settings", "data"])

    def test_bytes(self) -> None:
        """They may come one by one."""
        for at in range(len(ALL)):
            self.reader.receive(ALL[at : at + 1], self.sink)
        self.assertEqual(self.sink.events, TOLD)

    @given(st.lists(st.integers(1, len(ALL) - 1), max_size=8))
    def test_pieces(self, cuts: list[int]) -> None:
        """They may come in any pieces."""
        reader, sink = FrameReader(True), Recorder()
        places = [0, *sorted(cuts), len(ALL)]
        for begin, end in pairwise(places):
            reader.receive(ALL[begin:end], sink)
        self.assertEqual(sink.events, TOLD)

    def test_pieces_of_data(self) -> None:
        """A body goes on in the pieces in which it comes; its end is told with the last."""
        whole = data(1, b"x" * 8000, ends=True).serialize()
        pieces: list[tuple[int, bool]] = []

        class Pieces(Recorder):
            def data_came(self, number: int, data: bytes, padding: int, ends: bool) -> None:
                pieces.append((len(data), ends))

        sink = Pieces()
        self.reader.receive(START + whole[:3000], sink)
        self.assertTrue(self.reader.in_frame)
        self.reader.receive(whole[3000:5000], sink)
        self.reader.receive(whole[5000:] + ping().serialize(), sink)
        self.assertEqual(pieces, [(2991, False), (2000, False), (3009, True)])
        self.assertEqual(sink.events[-1], ("ping", b"12345678", False))

    def test_preface(self) -> None:
        """What does not begin as HTTP/2 is refused at its first wrong byte."""
        for start in (b"G", b"GET / HTTP/1.1\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\rx"):
            self.assertEqual(self.failing(b"", start), PROTOCOL_ERROR)
        self.reader.receive(PREFACE[:10], self.sink)
        self.assertTrue(self.reader.in_frame)

    def test_no_settings(self) -> None:
        """Every other frame before SETTINGS is refused, an acknowledgement too."""
        for rest in (headers(1, b""), data(1, b""), ping(), window_update(0, 1), reset(1), goaway(0), PriorityFrame(1)):
            self.assertEqual(self.failing(rest.serialize(), PREFACE), PROTOCOL_ERROR, rest)
        self.assertEqual(self.failing(frame(4, 1, 0, b""), PREFACE), PROTOCOL_ERROR)

    def test_places(self) -> None:
        """Frames that belong to a stream need one, the others must have none."""
        for kind, number, size in (
            (0, 0, 1),
            (1, 0, 1),
            (2, 0, 5),
            (3, 0, 4),
            (4, 1, 6),
            (5, 1, 9),
            (6, 1, 8),
            (7, 1, 8),
            (9, 1, 1),
        ):
            self.assertEqual(self.failing(frame(kind, 0, number, b"\1" * size)), PROTOCOL_ERROR, kind)

    def test_sizes(self) -> None:
        """Frames of a fixed size have that size, and none is larger than was allowed."""
        for kind, flags, number, size in (
            (2, 0, 1, 4),
            (3, 0, 1, 5),
            (4, 0, 0, 7),
            (4, 1, 0, 6),
            (6, 0, 0, 7),
            (7, 0, 0, 7),
            (8, 0, 0, 5),
            (0, 8, 1, 0),
            (1, 8, 1, 0),
            (1, 32, 1, 4),
        ):
            self.assertEqual(self.failing(frame(kind, flags, number, bytes(size))), FRAME_SIZE_ERROR, (kind, size))
        for kind in (0, 1, 99):
            self.assertEqual(self.failing(b"\0\x40\1" + bytes((kind, 0)) + b"\0\0\0\1"), FRAME_SIZE_ERROR)

    def test_padding(self) -> None:
        """More padding than there is of the frame is refused."""
        for kind in (0, 1):
            self.assertEqual(self.failing(frame(kind, 8, 1, b"\3ab")), PROTOCOL_ERROR)
            self.assertEqual(self.failing(frame(kind, 8, 1, b"\2ab")), -1)

    def test_depends_on_itself(self) -> None:
        """A stream that depends on itself is refused; every other priority is passed over."""
        self.assertEqual(self.failing(with_priority(3, 3).serialize()), PROTOCOL_ERROR)
        self.assertEqual(self.failing(frame(2, 0, 3, b"\0\0\0\3\0")), PROTOCOL_ERROR)
        self.assertEqual(self.failing(frame(2, 0, 3, b"\0\0\0\1\0")), -1)

    def test_interrupted(self) -> None:
        """Nothing may stand between the frames of a header block, and only they continue it."""
        begun = headers(1, b"a", whole=False).serialize()
        for rest in (ping(), data(1, b"x"), data(1, b"x" * 2000), headers(1, b"b"), continuation(3, b"b")):
            self.assertEqual(self.failing(begun + rest.serialize()), PROTOCOL_ERROR, rest)
        self.assertEqual(self.failing(begun + frame(99, 0, 1, b"")), PROTOCOL_ERROR)
        self.assertEqual(self.failing(begun + data(1, b"x" * 9000).serialize()[:5000]), PROTOCOL_ERROR)

    def test_large_block(self) -> None:
        """A header block in however many frames has an end."""
        begun = headers(1, b"a" * 16000, whole=False).serialize()
        self.assertEqual(self.failing(begun + continuation(1, b"b" * 384).serialize()), -1)
        large = continuation(1, b"b" * 385, whole=False).serialize()
        for end in (9, len(large)):
            self.assertEqual(self.failing(begun + large[:end]), ENHANCE_YOUR_CALM)

    def test_kept(self) -> None:
        """What is kept of a frame or a header block is known until it is whole."""
        sink = Recorder()
        self.reader.receive(START, sink)
        for came, kept in (
            (headers(1, b"a" * 100, whole=False).serialize(), 100),
            (continuation(1, b"b" * 50).serialize()[:-1], 158),
            (b"b", 0),
            (ping().serialize()[:16], 16),
            (ping().serialize()[16:], 0),
        ):
            self.reader.receive(came, sink)
            self.assertEqual(self.reader.kept, kept)

    def test_stop(self) -> None:
        """It may be stopped from inside a call: then nothing more is told."""
        reader = self.reader

        class Stopping(Recorder):
            def ping_came(self, payload: bytes, acknowledges: bool) -> None:
                super().ping_came(payload, acknowledges)
                reader.stop()

        sink = Stopping()
        reader.receive(START + ping().serialize() * 3 + b"\0", sink)
        reader.receive(ping().serialize(), sink)
        self.assertEqual(sink.events[1:], [("ping", b"12345678", False)])
        self.assertFalse(reader.in_frame)


class WorkTests(SynchronousTestCase):
    """A reader that deals with so much at once."""

    def setUp(self) -> None:
        """Begin a connection."""
        self.reader = FrameReader(True)
        self.reader.work = WORK
        self.sink = Recorder()
        self.reader.receive(START, self.sink)
        self.sink.events.clear()

    def turns(self, data: bytes) -> list[int]:
        """Return how many events came in each turn that was needed for this."""
        counts, seen = [], len(self.sink.events)
        self.reader.receive(data, self.sink)
        while True:
            counts.append(len(self.sink.events) - seen)
            seen = len(self.sink.events)
            if not self.reader.deferred:
                return counts
            self.assertFalse(self.reader.in_head)
            self.assertGreater(self.reader.kept, 0)
            self.reader.deferred = False
            self.reader.receive(b"", self.sink)

    def test_requests(self) -> None:
        """The heads of 100 requests are read in a turn, and those of more in their order."""
        block = b"x" * 30
        asked = [headers(number, block).serialize() for number in range(1, 600, 2)]
        self.assertEqual(self.turns(b"".join(asked[:100])), [100])
        self.assertEqual(self.turns(b"".join(asked[100:])), [128, 72])
        self.assertEqual([each[1] for each in self.sink.events], list(range(1, 600, 2)))
        self.assertFalse(self.reader.in_frame)

    def test_behind_a_part(self) -> None:
        """Nor more where the first of very many came in part before."""
        asked = b"".join(headers(number, b"x" * 60).serialize() for number in range(1, 1001, 2))
        self.assertEqual(self.turns(asked[:20]), [0])
        self.assertEqual(self.turns(asked[20:])[:-1], [128] * 3)

    def test_others(self) -> None:
        """256 frames that are small are dealt with in a turn, and few that are large, if they are no DATA."""
        self.assertEqual(self.turns(window_update(1, 1).serialize() * 1000), [256, 256, 256, 232])
        self.assertEqual(self.turns(frame(4, 0, 0, b"\0\4\0\0\0\1" * 2000) * 5), [2, 2, 1])
        self.assertEqual(self.turns(headers(1, b"x" * 16000).serialize() * 3), [2, 1])
        self.assertEqual(self.turns(data(1, b"x" * 16000).serialize() * 4 + data(1, b"y").serialize()), [1])

    def test_resets(self) -> None:
        """Requests that are reset at once count as such."""
        pairs = b"".join(headers(n, b"x").serialize() + reset(n).serialize() for n in range(1, 201, 2))
        self.assertEqual(self.turns(pairs), [171, 29])

    def test_meanwhile(self) -> None:
        """What comes while the rest waits is kept behind it; the end of a frame may be in it."""
        asked = b"".join(headers(number, b"x").serialize() for number in range(1, 263, 2))
        self.reader.receive(asked[:-3], self.sink)
        self.assertTrue(self.reader.deferred)
        kept = self.reader.kept
        self.reader.receive(asked[-3:], self.sink)
        self.assertEqual((len(self.sink.events), self.reader.kept), (128, kept + 3))
        self.reader.deferred = False
        self.reader.receive(b"", self.sink)
        self.assertEqual((len(self.sink.events), self.reader.deferred, self.reader.kept), (131, False, 0))

    def test_part(self) -> None:
        """A frame that is not whole when the rest is dealt with is waited for as ever."""
        self.reader.receive(headers(1, b"x").serialize() * 128 + headers(1, b"x").serialize()[:5], self.sink)
        begun = self.reader.begun
        self.assertEqual((self.reader.deferred, self.reader.in_head), (True, False))
        self.reader.deferred = False
        self.reader.receive(b"", self.sink)
        self.assertEqual((self.reader.deferred, self.reader.in_head, self.reader.begun), (False, True, begun))

    def test_stop(self) -> None:
        """Nothing of what waits is read once the connection is over."""
        self.reader.receive(headers(1, b"x").serialize() * 130, self.sink)
        self.reader.stop()
        self.assertEqual((self.reader.deferred, self.reader.kept), (False, 0))

    def test_bodies(self) -> None:
        """A body in small pieces comes whole, in however many turns."""
        self.assertEqual(len(self.turns(data(1, b"z").serialize() * 600)), 3)
        self.assertEqual(self.sink.events, [("data", 1, b"z" * 600, 0, False)])
