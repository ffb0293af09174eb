"""Tests of L{edgegate.http.h2.server}, with what both ends have in common."""

from __future__ import annotations

from hyperframe.frame import DataFrame, Frame, HeadersFrame, PriorityFrame, SettingsFrame
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import BAD_HOST, HEAD_TOO_LARGE, METHOD_UNKNOWN, NO_ROUTE
from edgegate.http.fields import Field
from edgegate.http.h2.errors import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    INTERNAL_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
)
from edgegate.http.h2.flow import CONNECTION_WINDOW, FULL, GROWN_WINDOW, STREAM_WINDOW
from edgegate.http.h2.frames import FRAME_BYTES
from edgegate.http.h2.held_back import UNREAD
from edgegate.http.h2.hpack import REMEMBERED, block_of
from edgegate.http.h2.settings import STREAMS
from tests.http.h2.recording import (
    OK,
    REQUEST,
    UPLOAD,
    Peer,
    RecordedRequest,
    RecordedServer,
    continuation,
    data,
    goaway,
    headers,
    ping,
    reset,
    said,
    settings,
    window_update,
)


class Conversation(SynchronousTestCase):
    """A client and a server, whose settings were exchanged."""

    def begin(self, answers: bytes = b"", holds: bool = False, extended_connect: bool = True) -> None:
        """Connect."""
        self.server = RecordedServer(answers, holds, extended_connect)
        self.first = self.server.take()
        self.peer = Peer(self.server)
        self.left: list[RecordedRequest] = []

    def setUp(self) -> None:
        self.begin()

    def ended(self, frames: list[Frame], code: int) -> None:
        """The connection has ended with a code, and what follows is not read."""
        self.assertEqual(said(frames)[-1][0], "GOAWAY", said(frames))
        self.assertEqual((said(frames)[-1][2], self.server.code), (code, code), self.server.reason)
        self.assertEqual((self.peer.tell(ping()), self.server.streams), ([], {}))
        for stream in self.server.began:
            ends = sum(event[0] in ("reset", "closed") for event in stream.events)
            self.assertEqual((ends, stream.gone), (int(stream not in self.left), True), stream.events)

    def leave(self) -> None:
        """Reset the first stream: it is told nothing of that."""
        self.left = self.server.began[:1]
        self.server.reset(self.left[0], NO_ERROR)

    def serves(self) -> None:
        """The connection still serves others."""
        number = self.server.last + 2
        self.peer.headers(number, REQUEST)
        self.assertEqual(self.server.began[-1].number, number)
        self.assertEqual(self.server.code, -1, self.server.reason)


class RequestTests(Conversation):
    """Requests and their responses."""

    def test_beginning(self) -> None:
        """Our settings come first, without waiting; the client acknowledges them, as we do its own."""
        server = RecordedServer()
        from_us = server.take()
        self.assertEqual(
            from_us,
            b"\0\0\x18\4\0\0\0\0\0\0\3\0\0\0d\0\x08\0\0\0\1\0\4\0\1\0\0\0\6\0\0\x40\0\0\0\4\x08\0\0\0\0\0\0\x0f\0\1",
        )
        self.assertTrue(server.awaits_settings)
        peer = Peer(server)
        self.assertFalse(server.awaits_settings)
        self.assertFalse(server.acknowledged)
        ack = SettingsFrame(0)
        ack.flags.add("ACK")
        self.assertEqual(peer.tell(ack), [])
        self.assertTrue(server.acknowledged)

    def test_settings_acknowledged(self) -> None:
        """Whoever waits for the acknowledgement ends the connection in the end."""
        self.server.settings_overdue()
        self.ended(self.peer.frames(), SETTINGS_TIMEOUT)

    def test_get(self) -> None:
        """A request without a body is whole with its head; its response ends with the last byte of its length."""
        self.begin(b"hello")
        frames = self.peer.headers(1, REQUEST)
        self.assertEqual(said(frames), [("HEADERS", 1, False), ("DATA", 1, 5, True)])
        stream = self.server.began[0]
        self.assertEqual((stream.events, self.server.streams), ([("head",), ("closed",)], {}))
        assert stream.head is not None
        self.assertEqual((stream.head.method, stream.head.host, stream.head.length), (b"GET", "a.example", 0))

    def test_known_block(self) -> None:
        """A block that comes again is the same head, and is not decoded."""
        for number in (1, 3, 5, 7):
            self.peer.headers(number, REQUEST)
        heads = [stream.head for stream in self.server.began]
        self.assertIsNot(heads[0], heads[1])  # the first block changed the table
        self.assertIs(heads[2], heads[3])

    def test_known_block_changed_table(self) -> None:
        """A block that is remembered is forgotten when the table changes: it may mean something else then."""
        other = [*REQUEST[:3], (b":path", b"/other")]
        for number, fields in ((1, REQUEST), (3, REQUEST), (5, other), (7, REQUEST), (9, other), (11, REQUEST)):
            self.peer.headers(number, fields)
        targets = [stream.head and stream.head.target for stream in self.server.began]
        self.assertEqual(targets, [b"/", b"/", b"/other", b"/", b"/other", b"/"])

    def test_known_block_with_body(self) -> None:
        """The same block means another length where a body follows."""
        block = block_of(UPLOAD)
        for number, ends in ((1, True), (3, False), (5, True), (7, False)):
            self.peer.tell(headers(number, block, ends))
        lengths = [stream.head and stream.head.length for stream in self.server.began]
        self.assertEqual(lengths, [0, -1, 0, -1])

    def test_upload(self) -> None:
        """A body comes in pieces, then its end with its trailers (row 61)."""
        self.begin(b"x")
        self.peer.headers(1, UPLOAD, False)
        self.peer.tell(data(1, b"abc"), data(1, b"def", padding=5))
        frames = self.peer.headers(1, [(b"checksum", b"1")])
        stream = self.server.began[0]
        self.assertEqual(stream.body, b"abcdef")
        self.assertEqual(stream.events[-2:], [("end", [(b"checksum", b"1")]), ("closed",)])
        self.assertEqual(said(frames)[-1], ("DATA", 1, 1, True))

    def test_response_trailers(self) -> None:
        """A response may end with trailers, behind what waits of its body."""
        self.peer.tell(settings({4: 2}))
        self.peer.headers(1, REQUEST)
        stream = self.server.began[0]
        self.server.send_head(stream, OK, False)
        self.server.send_data(stream, b"abc")
        self.server.end(stream, block_of([(b"grpc-status", b"0")]))
        self.server.end(stream)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("DATA", 1, 2, False)])
        frames = self.peer.tell(window_update(1, 10))
        self.assertEqual(said(frames), [("DATA", 1, 1, False), ("HEADERS", 1, True)])
        self.assertEqual(stream.events[-1], ("closed",))

    def test_interim(self) -> None:
        """Interim responses go before the final one."""
        self.peer.headers(1, REQUEST)
        stream = self.server.began[0]
        self.server.send_head(stream, block_of([(b":status", b"103")]), False)
        self.server.send_head(stream, OK, True)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("HEADERS", 1, True)])

    def test_early_response(self) -> None:
        """
        A response that ends before its request stops the upload without a fault; what is on its way is passed over,
        its trailers too (row 62).
        """
        self.peer.headers(1, UPLOAD, False)
        stream = self.server.began[0]
        self.server.send_head(stream, OK, True)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, True), ("RST_STREAM", 1, NO_ERROR)])
        self.assertEqual(stream.events, [("head",), ("closed",)])
        self.assertEqual(self.peer.tell(data(1, b"late"), reset(1), window_update(1, 5)), [])
        self.peer.headers(1, [(b"checksum", b"late")])
        self.serves()

    def test_late_data_is_given_back(self) -> None:
        """What comes for a stream that is over uses up nobody's window."""
        self.peer.headers(1, UPLOAD, False)
        self.server.send_head(self.server.began[0], OK, True)
        self.peer.frames()
        told = 0
        for _ in range(CONNECTION_WINDOW // 16384 + 1):
            frames = self.peer.tell(data(1, b"x" * 16384))
            told += sum(frame.window_increment for frame in frames if frame.stream_id == 0)
        self.assertGreaterEqual(told, CONNECTION_WINDOW // 2)
        self.serves()

    def test_reset(self) -> None:
        """A client may reset its request; what we then send of it goes nowhere."""
        self.peer.headers(1, REQUEST)
        self.peer.tell(reset(1, CANCEL))
        stream = self.server.began[0]
        self.assertEqual(stream.events, [("head",), ("reset", CANCEL)])
        self.server.send_head(stream, OK, False)
        self.server.send_data(stream, b"x")
        self.server.end(stream)
        self.server.reset(stream, CANCEL)
        self.server.consumed(stream, 5)
        self.assertEqual(self.peer.frames(), [])
        self.serves()

    def test_reset_by_us(self) -> None:
        """A stream that we reset is told nothing any more."""
        self.peer.headers(1, REQUEST)
        self.server.reset(self.server.began[0], INTERNAL_ERROR)
        self.assertEqual(said(self.peer.frames()), [("RST_STREAM", 1, INTERNAL_ERROR)])
        self.assertEqual(self.server.began[0].events, [("head",)])
        self.serves()

    def test_content_length(self) -> None:
        """A body that is longer or shorter than was said ends its stream, and no other (row 54)."""
        fields = [*UPLOAD, (b"content-length", b"5")]
        for number, frames in (
            (1, [data(1, b"123456")]),
            (3, [data(3, b"1234", ends=True)]),
            (5, [data(5, b"1"), data(5, b"", ends=True)]),
            (7, [headers(7, b"", ends=True)]),
        ):
            self.peer.headers(number, fields, False)
            self.assertEqual(said(self.peer.tell(*frames)), [("RST_STREAM", number, PROTOCOL_ERROR)])
            self.assertEqual(self.server.began[-1].events[-1], ("reset", PROTOCOL_ERROR))
        self.assertEqual(said(self.peer.headers(9, fields, True)), [("RST_STREAM", 9, PROTOCOL_ERROR)])
        self.peer.headers(11, fields, False)
        self.peer.tell(data(11, b"12345", ends=True))
        self.assertEqual(self.server.began[-1].events[-1], ("end", []))
        self.serves()

    def test_refused(self) -> None:
        """A request that HTTP/1 would have refused is answered; a list too long as well, with the table as it was."""
        for number, fields, fault in (
            (1, [*REQUEST, (b"host", b"b.example")], BAD_HOST),
            (3, [(b":method", b"X"), *REQUEST[1:]], METHOD_UNKNOWN),
            (5, [*REQUEST, *[(b"a%d" % at, b"") for at in range(97)]], HEAD_TOO_LARGE),
            (7, [(b":method", b"CONNECT"), (b":authority", b"a:1")], NO_ROUTE),
        ):
            self.peer.headers(number, fields)
            self.assertEqual(self.server.began[-1].events, [("refused", fault)])
        self.peer.headers(9, [*REQUEST, (b"a95", b"")])
        head = self.server.began[-1].head
        assert head is not None
        self.assertEqual(head.fields, [(b"a95", b"")])

    def test_refused_upload(self) -> None:
        """What follows of a request that was refused is taken, and its answer ends it."""
        self.begin(b"x")
        frames = self.peer.headers(1, [*UPLOAD, (b"host", b"b.example")], False)
        self.assertEqual(said(frames), [("HEADERS", 1, True), ("RST_STREAM", 1, NO_ERROR)])
        self.serves()

    def test_malformed(self) -> None:
        """A request that breaks HTTP/2 is reset, and no other; the table stays right."""
        upper: list[Field] = [*REQUEST, (b"Upper", b"x")]
        for number, fields in ((1, upper), (3, [*REQUEST, (b"a", b"\r\n")]), (5, [(b":path", b"/")]), (7, [])):
            self.assertEqual(said(self.peer.headers(number, fields)), [("RST_STREAM", number, PROTOCOL_ERROR)])
        self.peer.headers(9, [*REQUEST, (b"a", b"b")])
        self.assertEqual(self.server.began[0].number, 9)
        self.assertEqual(self.server.began[0].head and self.server.began[0].head.fields, [(b"a", b"b")])

    def test_malformed_trailers(self) -> None:
        """Trailers that are none, or that do not end the stream, reset it."""
        for number, fields, ends in (
            (1, [(b":path", b"/")], True),
            (3, [(b"a", b"b")], False),
            (5, [(b"connection", b"close")], True),
            (7, [(b"A", b"b")], True),
        ):
            self.peer.headers(number, UPLOAD, False)
            self.assertEqual(said(self.peer.headers(number, fields, ends)), [("RST_STREAM", number, PROTOCOL_ERROR)])
        self.serves()

    def test_large_trailers(self) -> None:
        """Trailers have the limits of a head."""
        self.peer.headers(1, UPLOAD, False)
        frames = self.peer.headers(1, [(b"a", b"%d" % at) for at in range(101)])
        self.assertEqual(said(frames), [("RST_STREAM", 1, ENHANCE_YOUR_CALM)])
        self.serves()

    def test_tunnel(self) -> None:
        """Extended CONNECT: each side ends by itself (RFC 8441)."""
        fields: list[Field] = [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *REQUEST[1:]]
        self.peer.headers(1, fields, False)
        stream = self.server.began[0]
        assert stream.head is not None
        self.assertEqual(stream.head.upgrade, (b"websocket",))
        self.server.send_head(stream, OK, False)
        self.server.send_data(stream, b"bye", True)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("DATA", 1, 3, True)])
        self.peer.tell(data(1, b"more"), data(1, b"", ends=True))
        self.assertEqual(stream.events, [("head",), ("body", b"more"), ("end", []), ("closed",)])

    def test_no_tunnel(self) -> None:
        """Where extended CONNECT was not offered it is malformed."""
        self.begin(extended_connect=False)
        self.assertNotIn(b"\0\x08\0\0\0\1", self.first)
        fields: list[Field] = [(b":method", b"CONNECT"), (b":protocol", b"websocket"), *REQUEST[1:]]
        self.assertEqual(said(self.peer.headers(1, fields)), [("RST_STREAM", 1, PROTOCOL_ERROR)])

    def test_small_table(self) -> None:
        """A client that has a smaller table is told once that nothing is put into it (RFC 7541 section 4.2)."""
        self.peer.tell(settings({1: 0}))
        self.peer.decoder.header_table_size = 0
        self.peer.decoder.max_allowed_table_size = 0
        for number in (1, 3):
            self.peer.headers(number, REQUEST)
            self.server.send_head(self.server.began[-1], OK, True)
            frame = self.peer.frames()[0]
            assert isinstance(frame, HeadersFrame)
            self.assertEqual(self.peer.decoder.decode(frame.data), [(":status", "200")])
            self.assertEqual(frame.data, b" \x88" if number == 1 else b"\x88")

    def test_large_response_head(self) -> None:
        """A response's head comes in as many frames as the client needs."""
        block = block_of([(b":status", b"200"), (b"a", b"x" * 40000)])
        self.peer.headers(1, REQUEST)
        self.server.send_head(self.server.began[0], block, True)
        self.assertEqual([len(frame.data) for frame in self.peer.frames()], [16384, 16384, len(block) - 32768])

    def test_ping(self) -> None:
        """A PING is answered with what it holds; the answer to ours is told."""
        self.assertEqual([frame.opaque_data for frame in self.peer.tell(ping())], [b"12345678"])
        self.server.ping(b"12345678")
        self.assertEqual(said(self.peer.frames()), [("PingFrame", 0, False)])
        self.peer.tell(ping(acknowledges=True))
        self.assertEqual(self.server.pings, [b"12345678"])

    def test_lost(self) -> None:
        """With its transport all streams of a connection end, and nothing is to be written."""
        remembered = REMEMBERED.blocks
        for number in (1, 3):
            self.peer.headers(number, REQUEST)
        self.server.lost()
        self.server.lost()
        self.assertEqual(REMEMBERED.blocks, remembered)
        self.assertEqual([stream.events for stream in self.server.began], [[("head",), ("reset", NO_ERROR)]] * 2)
        self.assertEqual((self.server.take(), self.server.streams), (b"", {}))


class FlowTests(Conversation):
    """Bodies that are not taken as fast as they come."""

    def test_held(self) -> None:
        """A client may send as much as its window, whoever reads it; more ends its stream (row 48)."""
        self.begin(holds=True)
        self.peer.headers(1, UPLOAD, False)
        sent = 0
        while sent < STREAM_WINDOW:
            self.assertEqual(self.peer.tell(data(1, b"x" * 16384)), [])
            sent += 16384
        self.assertEqual(said(self.peer.tell(data(1, b"x"))), [("RST_STREAM", 1, FLOW_CONTROL_ERROR)])
        self.assertEqual(self.server.began[0].events[-1], ("reset", FLOW_CONTROL_ERROR))
        self.serves()

    def test_consumed(self) -> None:
        """There is room again once half of it was consumed."""
        self.begin(holds=True)
        self.peer.headers(1, UPLOAD, False)
        for _ in range(4):
            self.peer.tell(data(1, b"x" * 16384))
        stream = self.server.began[0]
        self.server.consumed(stream, 30000)
        self.assertEqual(self.peer.frames(), [])
        self.server.consumed(stream, 10000)
        self.assertEqual(said(self.peer.frames()), [("WINDOW_UPDATE", 1, 40000)])

    def test_held_by_reset(self) -> None:
        """What a stream held that is reset is given back to the others."""
        self.begin(holds=True)
        for number in range(1, 1 + 2 * CONNECTION_WINDOW // STREAM_WINDOW, 2):
            self.peer.headers(number, UPLOAD, False)
            for _ in range(4):
                self.peer.tell(data(number, b"x" * 16384))
        told = sum(
            frame.window_increment for stream in self.server.began for frame in self.peer.tell(reset(stream.number))
        )
        self.assertEqual(told, CONNECTION_WINDOW)
        self.server.consumed(self.server.began[0], 10000)
        self.assertEqual(self.peer.frames(), [])

    def test_connection_window(self) -> None:
        """All streams together may send as much as the connection's window; more ends it."""
        self.begin(holds=True)
        numbers = range(1, 3 + 2 * CONNECTION_WINDOW // STREAM_WINDOW, 2)
        frames: list[Frame] = []
        for number in numbers:
            self.assertEqual(self.server.code, -1)
            self.peer.headers(number, UPLOAD, False)
            for _ in range(4):
                frames += self.peer.tell(data(number, b"x" * 16384))
        self.assertEqual(said(frames), [("GOAWAY", numbers[-1], FLOW_CONTROL_ERROR)])

    def test_padding(self) -> None:
        """Padding counts, and is given back at once."""
        self.begin(holds=True)
        self.peer.headers(1, UPLOAD, False)
        told = 0
        for _ in range(1000):
            frames = self.peer.tell(data(1, b"x", padding=255))
            told += sum(frame.window_increment for frame in frames if frame.stream_id == 1)
        self.assertGreater(told, 256 * 1000 - STREAM_WINDOW)
        self.assertEqual(self.server.began[0].held, 1000)

    def test_grows(self) -> None:
        """The window of an upload grows, as long as its bytes are consumed at once, to a limit, and for a few only."""
        room = [STREAM_WINDOW] * 3
        for at in range(3):
            self.peer.headers(2 * at + 1, UPLOAD, False)
        for _ in range(200):
            for at in range(3):
                frames = self.peer.tell(data(2 * at + 1, b"x" * 16000))
                room[at] -= 16000
                for frame in frames:
                    if frame.stream_id:
                        room[(frame.stream_id - 1) // 2] += frame.window_increment
        limits = [stream.limit for stream in self.server.began]
        self.assertEqual(max(limits), GROWN_WINDOW)
        self.assertEqual(sum(limits), 3 * STREAM_WINDOW + CONNECTION_WINDOW // 2)
        for each, limit in zip(room, limits, strict=True):
            self.assertGreater(each, limit // 2 - 16000)
        for stream in self.server.began:
            self.peer.tell(reset(stream.number))
        self.assertEqual(self.server._spare, CONNECTION_WINDOW // 2)

    def test_slow_client(self) -> None:
        """A response for which there is no room waits, and says when no more should come, and when it may."""
        self.peer.headers(1, REQUEST)
        stream = self.server.began[0]
        self.server.send_head(stream, OK, False)
        self.assertTrue(self.server.send_data(stream, b"x" * 65535))
        self.assertTrue(self.server.send_data(stream, b"x" * FULL))
        self.assertFalse(self.server.send_data(stream, b"x"))
        self.peer.frames()
        self.peer.tell(window_update(0, 1 << 20), window_update(1, FULL))
        self.assertEqual(stream.events[-1], ("room",))
        self.assertTrue(self.server.send_data(stream, b"x"))

    def test_not_read(self) -> None:
        """While the transport takes nothing bodies wait."""
        self.peer.headers(1, REQUEST)
        self.server.queue.hold()
        stream = self.server.began[0]
        self.server.send_head(stream, OK, False, 1)
        self.server.send_data(stream, b"x")
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False)])
        self.server.queue.go_on()
        self.assertEqual(said(self.peer.frames()), [("DATA", 1, 1, True)])

    def test_negative_window(self) -> None:
        """Settings that make a window negative make it wait, and end nothing (row 53)."""
        self.begin(b"x" * 100)
        self.peer.tell(settings({4: 50}))
        frames = self.peer.headers(1, REQUEST)
        self.assertEqual(said(frames), [("HEADERS", 1, False), ("DATA", 1, 50, False)])
        self.assertEqual(said(self.peer.tell(settings({4: 10}))), [("SettingsFrame", 0, True)])
        self.assertEqual(self.server.began[0].window, -40)
        self.assertEqual(self.peer.tell(window_update(1, 40)), [])
        self.assertEqual(said(self.peer.tell(window_update(1, 10))), [("DATA", 1, 10, False)])
        frames = self.peer.tell(settings({4: 1000}))
        self.assertEqual(said(frames), [("SettingsFrame", 0, True), ("DATA", 1, 40, True)])
        self.serves()

    def test_too_large(self) -> None:
        """A window beyond its end: a stream's ends that, the connection's and the settings' end the connection."""
        for change, ends in (
            (window_update(1, (1 << 31) - 1), False),
            (window_update(0, (1 << 31) - 1), True),
            (settings({4: 1 << 31}), True),
        ):
            self.begin()
            self.peer.headers(1, REQUEST)
            frames = self.peer.tell(change)
            if ends:
                self.ended(frames, FLOW_CONTROL_ERROR)
            else:
                self.assertEqual(said(frames), [("RST_STREAM", 1, FLOW_CONTROL_ERROR)])
                self.serves()
        self.begin()
        self.peer.headers(1, REQUEST)
        self.peer.tell(window_update(1, (1 << 31) - 65536))
        self.ended(self.peer.tell(settings({4: 65536})), FLOW_CONTROL_ERROR)

    def test_by_nothing(self) -> None:
        """A WINDOW_UPDATE by nothing ends its stream, or the connection (RFC 9113 section 6.9)."""
        self.peer.headers(1, REQUEST)
        self.assertEqual(said(self.peer.tell(window_update(1, 0))), [("RST_STREAM", 1, PROTOCOL_ERROR)])
        self.ended(self.peer.tell(window_update(0, 0)), PROTOCOL_ERROR)


class StateTests(Conversation):
    """RFC 9113 section 5.1: which frames may come when."""

    def test_idle(self) -> None:
        """Of a stream that has not begun there is nothing but HEADERS and PRIORITY."""
        for frame in (data(1, b"x"), reset(1), window_update(1, 5), data(2, b"x"), headers(2, block_of(REQUEST))):
            self.begin()
            self.ended(self.peer.tell(frame), PROTOCOL_ERROR)
        self.begin()
        self.assertEqual(self.peer.tell(PriorityFrame(5)), [])
        self.serves()

    def test_half_closed(self) -> None:
        """Behind the end of a request nothing follows, whatever is wrong with it besides."""
        for frame in (data(1, b"x"), headers(1, b""), headers(1, block_of(REQUEST))):
            self.begin()
            self.peer.headers(1, REQUEST)
            self.assertEqual(said(self.peer.tell(frame)), [("RST_STREAM", 1, STREAM_CLOSED)])
            self.serves()

    def test_closed(self) -> None:
        """Nor does anything behind the end of a stream; room for it, or a reset, may have been on its way."""
        for frame in (data(1, b"x"), headers(1, block_of(REQUEST))):
            self.begin(b"x")
            self.peer.headers(1, REQUEST)
            self.ended(self.peer.tell(frame), STREAM_CLOSED)
        self.begin(b"x")
        self.peer.headers(1, REQUEST)
        self.assertEqual(self.peer.tell(window_update(1, 5), reset(1)), [])
        self.serves()

    def test_after_reset(self) -> None:
        """A client that has reset a stream has done with it."""
        self.peer.headers(1, UPLOAD, False)
        self.peer.tell(reset(1))
        self.ended(self.peer.tell(data(1, b"x")), STREAM_CLOSED)

    def test_left_out(self) -> None:
        """A stream whose number was passed over can't begin any more (RFC 9113 section 5.1.1)."""
        self.peer.headers(5, REQUEST)
        self.ended(self.peer.headers(3, REQUEST), PROTOCOL_ERROR)

    def test_left_out_often(self) -> None:
        """That is remembered of the last few only."""
        for number in range(3, 203, 4):
            self.peer.headers(number, REQUEST)
            self.peer.tell(reset(number))
        self.assertEqual(len(self.server._gaps), 16)
        self.ended(self.peer.headers(1, REQUEST), STREAM_CLOSED)

    def test_many_streams(self) -> None:
        """Streams above the limit are refused, and may be asked for again elsewhere (row 60)."""
        for number in range(1, 2 * STREAMS, 2):
            self.assertEqual(self.peer.headers(number, REQUEST), [])
        frames = self.peer.headers(2 * STREAMS + 1, REQUEST)
        self.assertEqual(said(frames), [("RST_STREAM", 2 * STREAMS + 1, REFUSED_STREAM)])
        self.peer.tell(reset(1))
        self.serves()

    def test_push(self) -> None:
        """No client pushes."""
        self.ended(self.peer.say(b"\0\0\4\5\4\0\0\0\1\0\0\0\2"), PROTOCOL_ERROR)

    def test_preface(self) -> None:
        """What is no HTTP/2 is told so (row 63)."""
        self.server = RecordedServer()
        self.server.take()
        self.server.receive(b"GET / HTTP/1.1\r\n")
        self.assertEqual(said(self.peer_frames()), [("GOAWAY", 0, PROTOCOL_ERROR)])

    def peer_frames(self) -> list[Frame]:
        """Return what the server wrote."""
        self.peer.connection = self.server
        return self.peer.frames()

    def test_goaway(self) -> None:
        """A client that goes away is still answered."""
        self.begin(b"x")
        self.peer.headers(1, UPLOAD, False)
        self.assertEqual(self.peer.tell(goaway(0)), [])
        self.assertTrue(self.server.peer_leaving)
        frames = self.peer.tell(data(1, b"", ends=True))
        self.assertEqual(said(frames), [("HEADERS", 1, False), ("DATA", 1, 1, True)])

    def test_drain(self) -> None:
        """GOAWAY in two steps: what was on its way before the second is taken, what comes after it is passed over."""
        self.peer.headers(1, REQUEST)
        self.server.drain()
        self.assertEqual(said(self.peer.frames()), [("GOAWAY", (1 << 31) - 1, NO_ERROR)])
        self.peer.headers(3, UPLOAD, False)
        self.assertEqual(len(self.server.began), 2)
        self.server.drain_now()
        self.server.drain_now()
        self.server.drain()
        self.assertEqual(said(self.peer.frames()), [("GOAWAY", 3, NO_ERROR)])
        self.assertTrue(self.server.drained)
        self.assertEqual(self.peer.headers(5, [*UPLOAD, (b"new", b"field")], False), [])
        self.assertEqual(self.peer.tell(data(3, b"x"), window_update(5, 9)), [])
        self.peer.headers(3, [(b"new", b"field")])
        self.assertEqual(self.server.began[1].events[-1], ("end", [(b"new", b"field")]))
        for stream in self.server.began:
            self.server.send_head(stream, OK, True)
        self.assertEqual((len(self.server.began), self.server.streams, self.server.code), (2, {}, -1))

    def test_drained_data(self) -> None:
        """What comes behind a request that was passed over is passed over as well."""
        self.server.drain_now()
        self.peer.frames()
        self.peer.headers(1, UPLOAD, False)
        self.assertEqual(self.peer.tell(data(1, b"x"), data(1, b"", ends=True), reset(1)), [])
        self.assertEqual(self.server.code, -1)
        self.server.fail(NO_ERROR, "done")
        self.assertEqual(said(self.peer.frames()), [("GOAWAY", 0, NO_ERROR)])

    def test_in_frame(self) -> None:
        """Whether the rest of something is awaited, which has a deadline."""
        self.assertFalse(self.server.in_frame)
        self.peer.tell(headers(1, block_of(REQUEST), whole=False))
        self.assertTrue(self.server.in_frame)
        self.peer.tell(continuation(1, b""))
        self.assertFalse(self.server.in_frame)

    def test_answered_inside(self) -> None:
        """The last bytes of a connection are written although it failed behind them."""
        self.begin(b"x")
        frames = self.peer.say(headers(1, block_of(REQUEST)).serialize() + bytes(9))
        self.assertIsInstance(frames[1], DataFrame)
        self.ended(frames, PROTOCOL_ERROR)


class HeldBackTests(Conversation):
    """Requests whose client has no room for a byte of their responses."""

    def begin_without_room(self, count: int, answers: bytes = b"") -> None:
        """Have a client without room for any stream ask so many times."""
        self.begin(answers)
        self.peer.tell(settings({4: 0}))
        for number in range(1, 2 * count, 2):
            self.peer.headers(number, REQUEST)

    def asked(self) -> list[int]:
        """Return the streams that were told of their requests, in that order."""
        return [stream.number for stream in self.server.began if stream.head is not None]

    def test_few(self) -> None:
        """As many as are begun in any case are: who opens windows only once heads have come is served."""
        self.begin_without_room(UNREAD)
        self.assertEqual((len(self.asked()), self.server.held_back), (UNREAD, 0))

    def test_settings(self) -> None:
        """All begin, in their order, once each stream has room."""
        self.begin_without_room(UNREAD + 3, b"hello")
        self.assertEqual(self.server.held_back, 3)
        frames = said(self.peer.tell(settings({4: 100})))
        ended = [frame[1] for frame in frames if frame[0] == "DATA"]
        self.assertEqual(ended, [*range(1, 2 * UNREAD + 6, 2)])
        self.assertEqual((self.server.held_back, self.server.streams), (0, {}))

    def test_one_stream(self) -> None:
        """One that has room for itself begins before others that came earlier."""
        self.begin_without_room(UNREAD + 3, b"hello")
        number = 2 * UNREAD + 3
        frames = self.peer.tell(window_update(number, 5))
        self.assertEqual(said(frames), [("HEADERS", number, False), ("DATA", number, 5, True)])
        self.assertEqual(self.server.held_back, 2)

    def test_others_end(self) -> None:
        """Where one of those that were begun ends, the next begins, and others that are held back may end, too."""
        self.begin_without_room(UNREAD + 4)
        self.peer.tell(reset(2 * UNREAD + 1))
        self.assertEqual((len(self.asked()), self.server.held_back), (UNREAD, 3))
        self.peer.tell(reset(1), reset(3))
        self.assertEqual((self.asked()[-2:], self.server.held_back), ([2 * UNREAD + 3, 2 * UNREAD + 5], 1))

    def test_connection_used_up(self) -> None:
        """Room for all that is used up at once by what waited longer has a request begin each time, too."""
        self.begin(b"x" * 100_000)
        for number in range(1, 2 * UNREAD + 7, 2):
            self.peer.headers(number, REQUEST)
        self.assertEqual((self.server.queue.window, self.server.held_back), (0, 3))
        self.peer.tell(window_update(0, 1000))
        self.assertEqual((self.server.queue.window, self.server.held_back), (0, 2))
        self.peer.tell(window_update(0, 2 * FRAME_BYTES))
        self.assertEqual((self.server.queue.window, self.server.held_back), (0, 0))

    def test_room_for_all(self) -> None:
        """Where there is room no request waits, however many are under way."""
        self.begin()
        for number in range(1, 2 * STREAMS, 2):
            self.peer.headers(number, REQUEST)
        self.assertEqual((len(self.asked()), self.server.held_back), (STREAMS, 0))

    def test_body(self) -> None:
        """What comes meanwhile is told later, as if it came then: a body, its end and its trailers."""
        self.begin_without_room(UNREAD, b"hello")
        number = 2 * UNREAD + 1
        self.peer.headers(number, UPLOAD, False)
        self.peer.tell(data(number, b"abc"))
        self.peer.tell(data(number, b"de"))
        self.peer.headers(number, [(b"x-sum", b"1")])
        self.peer.headers(number + 2, UPLOAD, False)
        self.peer.tell(data(number + 2, b"f"))
        stream, other = self.server.began[-2:]
        self.assertEqual((stream.events, other.events, stream.held), ([], [], 5))
        self.peer.tell(settings({4: 100}))
        come = [("head",), ("body", b"abcde"), ("end", [(b"x-sum", b"1")]), ("closed",)]
        self.assertEqual((stream.events, stream.held), (come, 0))
        self.peer.tell(data(number + 2, b"gh", True))
        self.assertEqual(other.events, [("head",), ("body", b"f"), ("body", b"gh"), ("end", []), ("closed",)])
        self.assertEqual(self.server.code, -1)

    def test_body_too_large(self) -> None:
        """A body that nobody takes has the room of a stream, and no more."""
        self.begin_without_room(UNREAD)
        number = 2 * UNREAD + 1
        self.peer.headers(number, UPLOAD, False)
        for _ in range(STREAM_WINDOW // 16384):
            self.peer.tell(data(number, bytes(16384)))
        self.assertEqual(said(self.peer.tell(data(number, b"x"))), [("RST_STREAM", number, FLOW_CONTROL_ERROR)])
        self.assertEqual((self.server.held_back, self.server.kept), (0, 0))

    def test_some_at_a_time(self) -> None:
        """No more are begun at once than is asked for."""
        self.begin_without_room(UNREAD + 5)
        self.server.receive(settings({4: 100}).serialize())
        self.assertFalse(self.server.begin_held(3))
        self.assertEqual(self.server.held_back, 2)
        self.assertTrue(self.server.begin_held(3))
        self.assertEqual(self.server.held_back, 0)

    def test_refused(self) -> None:
        """Those that wait too long may be asked for elsewhere: nobody has seen them."""
        self.begin_without_room(UNREAD + 2)
        self.server.refuse_held()
        refused = [("RST_STREAM", 2 * UNREAD + at, REFUSED_STREAM) for at in (1, 3)]
        self.assertEqual(said(self.peer.frames()), refused)
        self.assertEqual((self.server.held_back, len(self.server.streams)), (0, UNREAD))
        self.assertEqual(self.server.began[-1].events, [("reset", REFUSED_STREAM)])
