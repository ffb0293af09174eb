"""Tests of L{edgegate.http.h2.kept_bytes}: what all connections of HTTP/2 clients keep has one bound."""

from __future__ import annotations

from edgegate.errors import OVERFLOW
from edgegate.http.h2.connection import STREAM_BYTES
from edgegate.http.h2.errors import ENHANCE_YOUR_CALM
from edgegate.http.h2.frames import CONTINUATION, HEADERS, INITIAL_WINDOW_SIZE, frame, settings_frame
from edgegate.http.limits import Limits
from tests.http.conversation import Conversation, FakeStream
from tests.http.h2.clients import HTTP2Client
from tests.http.h2.test_downstream_connection import OK, ConversationTestCase

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 10000\r\n\r\n" + b"x" * 10000


class KeptBytesTests(ConversationTestCase):
    """A gateway whose HTTP/2 clients may keep 64 KiB of it."""

    def setUp(self) -> None:
        """Connect."""
        self.talk = Conversation(limits=Limits(http2_bytes=65536))
        self.client = HTTP2Client(self.talk)
        self.backend: FakeStream | None = None

    @property
    def total(self) -> int:
        """Bytes that are kept."""
        return self.talk.environment.http2_bytes.total

    def reader(self, requests: int) -> HTTP2Client:
        """Connect, ask, get the answers, and open no window for them."""
        client = HTTP2Client(self.talk, reads=False)
        client.stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 0)]))
        for _ in range(requests):
            self.ask(client).deliver(ANSWER)
        return client

    def ask(self, client: HTTP2Client) -> FakeStream:
        """Ask, and return the backend's connection, which is one for all requests that are answered whole."""
        client.head(b"/")
        if self.backend is None:
            self.backend = self.talk.backend()
        return self.backend

    def test_nothing(self) -> None:
        """What is read and answered at once is never counted, nor is a connection without requests."""
        number = self.client.head(b"/")
        self.talk.backend().deliver(OK)
        self.assertTrue(self.client.answer(number).ended)
        self.assertEqual(self.total, 0)

    def test_responses(self) -> None:
        """Responses that wait are counted with their streams, until their client reads or goes."""
        client = self.reader(2)
        self.assertEqual(self.total, 2 * (10000 + STREAM_BYTES))
        client.stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 65535)]))
        self.assertEqual(self.total, 0)
        client = self.reader(1)
        client.reset(1)
        self.assertEqual(self.total, 0)
        client = self.reader(1)
        client.stream.reset()
        self.assertEqual(self.total, 0)

    def test_blocks(self) -> None:
        """So are header blocks and frames that are not whole."""
        client = HTTP2Client(self.talk)
        client.stream.deliver(frame(HEADERS, 0, 1, b"x" * 8000))
        self.assertEqual(self.total, 8000)
        client.stream.deliver(frame(CONTINUATION, 0, 1, b"x" * 8000)[:-1])
        self.assertEqual(self.total, 16000 + 8)
        client.stream.deliver(b"x" + frame(CONTINUATION, 0, 1, b"x" * 400)[:9])
        self.assertEqual(client.goaways, [])
        client.read()
        self.assertEqual(([code for code, _ in client.goaways], self.total), ([ENHANCE_YOUR_CALM], 0))

    def test_uploads(self) -> None:
        """So are bodies that nobody takes yet."""
        number = self.client.head(b"/", b"POST", False)
        for size in (16000, 16000, 16000, 16000, 2000):
            self.assertEqual(self.total, 0)
            self.client.body(number, b"x" * size)
        self.assertEqual(self.total, 2000)
        backend = self.talk.backend()
        self.assertEqual(self.total, 0)
        backend.deliver(OK)

    def test_greediest(self) -> None:
        """Past the bound the connection that keeps most ends, with GOAWAY, and no other does."""
        small, large = self.reader(1), self.reader(3)
        self.assertEqual(self.total, 4 * (10000 + STREAM_BYTES))
        other = self.reader(1)
        large.read()
        self.assertEqual([code for code, _ in large.goaways], [ENHANCE_YOUR_CALM])
        self.assertEqual(large.stream.ended, "half-closed")
        self.talk.advance(3)  # the wheel's tick and the second that it has
        self.assertEqual(large.stream.ended, "aborted")
        self.assertEqual(self.total, 2 * (10000 + STREAM_BYTES))
        self.assertEqual([each.fault for each in self.talk.ended].count(OVERFLOW), 0)  # they were whole
        for client in (small, other):
            client.stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 65535)]))
            self.assertEqual(len(client.answer(1).body), 10000)
            self.assertEqual(client.goaways, [])

    def test_under_way(self) -> None:
        """Requests whose responses are not whole end with the connection, and so does what their backends send."""
        large = self.reader(4)
        backend = self.ask(large)
        backend.deliver(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n" + b"x" * 20000)
        large.read()
        self.assertEqual([code for code, _ in large.goaways], [ENHANCE_YOUR_CALM])
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual([each.fault for each in self.talk.ended], [None] * 4 + [OVERFLOW])
        self.assertEqual(self.total, 0)

    def test_never_reads(self) -> None:
        """A client that does not even read what it is sent is reset: what waits for it would stay else."""
        large = self.reader(2)
        large.stream.protocol.pauseProducing()
        large.stream.deliver(settings_frame([(INITIAL_WINDOW_SIZE, 1)]))
        self.reader(1)
        self.reader(2)
        self.assertEqual(large.stream.ended, "aborted")
