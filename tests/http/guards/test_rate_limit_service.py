"""Tests of L{edgegate.http.guards.rate_limit_service}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.service_messages import METHOD, question
from edgegate.http.grpc_unary import framed
from edgegate.model.guards.envoy_rate_limits import (
    Action,
    ActionKind,
    Asks,
    DescriptorRule,
    RateLimitService,
    Scopes,
    ServiceLimit,
    Settings,
)
from edgegate.protobuf.writing import bytes_field, number_field
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream
from tests.http.guards.guards import ORIGIN, guarded
from tests.http.h1.test_downstream_connection import GET, OK
from tests.http.h2.backend import Backend

LIMIT = ServiceLimit("shop", "web", "limits.example", 1.0)
PATHS = Scopes((("", Settings((DescriptorRule((Action(ActionKind.REQUEST_HEADER, "PATH", name=":path"),)),))),))
PASS, OVER = number_field(1, 1), number_field(1, 2)


def header(field: int, name: bytes, value: bytes) -> bytes:
    """Write a C{HeaderValue}."""
    return bytes_field(field, bytes_field(1, name) + bytes_field(2, value))


class RateLimitServiceTests(SynchronousTestCase):
    """The cluster C{web} is asked whether requests to C{web} may pass."""

    def ask(self, limit: ServiceLimit = LIMIT, scopes: Scopes = PATHS, request: bytes = GET) -> FakeStream:
        """Ask a gateway with the filter; the service is connected to next."""
        self.conversation = talk = Conversation()
        client = talk.client(guarded(RateLimitService("n/limit", ORIGIN, limit, scopes)))
        client.deliver(request)
        return client

    def answer(self, message: bytes) -> None:
        """Have the service answer."""
        service = Backend(self.conversation.backend())
        (number,) = service.asked
        request = service.request(number)
        self.assertEqual((request[b":path"], request[b":authority"]), (METHOD, b"limits.example"))
        self.assertEqual(service.body(number), framed(question("shop", [((b"PATH", b"/"),)])))
        service.respond(number, framed(message), [(b"content-type", b"application/grpc")], [(b"grpc-status", b"0")])

    def test_passes(self) -> None:
        """What the service lets pass goes on, with the fields that it adds."""
        client = self.ask()
        self.assertEqual(client.sent, b"")
        self.answer(PASS + header(4, b"X-Plan", b"gold") + header(4, b"host", b"evil") + header(3, b"x-more", b"1"))
        backend = self.conversation.backend()
        self.assertIn(b"x-plan: gold\r\n", backend.sent)
        self.assertNotIn(b"evil", backend.sent)
        backend.deliver(OK)
        self.assertIn(b"x-more: 1\r\n", client.sent)

    def test_over(self) -> None:
        """What is over is refused, with what the service says."""
        client = self.ask(replace(LIMIT, response_fields=(("x-own", "1"),)))
        self.answer(OVER + header(3, b"retry-after", b"3") + header(3, b"content-length", b"9") + bytes_field(5, b"no"))
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 429 "), client.sent)
        for wanted in (
            b"x-envoy-ratelimited: true\r\n",
            b"retry-after: 3\r\n",
            b"x-own: 1\r\n",
            b"content-length: 2\r\n",
        ):
            self.assertIn(wanted, client.sent)
        (ended,) = self.conversation.ended
        self.assertEqual((ended.details, ended.flags), ("request_rate_limited", "RL"))

    def test_two(self) -> None:
        """Of two services each adds its own fields, once."""
        self.conversation = talk = Conversation()
        limits = [RateLimitService(name, ORIGIN, LIMIT, PATHS) for name in ("n/a", "n/b")]
        client = talk.client(guarded(*limits))
        client.deliver(GET)
        service = Backend(talk.backend())
        for name, value in ((b"x-more", b"1"), (b"x-other", b"2")):
            answer = framed(PASS + header(3, name, value))
            service.respond(
                service.asked[-1], answer, [(b"content-type", b"application/grpc")], [(b"grpc-status", b"0")]
            )
        talk.backend().deliver(OK)
        self.assertEqual((client.sent.count(b"x-more: 1\r\n"), client.sent.count(b"x-other: 2\r\n")), (1, 1))

    def test_odd_names(self) -> None:
        """What a service calls a limit may be no header's value: the request passes all the same."""
        client = self.ask(replace(LIMIT, shown=True))
        rule = number_field(1, 10) + number_field(2, 1) + bytes_field(3, b"per\nip")
        self.answer(PASS + bytes_field(2, number_field(1, 1) + bytes_field(2, rule) + number_field(3, 7)))
        self.conversation.backend().deliver(OK)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 200 "), client.sent)
        self.assertIn(b"x-ratelimit-remaining: 7\r\n", client.sent)

    def test_not_asked(self) -> None:
        """Without a descriptor, without a backend and for clients from without nobody is asked."""
        self.ask(scopes=Scopes())
        self.assertIn(b"GET / HTTP/1.1\r\n", self.conversation.backend().sent)
        self.ask(replace(LIMIT, asks=Asks.INTERNAL))
        self.assertIn(b"GET / HTTP/1.1\r\n", self.conversation.backend().sent)
        client = self.ask(request=b"GET / HTTP/1.1\r\nhost: moved.example\r\n\r\n")
        self.assertEqual(client.sent[9:12], b"301")

    def test_fails(self) -> None:
        """A service that can't be asked lets pass, or refuses, as the filter says."""
        client = self.ask(replace(LIMIT, cluster="none"))
        backend = self.conversation.backend()
        self.assertIn(b"GET / HTTP/1.1\r\n", backend.sent)
        backend.deliver(OK)
        (ended,) = self.conversation.ended
        self.assertEqual((ended.flags, client.sent[9:12]), ("RLSE", b"200"))
        client = self.ask(replace(LIMIT, cluster="none", deny=True))
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "), client.sent)
        (ended,) = self.conversation.ended
        self.assertEqual((ended.details, ended.flags), ("rate_limiter_error", "RLSE"))

    def test_odd_answers(self) -> None:
        """An answer that is none, or says neither yes nor no, is none."""
        for message in (b"\xff", number_field(1, 9), b""):
            client = self.ask(replace(LIMIT, deny=True))
            self.answer(message)
            self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "), client.sent)

    def test_slow(self) -> None:
        """Nobody waits longer than the filter says."""
        client = self.ask(replace(LIMIT, deny=True))
        self.conversation.advance(1.1)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "), client.sent)

    def test_client_leaves(self) -> None:
        """Where the client leaves, the service is not waited for."""
        client = self.ask()
        service = Backend(self.conversation.backend())
        self.assertEqual(len(service.asked), 1)
        client.finish()
        self.conversation.advance(5.0)
        self.assertEqual(self.conversation.left, NOTHING_LEFT)
