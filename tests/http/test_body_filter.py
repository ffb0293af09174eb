"""Tests of L{edgegate.http.body_filter}: what changes bodies, in the middle of whole conversations."""

from __future__ import annotations

from base64 import b64encode

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, GRPC_WEB_CUT, GRPC_WEB_TEXT, UPSTREAM_CUT_SHORT
from edgegate.model.actions import DirectResponse
from edgegate.model.clusters import HTTPVersion
from edgegate.model.matching import HTTPMatch
from edgegate.model.policies import Delay, Faults
from edgegate.model.routes import HTTPRoute
from tests.http.conversation import NOTHING_LEFT, ORIGIN, Conversation, FakeStream, routed, to_web
from tests.http.h2.backend import Backend
from tests.http.test_grpc_messages import message

TEXT = b"application/grpc-web-text"
POST = b"POST /a.B/C HTTP/1.1\r\nhost: web.example\r\ncontent-type: %b\r\naccept: %b\r\ncontent-length: %d\r\n\r\n"
ONE = b64encode(message(b"one"))
ERROR = b"grpc-status: %d\r\ngrpc-message: %b\r\ncontent-length: 0\r\n"


class BodyFilterTests(SynchronousTestCase):
    """A gRPC-Web client of HTTP/1.1 and a backend of HTTP/2, whose port is for gRPC-Web."""

    def serve(self, *routes: HTTPRoute, chain: bool = False) -> None:
        """
        Have routes.

        @param chain: Whether it is the server that is for gRPC-Web, and not the backend's port.
        """
        routes = routes or (to_web(),)
        self.talk = Conversation(*routes, http=HTTPVersion.HTTP2, grpc_web=not chain)
        self.downstream = routed(*routes, grpc_web=chain)

    def ask(self, body: bytes = ONE, length: int | None = None) -> FakeStream:
        """Send a request."""
        client = self.talk.client(self.downstream)
        client.deliver(POST % (TEXT, TEXT, len(body) if length is None else length) + body)
        return client

    def backend(self) -> Backend:
        """The last connect succeeds."""
        return Backend(self.talk.backend())

    def test_both_ways(self) -> None:
        """A call: decoded, counted, and encoded again, by the server's protocol or the port's."""
        for chain in (False, True):
            self.serve(chain=chain)
            client = self.ask()
            backend = self.backend()
            self.assertEqual(backend.request(1)[b"content-type"], b"application/grpc")
            self.assertNotIn(b"content-length", backend.request(1))
            self.assertEqual(backend.body(1), message(b"one"))
            backend.respond(
                1, message(b"two"), [(b"content-type", b"application/grpc")], trailers=[(b"grpc-status", b"0")]
            )
            self.assertIn(b64encode(message(b"two")), client.sent)
            self.assertIn(b64encode(b"\x80\0\0\0\x0fgrpc-status:0\r\n"), client.sent)
            (ended,) = self.talk.ended
            self.assertEqual((ended.request_messages, ended.response_messages), (1, 1))
            self.assertEqual((ended.received, ended.sent), (12, 12 + 28))

    def test_others(self) -> None:
        """Nothing is done with other requests."""
        self.serve(chain=True)
        client = self.talk.client(self.downstream)
        client.deliver(POST % (b"text/plain", b"*/*", 12) + ONE)
        backend = self.backend()
        self.assertEqual((backend.request(1)[b"content-type"], backend.body(1)), (b"text/plain", ONE))
        backend.respond(1, b"ok")
        self.assertIsNone(self.talk.ended[0].bodies)

    def test_refused(self) -> None:
        """What is no base64 is answered 400, and the backend is told to forget the request."""
        for body, length, fault in (
            (b"!!!!", 8, GRPC_WEB_TEXT),
            (b"AAAAA", 5, GRPC_WEB_CUT),
            (b"AA==!!!!", 8, GRPC_WEB_TEXT),
        ):
            self.serve()
            client = self.ask(b"", length)
            backend = self.backend()
            client.deliver(body)
            self.assertIn(b"HTTP/1.1 400 Bad Request\r\n", client.sent)
            self.assertIn(ERROR % (13, fault.reason.encode()), client.sent)
            self.assertIn("StreamReset", [type(event).__name__ for event in backend.turn()])
            self.assertIs(self.talk.ended[0].fault, fault)
            client.settle()
            self.talk.advance(700)
            self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_held(self) -> None:
        """What came while a filter held the request is decoded too, or refused."""
        for body, status in ((ONE, b"200"), (b"!!!!", b"400"), (b"AAAAA", b"400")):
            self.serve(to_web(faults=Faults(Delay(2.0))))
            client = self.ask(body)
            self.talk.clock.advance(2.1)
            if status == b"200":
                backend = self.backend()
                self.assertEqual(backend.body(1), message(b"one"))
                backend.respond(1, b"", [(b"content-type", b"application/grpc"), (b"grpc-status", b"0")])
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 " + status), client.sent)

    def test_local_replies(self) -> None:
        """What the gateway answers itself keeps its status, and says what gRPC says of it."""
        direct = HTTPRoute("d", ORIGIN, (), direct=DirectResponse(403, b"no"))
        self.serve(direct, chain=True)
        self.assertIn(ERROR % (7, b"no"), self.ask().sent)
        self.serve(to_web(matches=(HTTPMatch(port=1),)), chain=True)
        self.assertIn(b"404 Not Found", self.ask().sent)
        self.assertIn(ERROR % (12, b"no route"), self.ask().sent)
        self.serve(to_web(retries=None), chain=True)
        client = self.ask()
        self.talk.connects[-1].failed(CONNECT_REFUSED)
        self.assertIn(ERROR % (14, b"connect refused"), client.sent)

    def test_error_page_that_breaks_off(self) -> None:
        """A backend that breaks off in the middle of an error has told one all the same, and nothing waits for more."""
        self.serve(to_web(retries=None))
        client = self.ask()
        backend = self.backend()
        backend.h2.send_headers(1, [(b":status", b"500"), (b"content-type", b"text/plain")])
        backend.h2.send_data(1, b"oh")
        backend.turn()
        self.assertEqual(client.sent, b"")
        backend.stream.finish()
        self.assertIn(ERROR % (2, b"oh"), client.sent)
        self.assertIs(self.talk.ended[0].fault, UPSTREAM_CUT_SHORT)

    def test_messages_that_break_off(self) -> None:
        """Where messages have been sent already the client must not take them for all."""
        self.serve()
        client = self.ask()
        backend = self.backend()
        backend.h2.send_headers(1, [(b":status", b"200"), (b"content-type", b"application/grpc")])
        backend.h2.send_data(1, message(b"one"))
        backend.turn()
        self.assertIn(ONE, client.sent)
        backend.stream.finish()
        client.settle()
        self.assertTrue(client.over)
        self.assertFalse(client.sent.endswith(b"0\r\n\r\n"))
