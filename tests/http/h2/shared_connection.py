"""Two requests on one connection to a backend that speaks HTTP/2, and what becomes of them."""

from __future__ import annotations

from hyperframe.frame import Frame
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.budget import POINTS
from edgegate.model.clusters import HTTPVersion
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream
from tests.http.h2.backend import Backend
from tests.http.h2.recording import OK, frames_of, headers, said

GET = b"GET / HTTP/1.1\r\nhost: web.example\r\n\r\n"


class SharedConnectionCase(SynchronousTestCase):
    """A gateway and two clients, whose requests are on the same connection to a backend."""

    def setUp(self) -> None:
        self.begin()

    def begin(self, first: bytes = GET) -> None:
        """
        Ask twice.

        @param first: The first request, on stream 1.
        """
        self.talk = Conversation(http=HTTPVersion.HTTP2)
        self.clients = [self.talk.ask(first), self.talk.ask(GET)]
        self.backend = Backend(self.talk.backend())
        self.assertEqual(self.backend.asked, [1, 3])
        self.stream: FakeStream = self.backend.stream

    def flood(self, *frames: Frame | bytes, most: int = POINTS) -> None:
        """Say the same again and again, until the connection ends."""
        said = b"".join(each if isinstance(each, bytes) else each.serialize() for each in frames)
        for _ in range(most + 1):
            if self.stream.ended:
                break
            self.stream.deliver(said)

    def ended(self, code: int, what: str = "") -> None:
        """The connection is over, with whatever was on it; the next request has another one."""
        self.assertEqual(self.stream.ended, "closed", what)
        self.assertEqual(said(frames_of(self.stream.take()))[-1], ("GOAWAY", 0, code), what)
        for client in self.clients:
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 502 "), (what, client.sent))
        other = self.talk.ask(GET)
        backend = Backend(self.talk.backend())
        backend.respond(1)
        self.assertIn(b"200 OK", other.sent, what)
        self.stream.settle()
        self.talk.advance(700)
        self.assertEqual(self.talk.left, NOTHING_LEFT, what)

    def goes_on(self) -> None:
        """The connection and the second request are as they were."""
        self.stream.deliver(headers(3, OK).serialize())
        self.assertTrue(self.clients[1].sent.startswith(b"HTTP/1.1 200 "), self.clients[1].sent)
        self.assertEqual((self.stream.ended, len(self.talk.connects)), ("", 1))
