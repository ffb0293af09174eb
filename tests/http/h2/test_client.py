"""Tests of L{edgegate.http.h2.client}."""

from __future__ import annotations

from hyperframe.frame import Frame
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.fields import Field
from edgegate.http.h2.errors import (
    CANCEL,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    INTERNAL_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
)
from edgegate.http.h2.frames import PREFACE
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.settings import STREAMS
from tests.http.h2.recording import (
    REQUEST,
    Peer,
    RecordedClient,
    RecordedResponse,
    data,
    goaway,
    headers,
    ping,
    reset,
    said,
    settings,
    window_update,
)

OK: list[Field] = [(b":status", b"200")]


class ClientTests(SynchronousTestCase):
    """The gateway and a backend, whose settings were exchanged."""

    def setUp(self) -> None:
        self.client = RecordedClient()
        self.first = self.client.take()
        self.peer = Peer(self.client, b"")

    def asked(self, bodiless: bool = False) -> RecordedResponse:
        """Ask for something."""
        stream = self.client.get(bodiless)
        self.peer.frames()
        return stream

    def ended(self, frames: list[Frame], code: int) -> None:
        """The connection has ended with a code."""
        self.assertEqual(said(frames)[-1], ("GOAWAY", 0, code))
        self.assertEqual((self.client.code, self.client.room, self.client.streams), (code, 0, {}))

    def test_beginning(self) -> None:
        """The preface and our settings come first: no pushes."""
        self.assertTrue(self.first.startswith(PREFACE + b"\0\0\x12\4\0\0\0\0\0\0\2\0\0\0\0"))
        self.assertEqual(said(self.peer.tell(ping())), [("PingFrame", 0, True)])

    def test_get(self) -> None:
        """A request and its response."""
        stream = self.client.get()
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, True)])
        self.peer.headers(1, [*OK, (b"content-length", b"5"), (b"a", b"b")], False)
        self.peer.tell(data(1, b"hel"), data(1, b"lo", ends=True))
        self.assertEqual(stream.events, [("head", 200), ("body", b"hel"), ("body", b"lo"), ("end", []), ("closed",)])
        assert stream.head is not None
        self.assertEqual((stream.head.length, stream.head.fields), (5, [(b"a", b"b")]))
        self.assertEqual(self.client.streams, {})

    def test_no_body(self) -> None:
        """A response may be all there is with its head, with its length or without."""
        for fields in ([], [(b"content-length", b"0")]):
            stream = self.asked()
            self.peer.headers(stream.number, [*OK, *fields])
            self.assertEqual(stream.events, [("head", 200), ("closed",)])

    def test_bodiless(self) -> None:
        """The responses to HEAD, and 304, say how long a body would be that they don't have."""
        for bodiless, status in ((True, b"200"), (False, b"304")):
            stream = self.asked(bodiless)
            fields = [(b":status", status), (b"content-length", b"5")]
            self.peer.headers(stream.number, fields)
            self.assertEqual(stream.events, [("head", int(status)), ("closed",)])
            stream = self.asked(bodiless)
            self.peer.headers(stream.number, fields, False)
            self.assertEqual(
                said(self.peer.tell(data(stream.number, b"x"))), [("RST_STREAM", stream.number, PROTOCOL_ERROR)]
            )

    def test_trailers(self) -> None:
        """Trailers end a response; gRPC's status is among them."""
        stream = self.asked()
        self.peer.headers(1, OK, False)
        self.peer.tell(data(1, b"x"))
        self.peer.headers(1, [(b"grpc-status", b"0"), (b"server", b"x")])
        self.assertEqual(stream.events[-2:], [("end", [(b"grpc-status", b"0")]), ("closed",)])

    def test_interim(self) -> None:
        """Interim responses are told, but for 100; they don't end anything, and are not many."""
        stream = self.asked()
        for status in (b"100", b"103", b"102"):
            self.peer.headers(1, [(b":status", status)], False)
        self.peer.headers(1, OK)
        self.assertEqual(stream.events, [("interim", 103), ("interim", 102), ("head", 200), ("closed",)])
        stream = self.asked()
        frames = self.peer.headers(3, [(b":status", b"103")], True)
        self.assertEqual(said(frames), [("RST_STREAM", 3, PROTOCOL_ERROR)])
        stream = self.asked()
        for _ in range(17):
            frames = self.peer.headers(5, [(b":status", b"103")], False)
        self.assertEqual(said(frames), [("RST_STREAM", 5, PROTOCOL_ERROR)])
        self.assertEqual(stream.events[-1], ("reset", PROTOCOL_ERROR, True))

    def test_known_block(self) -> None:
        """A block that comes again is the same head."""
        heads = []
        for _ in range(4):
            stream = self.asked()
            self.peer.headers(stream.number, [*OK, (b"a", b"b")])
            heads.append(stream.head)
        self.assertIs(heads[2], heads[3])

    def test_post(self) -> None:
        """An upload ends with the last byte of its length, or when it is told to, with trailers."""
        stream = self.client.post(5)
        self.client.send_data(stream, b"hel")
        self.client.send_data(stream, b"lo")
        self.client.end(stream)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("DATA", 1, 3, False), ("DATA", 1, 2, True)])
        stream = self.client.post()
        self.client.send_data(stream, b"x")
        self.client.end(stream, block_of([(b"checksum", b"1")]))
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 3, False), ("DATA", 3, 1, False), ("HEADERS", 3, True)])
        self.assertEqual(list(self.client.streams), [1, 3])

    def test_early_response(self) -> None:
        """Behind a whole response a backend may stop the upload; that is no failure (RFC 9113 section 8.1)."""
        stream = self.client.post()
        self.peer.headers(1, OK)
        self.assertEqual(stream.events, [("head", 200)])
        self.client.send_data(stream, b"x")
        self.peer.tell(reset(1, NO_ERROR))
        self.assertEqual((stream.events, self.client.streams), ([("head", 200), ("closed",)], {}))

    def test_reset(self) -> None:
        """A reset says whether the backend may have dealt with the request: never behind a response that has begun."""
        for begins, code, processed in (
            (False, REFUSED_STREAM, False),
            (False, CANCEL, True),
            (True, REFUSED_STREAM, True),
        ):
            stream = self.asked()
            if begins:
                self.peer.headers(stream.number, OK, False)
            self.peer.tell(reset(stream.number, code))
            self.assertEqual(stream.events[-1], ("reset", code, processed))

    def test_many_resets(self) -> None:
        """A backend may reset as many as it is asked for: that is no flood."""
        for _ in range(1000):
            stream = self.asked()
            self.peer.tell(reset(stream.number, REFUSED_STREAM))
        self.assertEqual(self.client.code, -1)

    def test_cancelled(self) -> None:
        """What is on its way of a response that was given up is passed over; the table stays right."""
        stream = self.asked()
        self.client.reset(stream, CANCEL)
        self.assertEqual(said(self.peer.frames()), [("RST_STREAM", 1, CANCEL)])
        self.assertEqual(self.peer.headers(1, [*OK, (b"new", b"field")], False), [])
        self.assertEqual(self.peer.tell(data(1, b"x", ends=True)), [])
        other = self.asked()
        self.peer.headers(3, [*OK, (b"new", b"field")])
        self.assertEqual(other.head and other.head.fields, [(b"new", b"field")])
        self.assertEqual(stream.events, [])

    def test_malformed(self) -> None:
        """A response that breaks HTTP/2 ends its stream."""
        for fields, ends in (
            ([(b":status", b"x")], False),
            ([*OK, (b"connection", b"close")], False),
            ([*OK, (b"A", b"")], False),
            ([*OK, (b"content-length", b"5")], True),
            (REQUEST, True),
        ):
            stream = self.asked()
            frames = self.peer.headers(stream.number, fields, ends)
            self.assertEqual(said(frames), [("RST_STREAM", stream.number, PROTOCOL_ERROR)])
            self.assertEqual(stream.events, [("reset", PROTOCOL_ERROR, True)])
        stream = self.asked()
        frames = self.peer.headers(stream.number, [*OK, *((b"a", b"%d" % at) for at in range(101))])
        self.assertEqual(said(frames), [("RST_STREAM", stream.number, ENHANCE_YOUR_CALM)])

    def test_content_length(self) -> None:
        """A body that is not as long as was said ends its stream."""
        for frame in (data(1, b"123456"), data(1, b"1", ends=True)):
            self.setUp()
            self.asked()
            self.peer.headers(1, [*OK, (b"content-length", b"5")], False)
            self.assertEqual(said(self.peer.tell(frame)), [("RST_STREAM", 1, PROTOCOL_ERROR)])

    def test_too_much(self) -> None:
        """A backend that passes a window ends its stream."""
        self.asked()
        self.peer.headers(1, OK, False)
        self.client.streams[1].held = 65536
        self.assertEqual(said(self.peer.tell(data(1, b"x"))), [("RST_STREAM", 1, FLOW_CONTROL_ERROR)])

    def test_states(self) -> None:
        """Nothing comes of a stream that nobody began, nor a push."""
        for frame in (data(1, b"x"), headers(1, block_of(OK)), reset(1), window_update(1, 1), headers(2, b"")):
            self.setUp()
            self.ended(self.peer.tell(frame), PROTOCOL_ERROR)
        self.setUp()
        self.asked()
        self.ended(self.peer.say(b"\0\0\4\5\4\0\0\0\1\0\0\0\2"), PROTOCOL_ERROR)

    def test_behind_the_end(self) -> None:
        """Behind its end nothing comes of a response."""
        self.client.post()
        self.peer.frames()
        self.peer.headers(1, OK)
        self.assertEqual(said(self.peer.tell(data(1, b"x"))), [("RST_STREAM", 1, STREAM_CLOSED)])

    def test_room(self) -> None:
        """As many streams may begin as the backend and we take, some before it has said so."""
        self.assertEqual(RecordedClient().room, STREAMS)
        self.peer.tell(settings({3: 2}))
        self.assertEqual(self.client.room, 2)
        self.asked()
        stream = self.asked()
        self.assertEqual(self.client.room, 0)
        self.client.reset(stream, CANCEL)
        self.assertEqual(self.client.room, 1)
        self.peer.tell(settings({3: 0}))
        self.assertEqual(self.client.room, 0)
        self.peer.tell(settings({3: 1 << 20}))
        self.assertEqual(self.client.room, STREAMS - 1)

    def test_numbers(self) -> None:
        """Numbers are not used twice: at their end there is no room."""
        self.client.last = (1 << 31) - 3
        self.assertEqual(self.client.room, STREAMS)
        self.asked()
        self.assertEqual((self.client.last, self.client.room), ((1 << 31) - 1, 0))

    def test_goaway(self) -> None:
        """Streams above the last were not dealt with; those up to it are still answered."""
        first, second = self.asked(), self.asked()
        self.peer.tell(goaway((1 << 31) - 1))
        self.assertEqual((self.client.room, second.events), (0, []))
        self.peer.tell(goaway(1))
        self.assertEqual(second.events, [("reset", NO_ERROR, False)])
        self.peer.headers(1, OK)
        self.assertEqual(first.events, [("head", 200), ("closed",)])

    def test_first_window(self) -> None:
        """A stream has the window that the backend's settings say when it begins."""
        stream = RecordedResponse(self.client)
        self.peer.tell(settings({4: 10}))
        self.client.ask(stream, block_of(REQUEST), False)
        self.client.send_data(stream, b"x" * 20)
        self.assertEqual(said(self.peer.frames()), [("HEADERS", 1, False), ("DATA", 1, 10, False)])

    def test_failed(self) -> None:
        """What ends the connection ends its streams: those may have been dealt with."""
        stream = self.asked()
        self.ended(self.peer.tell(window_update(0, 0)), PROTOCOL_ERROR)
        self.assertEqual(stream.events, [("reset", PROTOCOL_ERROR, True)])

    def test_floods(self) -> None:
        """A backend that sends what nobody needs is left."""
        for frame in (ping(), settings({}), goaway(1 << 30)):
            self.setUp()
            for _ in range(500):
                self.peer.tell(frame)
            self.assertEqual(self.client.code, ENHANCE_YOUR_CALM)

    def test_not_http2(self) -> None:
        """A backend that does not speak HTTP/2 is told so."""
        client = RecordedClient()
        client.take()
        client.receive(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertNotEqual(client.code, -1)

    def test_lost(self) -> None:
        """With its transport all streams of a connection end."""
        stream = self.asked()
        self.client.lost()
        self.assertEqual((stream.events, self.client.room), ([("reset", NO_ERROR, True)], 0))

    def test_cancel_inside(self) -> None:
        """A stream may be reset from inside what it is told."""
        client = self.client

        class Cancelling(RecordedResponse):
            def body_received(self, data: bytes) -> None:
                super().body_received(data)
                client.reset(self, INTERNAL_ERROR)

        stream = Cancelling(client)
        client.ask(stream, block_of(REQUEST), True)
        self.peer.frames()
        self.peer.headers(1, OK, False)
        frames = self.peer.tell(data(1, b"x", ends=True))
        self.assertEqual(said(frames), [("RST_STREAM", 1, INTERNAL_ERROR)])
        self.assertEqual(stream.events, [("head", 200), ("body", b"x")])
