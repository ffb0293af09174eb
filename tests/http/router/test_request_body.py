"""Tests for L{edgegate.http.router.request_body}; more of bodies that are sent again is with retries."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.limits import Limits
from tests.http.conversation import Conversation
from tests.http.h1.test_downstream_connection import OK, POST


class RequestBodyTests(SynchronousTestCase):
    """What a backend gets of a request's body."""

    def test_continue(self) -> None:
        """A client that waits for 100 gets it once, as soon as there is a backend, whose own is not passed on."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        self.assertEqual(client.take(), b"")
        backend = talk.backend()
        self.assertEqual(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertNotIn(b"expect", backend.sent)
        client.deliver(b"01234")
        backend.deliver(b"HTTP/1.1 100 Continue\r\n\r\n")
        client.deliver(b"56789")
        self.assertEqual(client.take(), b"")
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))
        backend.deliver(OK)
        self.assertIn(b"HTTP/1.1 200 OK", client.sent)
        self.assertEqual(client.ended, "")

    def test_held(self) -> None:
        """Before there is a backend the client is read up to the limit, and on once there is one."""
        talk = Conversation(limits=Limits(upload_bytes=4))
        client = talk.ask(POST + b"01234")
        self.assertFalse(client.reading)
        backend = talk.backend()
        self.assertTrue(client.reading)
        client.deliver(b"56789")
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))

    def test_slow_backend(self) -> None:
        """A backend that does not read stops the client, until it reads again."""
        talk = Conversation()
        client = talk.ask(POST + b"01234")
        backend = talk.backend()
        backend.producer.pauseProducing()
        self.assertFalse(client.reading)
        backend.producer.resumeProducing()
        self.assertTrue(client.reading)

    def test_slow_client(self) -> None:
        """A client that does not read its response stops the backend, also one that is connected meanwhile."""
        talk = Conversation()
        client = talk.ask(POST + b"0123456789")
        client.producer.pauseProducing()
        backend = talk.backend()
        self.assertFalse(backend.reading)
        client.producer.resumeProducing()
        self.assertTrue(backend.reading)
        backend.deliver(OK)
        self.assertIn(b"HTTP/1.1 200 ", client.sent)
