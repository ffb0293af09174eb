"""Tests for L{edgegate.http.router.request_body}; more of bodies that are sent again is with retries."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_FAILED
from edgegate.http.limits import Limits
from tests.http.conversation import Conversation, FakeStream
from tests.http.h1.test_downstream_connection import OK, POST
from tests.http.test_proxy_retries import BUSY, retrying


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


class KeptBodiesTests(SynchronousTestCase):
    """A gateway that keeps 300 bytes of all requests' bodies, 64 of which are what each piece is taken for."""

    def setUp(self) -> None:
        """Route to two endpoints, with tries."""
        self.talk = Conversation(retrying("5xx"), endpoints=2, limits=Limits(kept_bodies_bytes=300))

    @property
    def kept(self) -> int:
        """Bytes that are kept."""
        return self.talk.environment.kept_bodies

    def tried_again(self, client: FakeStream, backend: FakeStream) -> bool:
        """Return whether a request is sent again when it fails."""
        backend.take()
        backend.deliver(BUSY)
        self.talk.retry()
        return not client.sent

    def test_until_it_is_answered(self) -> None:
        """A body is kept until its response begins, its client goes or all tries have failed, and is sent again."""
        client = self.talk.ask(POST + b"0123456789")
        self.assertEqual(self.kept, 74)
        self.assertTrue(self.tried_again(client, self.talk.backend()))
        self.assertEqual(self.kept, 74)
        backend = self.talk.backend()
        self.assertTrue(backend.sent.endswith(b"0123456789"))
        backend.deliver(OK)
        self.assertEqual(self.kept, 0)
        client.deliver(POST + b"01234")
        self.assertEqual(self.kept, 69)
        client.reset()
        self.assertEqual(self.kept, 0)
        self.setUp()
        client = self.talk.ask(POST + b"0123456789")
        for _ in range(3):
            self.talk.connects[-1].failed(CONNECT_FAILED)
            self.talk.retry()
        self.assertIn(b" 503 ", client.sent)
        self.assertEqual(self.kept, 0)

    def test_too_much(self) -> None:
        """Past the bound no further body is kept: its request has one try, and those before have theirs."""
        first = self.talk.ask(POST + b"0123456789")
        one = self.talk.backend()
        second = self.talk.ask(POST.replace(b"10\r", b"300\r"))
        two = self.talk.backend()
        second.deliver(b"x" * 300)
        self.assertEqual(self.kept, 74)
        self.assertFalse(self.tried_again(second, two))
        self.assertIn(b" 503 ", second.sent)
        self.assertTrue(self.tried_again(first, one))
        for backend in (one, two):
            if b"0123456789" in backend.take():
                backend.deliver(OK)
        self.assertIn(b" 200 ", first.sent)
        self.assertEqual(self.kept, 0)

    def test_no_backend_yet(self) -> None:
        """Who has no backend yet then is not read until there is one, and is served."""
        clients = [self.talk.ask(POST + b"01234") for _ in range(5)]
        self.assertEqual([client.reading for client in clients], [True] * 4 + [False])
        connects = list(self.talk.connects)
        backends = [connect.accept() for connect in reversed(connects)]
        self.assertEqual((clients[-1].reading, self.kept), (True, 4 * 69))
        for client in clients:
            client.deliver(b"56789")
        for backend in backends:
            self.assertTrue(backend.sent.endswith(b"0123456789"))
            backend.deliver(OK)
        self.assertEqual(self.kept, 0)
