"""Tests for L{edgegate.http.guards.concurrency}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.state import GuardStates
from edgegate.http.guards.concurrency import UnderWay
from edgegate.model.guards.concurrency import ConcurrencyGuard, ConcurrencyLimit, Crowded
from edgegate.model.guards.guard import Guard
from edgegate.model.guards.rate_limit import KeyPart, KeySource, Matched
from edgegate.model.matching import Kind, StringMatch
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream, to_web
from tests.http.guards.guards import ORIGIN, guarded
from tests.http.h1.test_downstream_connection import GET, OK

BY_USER = (KeyPart(KeySource.HEADER, ("x-user",)),)


def few(requests: int = 1, **more: object) -> ConcurrencyGuard:
    """Make a policy with one limit."""
    limit = {key: more.pop(key) for key in ("by", "match") if key in more}
    return ConcurrencyGuard("n/few", ORIGIN, (ConcurrencyLimit("one", requests, **limit),), **more)  # type: ignore[arg-type]


class ConcurrencyTests(SynchronousTestCase):
    """How many requests are under way."""

    def setUp(self) -> None:
        self.talk = Conversation()

    def ask(self, *guards: Guard, request: bytes = GET) -> FakeStream:
        """Ask on a connection of its own."""
        client = self.talk.client(guarded(*guards))
        client.deliver(request)
        return client

    def test_room(self) -> None:
        """One too many is refused; when one has ended there is room."""
        guard = few(2)
        first, _ = self.ask(guard), self.ask(guard)
        third = self.ask(guard)
        self.assertTrue(third.sent.startswith(b"HTTP/1.1 503 "))
        self.assertIn(b"retry-after: 1\r\n", third.sent)
        self.assertTrue(third.sent.endswith(b"too many requests at once\n"))
        ended = self.talk.ended[-1]
        self.assertEqual((ended.flags, ended.details), ("RL", "concurrency_limited[n/few:one]"))
        self.talk.connects[0].accept().deliver(OK)
        self.assertEqual(first.sent[9:12], b"200")
        self.assertEqual((self.ask(guard).sent, self.ask(guard).sent[9:12]), (b"", b"503"))

    def test_ends(self) -> None:
        """Room is given back however a request ends: its client leaves, its backend fails, it is refused further on."""
        guard = few()
        self.ask(guard).reset()
        self.ask(guard)
        backend = self.talk.connects[-1].accept()
        backend.reset()
        self.ask(guard, request=GET.replace(b"GET", b"POST"))
        self.talk.connects[-1].accept().deliver(b"nonsense\r\n\r\n")
        broken = self.ask(guard)
        self.assertEqual(broken.sent, b"")
        broken.reset()
        for _ in range(3):
            self.assertEqual(self.ask(guard, request=GET.replace(b"web.", b"unknown.")).sent[9:12], b"404")
        self.ask(guard).reset()
        self.talk.advance(30.0)
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_told_apart(self) -> None:
        """Requests are told apart as in rate limits, and only those count that are meant."""
        guard = few(by=BY_USER, match=Matched(methods=(StringMatch(Kind.EXACT, "GET"),)))
        one, two = (GET.replace(b"\r\n\r\n", b"\r\nx-user: %b\r\n\r\n" % name) for name in (b"one", b"two"))
        self.ask(guard, request=one)
        self.assertEqual(self.ask(guard, request=one).sent[9:12], b"503")
        self.assertEqual(self.ask(guard, request=two).sent, b"")
        self.assertEqual(self.ask(guard, request=one.replace(b"GET", b"HEAD")).sent, b"")

    def test_changed(self) -> None:
        """What is under way counts after a change of the limit's number."""
        guard, more = few(1), few(2)
        self.ask(guard)
        self.talk.gateway.forget_filters()
        self.talk.environment.access.keep([more])
        self.assertEqual((self.ask(more).sent, self.ask(more).sent[9:12]), (b"", b"503"))
        self.talk.connects[0].accept().deliver(OK)
        self.assertEqual(self.ask(more).sent, b"")

    def test_twice(self) -> None:
        """A policy that stands on the host and on the route counts a request once."""
        guard = few(2)
        connection = guarded(guard, routes=(to_web(guards=(guard,)),))
        for answer in (b"", b"", b"503"):
            client = self.talk.client(connection)
            client.deliver(GET)
            self.assertEqual(client.sent[9:12], answer)

    def test_several(self) -> None:
        """A request that one policy lets pass and another refuses is under way for neither, once it is answered."""
        first, second = few(5), replace(few(1), name="n/second")
        self.ask(first, second)
        for _ in range(9):
            self.assertEqual(self.ask(first, second).sent[9:12], b"503")
        self.talk.connects[0].accept().deliver(OK)
        self.assertEqual(self.ask(first, second).sent, b"")

    def test_answer(self) -> None:
        """The file says what is answered, and gRPC clients get their status."""
        response = Crowded(429, b"{}", b"application/json", grpc_exhausted=True, retry_after=0)
        guard = few(response=response)
        self.ask(guard)
        answer = self.ask(guard).sent
        self.assertTrue(answer.startswith(b"HTTP/1.1 429 "))
        self.assertIn(b"content-type: application/json\r\n", answer)
        self.assertNotIn(b"retry-after", answer)
        grpc = (
            b"POST /a.B/C HTTP/1.1\r\nhost: web.example\r\ncontent-type: application/grpc\r\ncontent-length: 0\r\n\r\n"
        )
        answer = self.ask(guard, request=grpc).sent
        self.assertIn(b"grpc-status: 8\r\n", answer)
        self.assertEqual(answer.count(b"content-type"), 1)

    def test_shadow(self) -> None:
        """In shadow all pass, and it is noted which would not have."""
        guard = few(shadow=True)
        self.ask(guard)
        self.ask(guard).reset()
        metadata = self.talk.ended[-1].metadata
        self.assertEqual(metadata, {"edgegate.concurrency": {"shadow": "n/few:one"}})

    def test_counted(self) -> None:
        """What was counted stays when the limit changes, and how many are under way is known."""
        access = self.talk.environment.access
        self.assertIsNone(access.found(UnderWay))
        self.ask(few())
        self.ask(few())
        self.talk.gateway.forget_filters()
        access.keep([])
        self.ask(few(2))
        under_way = access.found(UnderWay)
        assert under_way is not None
        counted = {verdict: number for (_, _, verdict), number in under_way.counted()}
        self.assertEqual(counted, {"allowed": 2, "limited": 1, "shadow": 0})
        self.assertEqual(dict(under_way.active()), {("n/few", "one"): 2})

    def test_divided(self) -> None:
        """Several processes divide a limit; each has one at least."""
        for processes, requests, most in ((4, 10, 3), (4, 1, 1), (1, 10, 10)):
            self.talk = Conversation()
            self.talk.environment.access = GuardStates(processes)
            guard = few(requests)
            for _ in range(most):
                self.assertEqual(self.ask(guard).sent, b"")
            self.assertEqual(self.ask(guard).sent[9:12], b"503")
