"""What hostile backends of HTTP/2 do: it ends their connection or their stream, is answered, and hurts no other."""

from __future__ import annotations

from hyperframe.frame import PriorityFrame, PushPromiseFrame

from edgegate.http.h2.budget import POINTS
from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, FLOW_CONTROL_ERROR, PROTOCOL_ERROR
from edgegate.http.h2.flow import CONNECTION_WINDOW, STREAM_WINDOW
from edgegate.http.h2.frames import frame as raw_frame
from edgegate.http.h2.hpack import block_of
from edgegate.model.clusters import HTTPVersion
from tests.http.conversation import NOTHING_LEFT, Conversation
from tests.http.h2.backend import Backend
from tests.http.h2.recording import (
    OK,
    continuation,
    data,
    frames_of,
    goaway,
    headers,
    ping,
    reset,
    said,
    settings,
    window_update,
)
from tests.http.h2.shared_connection import GET, SharedConnectionCase

POST = b"POST /up HTTP/1.1\r\nhost: web.example\r\ncontent-length: 1000000\r\n\r\n"


class HostileTests(SharedConnectionCase):
    """What a backend may do to both of them."""

    def test_floods(self) -> None:
        """What costs us more than the backend ends the connection before long."""
        for what, frame in {
            "PING": ping(),
            "answers to no PING": ping(True),
            "SETTINGS": settings({}),
            "windows to and fro": settings({4: 0}).serialize() + settings({4: 65535}).serialize(),
            "SETTINGS that acknowledge": raw_frame(4, 1, 0, b""),
            "PRIORITY": PriorityFrame(1, depends_on=5),
            "of an unknown kind": raw_frame(0x42, 0, 1, b"x"),
            "GOAWAY": goaway(3),
        }.items():
            self.begin()
            self.flood(frame)
            self.ended(ENHANCE_YOUR_CALM, what)

    def test_answers_that_it_does_not_read(self) -> None:
        """PINGs that an upload has made free, and whose answers are not read, end the connection, too."""
        self.backend.h2.increment_flow_control_window(1 << 20)
        upload = self.talk.ask(POST)
        while upload.reading:
            upload.deliver(bytes(8192))
        self.stream.producer.pauseProducing()
        self.stream.deliver(ping().serialize())
        self.assertEqual(self.stream.ended, "")
        self.stream.buffered = 9 << 20
        self.stream.deliver(ping().serialize())
        self.assertEqual(self.stream.ended, "aborted")
        self.stream.settle()
        for client in (*self.clients, upload):
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 503 "), client.sent)

    def test_empty_data(self) -> None:
        """Frames of a body without a byte of it, with and without padding."""
        for frame in (data(1, b""), data(1, b"", padding=0)):
            self.begin()
            self.stream.deliver(headers(1, OK, False).serialize())
            self.flood(frame)
            self.assertEqual(self.stream.ended, "closed")
            # the first response had begun
            self.assertTrue(self.clients.pop(0).ended)
            self.ended(ENHANCE_YOUR_CALM)

    def test_window_updates(self) -> None:
        """Room by single bytes, where nothing is to be sent."""
        for number in (0, 1, 3):
            self.begin()
            self.flood(window_update(number, 1), most=POINTS + 100)
            self.ended(ENHANCE_YOUR_CALM)

    def test_continuation(self) -> None:
        """A head that never ends: in frames without a byte, and in large ones."""
        for piece in (b"", block_of([(b"x", b"y" * 8000)])):
            self.begin()
            self.stream.deliver(headers(1, OK, whole=False).serialize())
            self.flood(continuation(1, piece, False))
            self.ended(ENHANCE_YOUR_CALM)

    def test_late_heads(self) -> None:
        """Heads of a stream that is over."""
        self.stream.deliver(headers(1, OK).serialize())
        self.assertIn(b"200 OK", self.clients.pop(0).sent)
        self.flood(headers(1, OK))
        self.ended(ENHANCE_YOUR_CALM)

    def test_bomb(self) -> None:
        """Few bytes that become a large head end their stream alone."""
        block = OK + b"\x40\1x\x7f\xa1\x1e" + b"y" * 4000 + b"\xbe" * 5000
        self.stream.deliver(headers(1, block).serialize())
        self.assertTrue(self.clients[0].sent.startswith(b"HTTP/1.1 502 "), self.clients[0].sent)
        self.assertEqual(said(frames_of(self.stream.take()))[-1], ("RST_STREAM", 1, ENHANCE_YOUR_CALM))
        self.goes_on()

    def test_interim_heads(self) -> None:
        """So do interim responses without end."""
        self.flood(headers(1, block_of([(b":status", b"103")]), False), most=20)
        self.assertIn(b"HTTP/1.1 502 ", self.clients[0].sent)
        self.assertEqual(self.clients[0].sent.count(b"HTTP/1.1 103 "), 16)
        self.goes_on()

    def test_body_without_a_head(self) -> None:
        """A body or an end before the response's head, behind interim ones too, is never the client's next bytes."""
        early = headers(1, block_of([(b":status", b"103")]), False).serialize()
        for frame in (data(1, b"x"), data(1, b"", True), data(1, b"x", True)):
            for before in (b"", early):
                self.begin()
                self.stream.deliver(before + frame.serialize())
                sent = self.clients[0].sent.removeprefix(b"HTTP/1.1 103 Early Hints\r\n\r\n")
                self.assertTrue(sent.startswith(b"HTTP/1.1 502 "), sent)
                self.assertEqual(said(frames_of(self.stream.take()))[-1], ("RST_STREAM", 1, PROTOCOL_ERROR))
                self.goes_on()

    def test_resets(self) -> None:
        """A stream is reset once: again costs nothing, and what never was asked for ends the connection."""
        self.flood(reset(1), most=10 * POINTS)
        self.assertTrue(self.clients[0].sent.startswith(b"HTTP/1.1 503 "), self.clients[0].sent)
        self.goes_on()
        del self.clients[:]
        self.flood(reset(5))
        self.ended(PROTOCOL_ERROR)

    def test_resets_of_all(self) -> None:
        """Who resets whatever it is asked for has everybody answered."""
        for number in range(5, 1000, 2):
            client = self.talk.ask(GET)
            self.stream.deliver(reset(number).serialize())
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 503 "), client.sent)
        self.goes_on()

    def test_pushes(self) -> None:
        """Nothing is pushed."""
        self.flood(PushPromiseFrame(1, 2, OK, flags=["END_HEADERS"]))
        self.ended(PROTOCOL_ERROR)

    def test_more_than_there_is_room_for(self) -> None:
        """More than a stream's window ends the stream, more than the connection's the connection."""
        for client in self.clients:
            client.protocol.pauseProducing()
        self.stream.deliver(headers(1, OK, False).serialize())
        piece = data(1, bytes(16384)).serialize()
        for _ in range(STREAM_WINDOW // 16384):
            self.stream.deliver(piece)
        self.assertFalse(self.clients[0].ended)
        self.stream.deliver(piece)
        self.assertTrue(self.clients[0].ended)
        self.assertEqual(said(frames_of(self.stream.take()))[-1], ("RST_STREAM", 1, FLOW_CONTROL_ERROR))
        self.goes_on()

    def test_windows_that_never_open(self) -> None:
        """An upload for which there is no room holds its client up, is given up in time, and no other with it."""
        for allows in ({"initial_window_size": 0}, {}):
            talk = Conversation(http=HTTPVersion.HTTP2)
            client = talk.ask(POST)
            backend = Backend(talk.backend(), **allows)
            sent = 0
            while client.reading:
                client.deliver(bytes(8192))
                sent += 8192
            self.assertLessEqual(sent, 65535 + STREAM_WINDOW + 2 * 8192)
            other = talk.ask(GET)
            backend.respond(3)
            self.assertIn(b"200 OK", other.sent)
            talk.advance(302)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 504 "), client.sent)
            self.assertEqual(backend.stream.ended, "")
            client.settle()
            talk.advance(700)
            self.assertEqual(talk.left, NOTHING_LEFT)

    def test_many_uploads(self) -> None:
        """Nor does it hold more of all of them than a connection may."""
        talk = Conversation(http=HTTPVersion.HTTP2)
        clients = [talk.ask(POST) for _ in range(100)]
        backend = Backend(talk.backend(), initial_window_size=0)
        self.assertEqual(len(backend.asked), 100)
        sent = 0
        for client in clients:
            while client.reading:
                client.deliver(bytes(8192))
                sent += 8192
        self.assertLessEqual(sent, CONNECTION_WINDOW + 100 * 8192)
