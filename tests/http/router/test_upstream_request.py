"""Tests of L{edgegate.http.router.upstream_request}: what a C{connectionPool} lets be asked for, and what is told."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, OVERFLOW, UPSTREAM_CLOSED, UPSTREAM_TIMEOUT, Fault
from edgegate.model.clusters import PoolLimits
from edgegate.model.policies import RetryPolicy
from edgegate.observe.events import UpstreamTry
from edgegate.upstream.circuit_breaker import CircuitBreaker
from tests.http.conversation import Conversation, FakeStream, to_web
from tests.http.h1.test_downstream_connection import GET, OK, POST


class LimitTests(SynchronousTestCase):
    """Several clients of one cluster."""

    def talk(self, limits: PoolLimits, **rest: object) -> Conversation:
        """Begin."""
        self.conversation = Conversation(to_web(**rest), pool=limits)  # type: ignore[arg-type]
        return self.conversation

    def ask(self) -> FakeStream:
        """Another client asks."""
        client = self.conversation.client()
        client.deliver(GET)
        return client

    @property
    def circuit_breaker(self) -> CircuitBreaker:
        """What counts."""
        state = self.conversation.clusters.get("web")
        assert state is not None
        assert state.circuit_breaker is not None
        return state.circuit_breaker

    def assert_quiet(self) -> None:
        """Nothing is counted but idle connections."""
        circuit_breaker = self.circuit_breaker
        self.assertEqual((circuit_breaker.pending, circuit_breaker.requests, circuit_breaker.waiting), (0, 0, 0))

    def test_second_waits(self) -> None:
        """Where one connection is allowed, the second request waits for it, and gets it; then the third."""
        talk = self.talk(PoolLimits(connections=1))
        clients = [self.ask(), self.ask(), self.ask()]
        self.assertEqual(len(talk.connects), 1)
        backend = talk.backend()
        for client in clients:
            self.assertEqual(backend.take().count(b"GET / HTTP/1.1"), 1)
            backend.deliver(OK)
            self.assertIn(b"ok", client.sent)
        self.assertEqual(len(talk.connects), 1)
        self.assertEqual(self.circuit_breaker.connections, 1)
        self.assert_quiet()

    def test_overflow(self) -> None:
        """More than may wait are answered 503 with UO at once, while the others go on."""
        talk = self.talk(PoolLimits(connections=1, pending=2))
        first, second, third = self.ask(), self.ask(), self.ask()
        self.assertTrue(third.sent.startswith(b"HTTP/1.1 503 "), third.sent)
        self.assertIn(b"(UO)", third.sent)
        self.assertEqual([exchange.fault for exchange in talk.ended], [OVERFLOW])
        self.assertEqual(talk.ended[0].attempts, 1)
        backend = talk.backend()
        backend.deliver(OK)
        backend.deliver(OK)
        self.assertIn(b"ok", first.sent)
        self.assertIn(b"ok", second.sent)
        self.assert_quiet()

    def test_requests(self) -> None:
        """So are more than may be under way."""
        talk = self.talk(PoolLimits(requests=1))
        first, second = self.ask(), self.ask()
        self.assertIn(b"(UO)", second.sent)
        talk.backend().deliver(OK)
        self.assertIn(b"ok", first.sent)
        self.assert_quiet()

    def test_connection_ends(self) -> None:
        """When the connection ends, the next who waits may make one."""
        talk = self.talk(PoolLimits(connections=1))
        self.ask()
        second = self.ask()
        backend = talk.backend()
        backend.deliver(OK.replace(b"Content-Length", b"Connection: close\r\nContent-Length"))
        self.assertEqual(len(talk.connects), 1)
        backend.settle()
        self.assertEqual(len(talk.connects), 2)
        talk.backend().deliver(OK)
        self.assertIn(b"ok", second.sent)
        self.assert_quiet()

    def test_of_no_use_to_who_waits(self) -> None:
        """A connection that those who wait cannot use, made for another name, makes room for one of theirs."""
        talk = self.talk(PoolLimits(connections=1))
        first, second = self.ask(), self.ask()
        backend = talk.backend()
        backend.protocol.key = "another"
        backend.deliver(OK)
        self.assertIn(b"ok", first.sent)
        self.assertEqual((backend.ended, len(talk.connects)), ("closed", 1))
        backend.settle()
        talk.backend().deliver(OK)
        self.assertIn(b"ok", second.sent)
        self.assert_quiet()

    def test_connect_fails(self) -> None:
        """A connect that fails makes room for the next, and is tried again behind it."""
        talk = self.talk(PoolLimits(connections=1))
        self.ask()
        second = self.ask()
        talk.connects[0].failed(CONNECT_REFUSED)
        self.assertEqual(len(talk.connects), 2)
        talk.retry()
        talk.backend().deliver(OK)
        self.assertIn(b"ok", second.sent)
        self.assertEqual(self.circuit_breaker.connections, 1)

    def test_client_goes(self) -> None:
        """Who goes away while waiting, or while a connection is made, leaves nothing behind."""
        talk = self.talk(PoolLimits(connections=1))
        first, second, third = self.ask(), self.ask(), self.ask()
        second.finish()
        first.finish()
        self.assertTrue(talk.connects[0].cancelled)
        talk.backend().deliver(OK)
        self.assertIn(b"ok", third.sent)
        self.assert_quiet()

    def test_timeout(self) -> None:
        """A route's timeout goes on while a request waits."""
        talk = self.talk(PoolLimits(connections=1), timeout=2.0)
        self.ask()
        second = self.ask()
        talk.backend()
        talk.advance(3.0)
        self.assertIn(b"(UT)", second.sent)
        self.assertEqual({exchange.fault for exchange in talk.ended}, {UPSTREAM_TIMEOUT})
        self.assert_quiet()

    def test_requests_per_connection(self) -> None:
        """A connection that has carried its number of requests is closed, and another one made."""
        talk = self.talk(PoolLimits(requests_per_connection=2))
        client = talk.client()
        for number in range(3):
            client.deliver(GET)
            if number in (0, 2):
                backend = talk.backend()
            backend.deliver(OK)
            self.assertEqual(backend.ended, "closed" if number == 1 else "")
        self.assertEqual(len(talk.connects), 2)

    def test_old_connections(self) -> None:
        """One that is too old takes no further request, idle or not."""
        talk = self.talk(PoolLimits(connection_duration=20.0, http_idle=600.0))
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(OK)
        talk.advance(21.0)
        client.deliver(GET)
        self.assertEqual((backend.ended, len(talk.connects)), ("closed", 2))
        talk.backend().deliver(OK)
        self.assertEqual(client.sent.count(b"HTTP/1.1 200 "), 2)

    def test_idle_time(self) -> None:
        """Idle connections are kept as long as the cluster says."""
        talk = self.talk(PoolLimits(http_idle=5.0))
        self.ask()
        backend = talk.backend()
        backend.deliver(OK)
        talk.advance(7.0)
        self.assertEqual(backend.ended, "closed")


class Watched(Conversation):
    """A conversation in which somebody wants to know of tries."""

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """Keep what is told."""
        self.__dict__.setdefault("tries", []).append((tried.number, tried.status, tried.fault, tried.reused))
        assert str(tried.endpoint) == "10.0.0.1:80"
        assert tried.seconds >= 0

    @property
    def told(self) -> list[tuple[int, int, Fault | None, bool]]:
        """What was told."""
        return list(self.__dict__.get("tries", ()))


class TriesTests(SynchronousTestCase):
    """What is told of each try, once."""

    def test_answered(self) -> None:
        """A response, whatever becomes of its body; and whether the connection was there already."""
        talk = Watched()
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(OK)
        client.deliver(GET)
        backend.deliver(b"HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\ncut")
        backend.finish()
        self.assertEqual(talk.told, [(1, 200, None, False), (1, 404, None, True)])

    def test_again(self) -> None:
        """Each try of a request is told, with what went wrong."""
        talk = Watched(to_web(retries=RetryPolicy(2, frozenset(("connect-failure", "5xx")))))
        talk.ask(GET)
        talk.connects[0].failed(CONNECT_REFUSED)
        talk.retry()
        talk.backend().deliver(b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n")
        talk.retry()
        self.assertEqual(talk.told, [(1, 0, CONNECT_REFUSED, False), (2, 503, None, False)])

    def test_client_leaves(self) -> None:
        """Nothing went wrong where the client has left."""
        talk = Watched()
        client = talk.ask(GET)
        talk.backend()
        client.finish()
        self.assertEqual(talk.told, [(1, 0, None, False)])

    def test_timeout(self) -> None:
        """The route's time ends the try that is under way."""
        talk = Watched(to_web(timeout=2.0))
        talk.ask(GET)
        talk.backend()
        talk.advance(3.0)
        self.assertEqual(talk.told, [(1, 0, UPSTREAM_TIMEOUT, False)])

    def test_overflow(self) -> None:
        """A try that the cluster's limits do not let begin is one."""
        talk = Watched(pool=PoolLimits(connections=1, pending=1))
        talk.ask(GET)
        talk.ask(GET)
        self.assertEqual(talk.told, [(1, 0, OVERFLOW, False)])


class UnprocessedTests(SynchronousTestCase):
    """A backend that says that it has not looked at a request, as by HTTP/2's REFUSED_STREAM."""

    def kept(self) -> tuple[Watched, FakeStream, FakeStream]:
        """Have a connection to the backend that has carried a request."""
        talk = Watched()
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(OK)
        client.take()
        return talk, client, backend

    def refuse(self, backend: FakeStream) -> None:
        """Have the backend refuse what was sent last."""
        stream = backend.protocol
        request = stream._callbacks
        stream._forget_callbacks()
        backend.abortConnection()
        request.response_unprocessed(UPSTREAM_CLOSED)

    def test_again(self) -> None:
        """It is sent again on a new connection, whatever its method; that is the same try."""
        talk, client, backend = self.kept()
        client.deliver(POST + b"0123456789")
        self.refuse(backend)
        self.assertEqual(len(talk.connects), 2)
        again = talk.backend()
        self.assertTrue(again.sent.endswith(b"x-envoy-attempt-count: 1\r\n\r\n0123456789"), again.sent)
        again.deliver(OK)
        self.assertIn(b"HTTP/1.1 200 ", client.sent)
        self.assertEqual(talk.told[1:], [(1, 200, None, False)])

    def test_only_once(self) -> None:
        """On a connection that is new it is a try that failed."""
        talk, client, backend = self.kept()
        client.deliver(POST + b"0123456789")
        self.refuse(backend)
        self.refuse(talk.backend())
        talk.retry()
        self.assertIn(b"HTTP/1.1 503 ", client.sent)
        self.assertEqual(talk.told[1:], [(1, 0, UPSTREAM_CLOSED, False)])
