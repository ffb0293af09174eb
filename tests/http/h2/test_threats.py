"""
What attackers send over HTTP/2 to a server, each as a conversation: it is bounded, and ends with the right code.

Rows are those of the catalogue of threats that the tests of HTTP/1 use, too.
"""

from __future__ import annotations

from hyperframe.frame import Frame, PriorityFrame

from edgegate.http.fields import Field
from edgegate.http.h2.budget import POINTS
from edgegate.http.h2.connection import STREAM_BYTES
from edgegate.http.h2.errors import (
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FRAME_SIZE_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
)
from edgegate.http.h2.frames import frame as raw_frame
from edgegate.http.h2.held_back import HELD_BYTES, UNREAD
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.settings import STREAMS
from tests.http.h2.recording import (
    REQUEST,
    UPLOAD,
    continuation,
    data,
    headers,
    ping,
    reset,
    said,
    settings,
    window_update,
)
from tests.http.h2.test_server import Conversation

GET = block_of(REQUEST)


class ThreatTests(Conversation):
    """Rows 47 to 63."""

    def flood(self, *frames: bytes, most: int = POINTS) -> None:
        """Say the same again and again: the connection ends, and not later than it must."""
        for times in range(10 * POINTS):
            self.server.receive(b"".join(frames))
            self.server.take() if self.server.code < 0 else None
            if self.server.code >= 0:
                self.assertLessEqual(times, most)
                break
        self.ended(self.peer.frames(), ENHANCE_YOUR_CALM)

    def numbered(self, *kinds: str) -> None:
        """Begin streams and do the same to each: the connection ends."""
        number = 1
        while self.server.code < 0 and number < 20 * POINTS:
            made = {
                "get": headers(number, GET),
                "post": headers(number, block_of(UPLOAD), False),
                "reset": reset(number),
                "zero": window_update(number, 0),
                "overflow": window_update(number, (1 << 31) - 1),
                "late": data(number, b"x"),
                "malformed": headers(number, block_of([(b":path", b"/")])),
                "refused": headers(number, block_of([*REQUEST, (b"host", b"b.example")])),
            }
            self.server.receive(b"".join(made[kind].serialize() for kind in kinds))
            number += 2
        self.assertLessEqual(number, 2 * (POINTS + STREAMS) + 3)
        self.ended(self.peer.frames(), ENHANCE_YOUR_CALM)

    def test_47_rapid_reset(self) -> None:
        """Requests that are reset as soon as they were asked (CVE-2023-44487)."""
        self.numbered("get", "reset")

    def test_47_answered(self) -> None:
        """Resets of requests that were answered cost nothing, as they may have crossed."""
        self.begin(b"x")
        for number in range(1, 10 * POINTS, 2):
            self.peer.tell(headers(number, GET), reset(number))
        self.serves()

    def test_47_now_and_then(self) -> None:
        """A client that gives up every other request is served."""
        self.begin(b"x")
        for number in range(1, 10 * POINTS, 4):
            self.peer.tell(headers(number, block_of(UPLOAD), False), reset(number), headers(number + 2, GET))
        self.serves()

    def test_48_made_you_reset(self) -> None:
        """Streams that the server is made to reset (CVE-2025-8671), in each way that there is."""
        for kinds in (
            ("get", "zero"),
            ("get", "overflow"),
            ("get", "late"),
            ("malformed",),
            ("post", "malformed"),
        ):
            self.begin()
            self.numbered(*kinds)

    def test_48_refused(self) -> None:
        """Requests that are answered with a fault and then reset."""
        self.numbered("refused", "reset")

    def test_49_continuation(self) -> None:
        """A header block in very many frames (CVE-2024-27316), also of nothing."""
        for piece in (b"", b"x"):
            self.begin()
            self.peer.tell(headers(1, b"", whole=False))
            self.flood(continuation(1, piece, whole=False).serialize())
        self.begin()
        self.peer.tell(headers(1, b"", whole=False))
        self.flood(continuation(1, b"x" * 8192, whole=False).serialize(), most=2)

    def test_49_of_a_closed_stream(self) -> None:
        """Trailers again and again of a stream that was reset by us."""
        self.peer.headers(1, UPLOAD, False)
        self.leave()
        self.flood(headers(1, block_of([(b"a", b"b")])).serialize())

    def test_50_bomb(self) -> None:
        """A large field, named a thousand times by its place: 431, without the list that it means."""
        big: list[Field] = [(b"x", b"y" * 4000)]
        self.peer.headers(1, [*REQUEST, *big])
        place = self.peer.encoder.encode(big)
        self.assertEqual(len(place), 1)
        self.peer.tell(headers(3, self.peer.encoder.encode(REQUEST) + bytes(place) * 16000))
        stream = self.server.began[1]
        self.assertEqual(stream.fault and stream.fault.status, 431)
        self.assertLessEqual(len(self.server._decoder.decode(bytes(place) * 16000)), 4)
        self.serves()

    def test_50_integers(self) -> None:
        """Integers without an end, and places that are none, end the connection."""
        for block in (
            b"\xff" + b"\xff" * 100,
            b"\xff\xff\xff\xff\x7f",
            b"\x80",
            b"\x3f\xff\xff\x7f",
            b"\x00\x7f\xff\xff",
        ):
            self.begin()
            self.ended(self.peer.tell(headers(1, block)), COMPRESSION_ERROR)

    def test_51_floods(self) -> None:
        """PING, SETTINGS, their acknowledgements, PRIORITY of many streams, unknown frames, WINDOW_UPDATE, GOAWAY."""
        self.flood(ping().serialize())
        self.begin()
        self.flood(ping(acknowledges=True).serialize())
        for frame in (
            settings({}).serialize(),
            settings({4: 10}).serialize() + settings({4: 20}).serialize(),
            raw_frame(4, 1, 0, b""),
            PriorityFrame(99).serialize(),
            raw_frame(16, 0, 0, b"\0\0\0\1u=1"),
            raw_frame(0x4B, 0, 0, b""),
            raw_frame(7, 0, 0, bytes(8)),
        ):
            self.begin()
            self.flood(frame)
        self.begin()
        self.flood(window_update(0, 1).serialize(), most=POINTS + 10)

    def test_51_priorities(self) -> None:
        """A thousand idle streams with priorities, of which Twisted's server dies."""
        for number in range(1, 2001, 2):
            self.server.receive(PriorityFrame(number).serialize())
        self.ended(self.peer.frames(), ENHANCE_YOUR_CALM)

    def test_51_many_settings(self) -> None:
        """Very many settings in one frame are not even looked at."""
        payload = b"\0\4\0\0\0\1" * 2730
        self.ended(self.peer.say(raw_frame(4, 0, 0, payload)), ENHANCE_YOUR_CALM)

    def test_51_empty_data(self) -> None:
        """DATA without a byte, of a stream that is open, and of one that is over; padding is no byte."""
        self.peer.headers(1, UPLOAD, False)
        self.flood(data(1, b"").serialize())
        self.begin()
        self.peer.headers(1, UPLOAD, False)
        self.flood(data(1, b"", padding=9).serialize())
        self.begin()
        self.peer.headers(1, UPLOAD, False)
        self.leave()
        self.flood(data(1, b"").serialize())

    def test_51_mixed(self) -> None:
        """A mixture is no cheaper."""
        self.flood(ping().serialize(), settings({}).serialize(), PriorityFrame(9).serialize(), most=POINTS // 3)

    def test_51_slow(self) -> None:
        """A PING each second for a day is no flood."""
        for _ in range(86400 // 60):
            for _ in range(60):
                self.server.clock.now += 1
                self.server.receive(ping().serialize())
            self.server.take()
        self.serves()

    def test_52_zero_window(self) -> None:
        """A client that asks for much and opens no window: few are begun, what waits is known to be too much."""
        self.begin(b"x" * 100_000)
        self.peer.tell(settings({4: 0}))
        for number in range(1, 2 * STREAMS, 2):
            self.peer.headers(number, REQUEST)
        asked = [stream for stream in self.server.began if stream.head is not None]
        self.assertEqual((len(asked), self.server.held_back), (UNREAD, STREAMS - UNREAD))
        self.assertEqual({stream.full for stream in asked}, {True})
        self.assertEqual({stream.queued for stream in asked}, {100_000})
        held = self.server.held_bytes
        self.assertGreaterEqual(held, (STREAMS - UNREAD) * HELD_BYTES)
        self.assertEqual(self.server.kept, UNREAD * (100_000 + STREAM_BYTES) + held)
        self.assertEqual(self.server.queue.gathered, 0)
        self.server.lost()
        self.assertEqual({stream.queued for stream in self.server.began}, {0})
        self.assertEqual((self.server.held_back, self.server.kept, self.server.held_streams()), (0, 0, []))

    def test_54_downgrade(self) -> None:
        """Lengths and codings that HTTP/1 would read otherwise (H2.CL, H2.TE)."""
        number = 1
        for fields in (
            [(b"content-length", b"0"), (b"content-length", b"5")],
            [(b"content-length", b"5, 5")],
            [(b"transfer-encoding", b"chunked")],
            [(b"connection", b"transfer-encoding")],
        ):
            frames = self.peer.headers(number, [*UPLOAD, *fields], False)
            self.assertEqual(said(frames), [("RST_STREAM", number, PROTOCOL_ERROR)])
            number += 2

    def test_55_line_ends(self) -> None:
        """Ends of lines, NUL and space, wherever they might come into a request line or a field line."""
        number = 1
        for name, value in (
            (b":path", b"/\r\nx: y"),
            (b":authority", b"a\r\nx: y"),
            (b":method", b"GET / HTTP/1.1\r\nx: y"),
            (b":scheme", b"https\r\n"),
            (b"a", b"b\r\nc: d"),
            (b"a", b"b\nc: d"),
            (b"a", b"b\0c"),
            (b"a\r\nb", b"c"),
            (b"a b", b"c"),
            (b"a:b", b"c"),
        ):
            fields = [*(field for field in REQUEST if field[0] != name), (name, value)]
            fields.sort(key=lambda field: field[0][:1] != b":")
            frames = self.peer.headers(number, fields)
            self.assertEqual(said(frames), [("RST_STREAM", number, PROTOCOL_ERROR)], (name, value))
            number += 2

    def test_55_from_the_table(self) -> None:
        """What is malformed is so again when it comes from the table."""
        fields: list[Field] = [*REQUEST, (b"a", b"b\r\nc: d")]
        for number in range(1, 9, 2):
            self.assertEqual(said(self.peer.headers(number, fields)), [("RST_STREAM", number, PROTOCOL_ERROR)])

    def test_60_streams(self) -> None:
        """Streams above the limit are refused; who goes on is ended."""
        frames: list[Frame] = []
        for number in range(1, 2 * (STREAMS + POINTS), 2):
            frames += self.peer.tell(headers(number, GET))
        refused = [frame for frame in said(frames) if frame[0] == "RST_STREAM"]
        self.assertEqual(
            (len(refused), {frame[2] for frame in refused}), (POINTS - 1, {REFUSED_STREAM})
        )  # the settings took one
        self.ended(frames, ENHANCE_YOUR_CALM)

    def test_62_after_the_response(self) -> None:
        """DATA and RST_STREAM behind an early response."""
        self.peer.headers(1, UPLOAD, False)
        self.server.send_head(self.server.began[0], block_of([(b":status", b"413")]), True)
        self.peer.frames()
        self.assertEqual(self.peer.tell(data(1, b"x"), data(1, b"x", ends=True), reset(1)), [])
        self.serves()

    def test_63_goaway(self) -> None:
        """Whatever ends a connection, GOAWAY is the last that is written, and all streams were told."""
        for frames, code in (
            (ping().serialize()[:3] + b"\6\0\0\0\0\1" + b"12345678", PROTOCOL_ERROR),
            (raw_frame(6, 0, 0, b"1234567"), FRAME_SIZE_ERROR),
            (raw_frame(0, 0, 0, b"x"), PROTOCOL_ERROR),
        ):
            self.begin()
            self.peer.headers(1, REQUEST)
            self.ended(self.peer.say(frames), code)
