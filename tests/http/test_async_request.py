"""Tests of L{edgegate.http.async_request}: requests of the gateway's own, and what becomes of them."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import (
    CONNECT_REFUSED,
    NO_CLUSTER,
    NO_HEALTHY_UPSTREAM,
    OVERFLOW,
    UPSTREAM_BODY_TOO_LARGE,
    UPSTREAM_CLOSED,
    UPSTREAM_CUT_SHORT,
    UPSTREAM_PROTOCOL,
    UPSTREAM_RESET,
    UPSTREAM_TIMEOUT,
    Fault,
)
from edgegate.http.async_request import AsyncRequest, AsyncResponse
from edgegate.http.fields import Field
from edgegate.http.upstream_head import UpstreamHead
from edgegate.model.clusters import HTTPVersion, PoolLimits
from tests.http.conversation import NOTHING_LEFT, Conversation, plain
from tests.http.h2.backend import Backend

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-User: jane\r\n\r\nok"


class AsyncRequestTestCase(SynchronousTestCase):
    """The gateway asks the cluster C{web} something."""

    def talk(self, **what: Any) -> Conversation:
        """Make a gateway."""
        self.told: list[AsyncResponse | Fault] = []
        self.conversation = Conversation(**what)
        return self.conversation

    def ask(self, body: bytes = b"", timeout: float = 5.0, most: int = 1000, **what: Any) -> AsyncRequest:
        """Ask."""
        talk = self.conversation
        cluster = talk.clusters.get(what.pop("cluster", "web"))
        assert cluster is not None
        head = UpstreamHead(
            what.pop("method", b"GET"), b"/check", b"shop.example", "", [(b"x-a", b"1")], len(body), True
        )
        head.grpc = what.pop("grpc", False)
        request = AsyncRequest(talk.environment, cluster, head, body, self.told.append, plain(), most)
        request.start(timeout)
        return request

    def answered(self) -> AsyncResponse:
        """Return the response."""
        (found,) = self.told
        assert isinstance(found, AsyncResponse), found
        return found

    def gone(self) -> None:
        """Nothing is left behind."""
        self.conversation.advance(20)
        self.assertEqual(self.conversation.left, NOTHING_LEFT)


class HTTP1Tests(AsyncRequestTestCase):
    """A cluster of HTTP/1."""

    def test_asked_and_answered(self) -> None:
        """The request is written as its head says, and the whole response is told once."""
        talk = self.talk()
        self.ask(b"body")
        backend = talk.backend()
        self.assertEqual(
            backend.sent, b"GET /check HTTP/1.1\r\nhost: shop.example\r\nx-a: 1\r\ncontent-length: 4\r\n\r\nbody"
        )
        backend.deliver(b"HTTP/1.1 103 Early\r\n\r\n" + OK[:-1])
        self.assertEqual(self.told, [])
        backend.deliver(OK[-1:])
        answer = self.answered()
        self.assertEqual((answer.status, answer.fields, answer.body), (200, [(b"x-user", b"jane")], b"ok"))
        self.assertEqual(repr(answer), "<AsyncResponse 200 with 2 bytes>")
        self.gone()

    def test_length(self) -> None:
        """That there is no body is said, also where a method has none as a rule (Envoy)."""
        talk = self.talk()
        self.ask()
        self.assertIn(b"content-length: 0\r\n", talk.backend().sent)

    def test_kept_connection(self) -> None:
        """The connection is one that clients' requests use as well."""
        talk = self.talk()
        self.ask()
        backend = talk.backend()
        backend.deliver(OK)
        backend.take()
        client = talk.ask(b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n")
        self.assertEqual(len(talk.connects), 1)
        backend.deliver(OK)
        self.assertIn(b"jane", client.sent)

    def test_any_status(self) -> None:
        """Whatever the status is, it is a response; one to HEAD has no body."""
        talk = self.talk()
        for head in (b"503 No", b"302 Found", b"401 No"):
            self.told.clear()
            self.ask(method=b"HEAD")
            talk.backend().deliver(b"HTTP/1.1 %b\r\nContent-Length: 7\r\nConnection: close\r\n\r\n" % head)
            self.assertEqual(self.answered().status, int(head[:3]))
            self.assertEqual(self.answered().body, b"")
        self.gone()

    def test_unreachable(self) -> None:
        """A connect that fails says why."""
        talk = self.talk()
        self.ask()
        talk.connects[-1].failed(CONNECT_REFUSED)
        self.assertEqual(self.told, [CONNECT_REFUSED])
        self.gone()

    def test_no_endpoint(self) -> None:
        """A cluster without endpoints is waited for only as long as its names are looked up."""
        self.talk(endpoints=0)
        self.ask()
        self.assertEqual(self.told, [NO_HEALTHY_UPSTREAM])
        self.gone()

    def test_stand_in(self) -> None:
        """A cluster that stands for whatever hosts clients name has none of its own."""
        talk = self.talk()
        cluster: Any = talk.clusters.get("web")
        cluster.hosts = object()
        self.ask()
        cluster.hosts = None
        self.assertEqual(self.told, [NO_CLUSTER])

    def test_limits(self) -> None:
        """The cluster's limits hold, and room is given back."""
        talk = self.talk(pool=PoolLimits(requests=1))
        self.ask()
        self.ask()
        self.assertEqual(self.told, [OVERFLOW])
        talk.backend().deliver(OK)
        self.told.clear()
        self.ask()
        self.assertEqual(self.told, [])

    def test_no_room_for_connections(self) -> None:
        """A cluster that has no room for one who waits refuses."""
        self.talk(pool=PoolLimits(connections=1, pending=0))
        self.ask()
        self.assertEqual(self.told, [OVERFLOW])
        self.gone()

    def test_timeout(self) -> None:
        """After its time nobody waits, be it for the connection or for the response."""
        talk = self.talk()
        self.ask(timeout=1.0)
        talk.advance(2)
        self.assertEqual(self.told, [UPSTREAM_TIMEOUT])
        self.told.clear()
        self.ask(timeout=1.0)
        backend = talk.backend()
        backend.deliver(OK[:-1])
        talk.advance(2)
        self.assertEqual(self.told, [UPSTREAM_TIMEOUT])
        self.assertEqual(backend.ended, "aborted")
        self.gone()

    def test_cancel(self) -> None:
        """Who cancels hears nothing, at whatever time."""
        talk = self.talk()
        self.ask().cancel()
        request = self.ask()
        backend = talk.backend()
        request.cancel()
        request.cancel()
        self.assertEqual(backend.ended, "aborted")
        request = self.ask()
        talk.backend().deliver(OK)
        request.cancel()
        self.assertEqual(len(self.told), 1)
        self.gone()

    def test_too_large(self) -> None:
        """A response is kept up to a bound."""
        talk = self.talk()
        self.ask(most=2)
        stream = talk.backend()
        stream.deliver(OK)
        self.assertEqual(self.answered().body, b"ok")
        self.told.clear()
        self.ask(most=1)
        stream.deliver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n")
        self.assertEqual(self.told, [UPSTREAM_BODY_TOO_LARGE])
        self.assertEqual(stream.ended, "aborted")
        self.gone()

    def test_broken_answers(self) -> None:
        """What is no response, or not all of it, is told as what it is."""
        for data, fault in (
            (b"SSH-2.0-x\r\n", UPSTREAM_PROTOCOL),
            (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nab", UPSTREAM_CUT_SHORT),
            (b"", UPSTREAM_CLOSED),
            (b"HTTP/1.1 101 Switching\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n", UPSTREAM_PROTOCOL),
        ):
            talk = self.talk()
            self.ask()
            backend = talk.backend()
            if data:
                backend.deliver(data)
            if not backend.ended:
                backend.finish()
            self.assertEqual(self.told, [fault], data)
            self.gone()

    def test_stale_connection(self) -> None:
        """What was sent on a connection that was just being closed is sent again, once, on a new one."""
        talk = self.talk()
        self.ask()
        stale = talk.backend()
        stale.deliver(OK)
        self.told.clear()
        self.ask(method=b"POST")
        stale.finish()
        self.assertEqual((self.told, len(talk.connects)), ([], 2))
        fresh = talk.backend()
        self.assertTrue(fresh.sent.startswith(b"POST /check"))
        fresh.finish()
        self.assertEqual((self.told, len(talk.connects)), ([UPSTREAM_CLOSED], 2))
        self.gone()

    def test_error_of_ours(self) -> None:
        """What whoever is told raises is logged, ends no connection of others, and nothing is told again."""
        talk = self.talk()
        cluster = talk.clusters.get("web")
        assert cluster is not None
        told: list[object] = []

        def broken(outcome: AsyncResponse | Fault) -> None:
            told.append(outcome)
            raise ZeroDivisionError

        head = UpstreamHead(b"GET", b"/", b"a", "", [])
        AsyncRequest(talk.environment, cluster, head, b"", broken, plain()).start(5.0)
        talk.backend().deliver(OK)
        self.assertEqual(len(told), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.gone()

    def test_repr(self) -> None:
        """It says where it goes."""
        self.talk()
        self.assertEqual(repr(self.ask()), "<AsyncRequest to web>")


class HTTP2Tests(AsyncRequestTestCase):
    """A cluster of HTTP/2, and calls of gRPC to any cluster."""

    def begin(self, **what: Any) -> Backend:
        """Ask on a connection of HTTP/2."""
        self.ask(b"body", **what)
        return Backend(self.conversation.backend())

    def test_answered(self) -> None:
        """A request is one of many on a connection, and trailers are told."""
        self.talk(http=HTTPVersion.HTTP2)
        backend = self.begin()
        self.ask()
        self.assertEqual((backend.asked, backend.body(1)), ([1, 3], b"body"))
        trailers: list[Field] = [(b"grpc-status", b"0")]
        backend.respond(1, b"x" * 1000, trailers=trailers)
        self.assertEqual((self.answered().body, self.answered().trailers), (b"x" * 1000, trailers))
        backend.respond(3)
        self.assertEqual(len(self.told), 2)
        self.gone()

    def test_grpc(self) -> None:
        """A call of gRPC goes by HTTP/2 also where the files do not say that the cluster speaks it."""
        self.talk()
        backend = self.begin(grpc=True)
        self.assertEqual(backend.request(1)[b":path"], b"/check")

    def test_reset(self) -> None:
        """A stream that is reset ends no other."""
        self.talk(http=HTTPVersion.HTTP2)
        backend = self.begin()
        self.ask()
        backend.reset(1, 8)
        self.assertEqual(self.told, [UPSTREAM_RESET])
        backend.respond(3)
        self.assertEqual(len(self.told), 2)
        self.gone()

    def test_too_large(self) -> None:
        """Past the bound the stream is reset, and the connection stays."""
        self.talk(http=HTTPVersion.HTTP2)
        backend = self.begin(most=10)
        backend.respond(1, b"x" * 11, trailers=[(b"x", b"y")])
        self.assertEqual(self.told, [UPSTREAM_BODY_TOO_LARGE])
        self.assertEqual(backend.stream.ended, "")
        self.gone()
