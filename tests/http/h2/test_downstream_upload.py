"""Tests of L{edgegate.http.h2.downstream_upload}: the time that a client has for its upload, and 100 Continue."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.flow import CONNECTION_WINDOW, STREAM_WINDOW
from tests.http.conversation import Conversation
from tests.http.h2.clients import HTTP2Client

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"


class UploadTests(SynchronousTestCase):
    """One client."""

    def setUp(self) -> None:
        self.talk = Conversation()
        self.client = HTTP2Client(self.talk)

    def test_continue_of_one_that_waits(self) -> None:
        """Who has begun its body already is told nothing."""
        number = self.client.head(b"/", b"POST", False, (b"expect", b"100-continue"))
        self.client.body(number, b"a")
        self.talk.backend()
        self.assertEqual(self.client.answer(number).interim, [])

    def test_drips(self) -> None:
        """A body that comes more slowly than the least rate is given up, however steadily it comes."""
        number = self.client.head(b"/", b"POST", False)
        self.talk.backend()
        seconds = 0
        while not self.client.answer(number).status and seconds < 300:
            self.client.body(number, b"a")
            self.talk.advance(4)
            seconds += 5
        self.assertEqual(self.client.answer(number).status, b"408")
        self.assertLess(seconds, 75)

    def test_time_of_a_slow_backend(self) -> None:
        """While the backend does not take the body no time of the client's passes, and then it has some at least."""
        number = self.client.head(b"/", b"POST", False)
        backend = self.talk.backend()
        self.client.body(number, b"a")
        self.talk.advance(55)
        backend.producer.pauseProducing()
        self.talk.advance(200)
        self.assertEqual(self.client.answer(number).status, b"")
        backend.producer.resumeProducing()
        self.talk.advance(8)
        self.assertEqual(self.client.answer(number).status, b"")
        self.talk.advance(4)
        self.assertEqual(self.client.answer(number).status, b"408")

    def test_time_of_other_streams(self) -> None:
        """Nor while bodies that no backend takes have used up the connection's room, which others need."""
        backends = []
        for _ in range(CONNECTION_WINDOW // STREAM_WINDOW):
            number = self.client.head(b"/", b"POST", False)
            backends.append(self.talk.backend())
            backends[-1].producer.pauseProducing()
            for _ in range(4):
                self.client.body(number, bytes(STREAM_WINDOW // 4))
        number = self.client.head(b"/", b"POST", False)
        self.talk.backend()
        self.assertEqual(self.client.h2.local_flow_control_window(number), 0)
        self.talk.advance(200)
        self.assertEqual(self.client.answer(number).status, b"")
        for backend in backends:
            backend.producer.resumeProducing()
        self.talk.advance(8)
        self.assertEqual(self.client.answer(number).status, b"")
        self.talk.advance(4)
        self.assertEqual(self.client.answer(number).status, b"408")

    def test_behind_the_response(self) -> None:
        """Once the response has begun the body may pause for longer."""
        number = self.client.head(b"/", b"POST", False)
        backend = self.talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        self.talk.advance(200)
        self.client.body(number, b"late", True)
        backend.deliver(b"0\r\n\r\n")
        self.assertTrue(self.client.answer(number).ended)
        self.assertIn(b"late", backend.sent)
