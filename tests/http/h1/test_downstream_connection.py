"""Tests for L{edgegate.http.h1.downstream_connection}: what a client of HTTP/1 sees."""

from __future__ import annotations

import re
from dataclasses import replace
from math import inf
from random import Random
from time import monotonic

from twisted.internet.interfaces import IProtocol, IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.buffers import BUFFERS
from edgegate.errors import (
    BODY_TOO_LARGE,
    CLIENT_BODY_TIMEOUT,
    CLIENT_GONE,
    CLIENT_TIMEOUT,
    DURATION_EXCEEDED,
    INTERNAL,
    OVERLOADED,
    Fault,
)
from edgegate.http.exchange import Exchange
from edgegate.http.h1.downstream_connection import TURN
from edgegate.http.interfaces import Dispatcher, IResource
from edgegate.http.limits import Limits
from edgegate.http.overdue import Overdue
from edgegate.model.policies import Abort, Delay, Faults
from edgegate.net.client_counts import ClientCounts
from edgegate.overload.idle import UNASKED
from tests.http.conversation import (
    NOTHING_LEFT,
    TICK,
    Conversation,
    FakeStream,
    connection_of,
    plain,
    routed,
    to_web,
)

GET = b"GET / HTTP/1.1\r\nHost: web.example\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: web.example\r\nContent-Length: 10\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nDate: today\r\n\r\nok"
ANSWER = (
    b"HTTP/1.1 200 OK\r\ndate: today\r\ncontent-length: 2\r\n"
    b"x-envoy-upstream-service-time: 0\r\nserver: edgegate\r\n\r\nok"
)


NOBODY = GET.replace(b"web.example", b"nobody.example")
"""A request that is answered at once."""


def stalls_at_each_write(talk: Conversation) -> FakeStream:
    """Return a client that reads nothing of what is written to it."""
    client: FakeStream = talk.client()

    def write(data: bytes) -> None:
        FakeStream.write(client, data)
        client.producer.pauseProducing()

    client.write = write  # type: ignore[method-assign]
    return client


def steady(answer: bytes) -> bytes:
    """Leave out what differs from run to run."""
    answer = re.sub(rb"service-time: \d+", b"service-time: 0", answer)
    return re.sub(rb"date: \w\w\w, [^\r]+", b"date: now", answer)


class Broken(Dispatcher):
    """Finds nothing but errors."""

    def resource_for(self, exchange: Exchange) -> IResource:
        raise ZeroDivisionError


class FailsAt(Random):
    """Fails at the n-th draw."""

    def __init__(self, number: int) -> None:
        super().__init__(1)
        self._left = number

    def random(self) -> float:
        """Draw, so that nothing below 1 is taken."""
        self._left -= 1
        return 0.99 if self._left else 1 / 0


class ExchangeTests(SynchronousTestCase):
    """Requests are answered."""

    def test_one_request(self) -> None:
        """A request goes to the backend in one piece, its response to the client in one piece."""
        talk = Conversation()
        client = talk.client()
        verifyObject(IProtocol, connection_of(client))
        verifyObject(IPushProducer, connection_of(client))
        client.deliver(GET)
        backend = talk.backend()
        self.assertEqual(len(backend.writes), 1)
        self.assertTrue(backend.sent.startswith(b"GET / HTTP/1.1\r\nhost: web.example\r\n"))
        backend.deliver(OK)
        self.assertEqual([steady(data) for data in client.writes], [ANSWER])
        self.assertEqual(len(talk.ended), 1)
        self.assertEqual((talk.ended[0].status, talk.ended[0].sent, talk.ended[0].fault), (200, 2, None))

    def test_kept_connections(self) -> None:
        """Both connections are kept for the next request."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        for _ in range(3):
            backend.deliver(OK)
            self.assertEqual(steady(client.take()), ANSWER)
            client.deliver(GET)
        self.assertEqual(len(talk.connects), 1)
        self.assertEqual((client.ended, backend.ended), ("", ""))

    def test_pipelined_requests_are_answered_in_order(self) -> None:
        """A second request waits, unread, until the first is answered."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET + GET.replace(b"/ ", b"/two ") + b"GET /three HTTP/1.1\r\nHost: nobody\r\n\r\n")
        backend = talk.backend()
        self.assertEqual(backend.take().count(b"GET"), 1)
        self.assertFalse(client.reading)
        backend.deliver(OK)
        self.assertIn(b"GET /two HTTP/1.1", backend.take())
        backend.deliver(OK.replace(b"ok", b"ko"))
        answers = client.sent
        self.assertEqual(re.findall(rb"HTTP/1.1 (\d+)", answers), [b"200", b"200", b"404"])
        self.assertLess(answers.index(b"ok"), answers.index(b"ko"))
        self.assertTrue(client.reading)

    def test_connection_close(self) -> None:
        """A client that asks for it gets its connection closed after the response."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"GET / HTTP/1.1\r\nHost: web.example\r\nConnection: close\r\n\r\n")
        talk.backend().deliver(OK)
        self.assertIn(b"connection: close\r\n", client.sent)
        self.assertEqual(client.ended, "closed")

    def test_http_1_0(self) -> None:
        """An HTTP/1.0 client is answered without chunks, and its connection is kept only where it asks for it."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"GET / HTTP/1.0\r\nHost: web.example\r\nConnection: keep-alive\r\n\r\n")
        backend = talk.backend()
        backend.deliver(OK)
        self.assertIn(b"connection: keep-alive\r\n", client.take())
        self.assertEqual(client.ended, "")
        client.deliver(b"GET / HTTP/1.0\r\nHost: web.example\r\n\r\n")
        backend.deliver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n")
        head, _, body = client.sent.partition(b"\r\n\r\n")
        self.assertNotIn(b"chunked", head)
        self.assertEqual(body, b"ok")
        self.assertEqual(client.ended, "closed")

    def test_chunked_answer_with_trailers(self) -> None:
        """A body whose length is not known is chunked anew, and its trailers are passed on."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n3\r\nabc\r\n")
        self.assertTrue(client.sent.endswith(b"\r\n\r\n3\r\nabc\r\n"))
        client.take()
        backend.deliver(b"a\r\n0123456789\r\n0\r\nX-Sum: 9\r\nServer: x\r\n\r\n")
        self.assertEqual(client.take(), b"a\r\n0123456789\r\n0\r\nx-sum: 9\r\n\r\n")
        self.assertEqual(backend.ended, "")

    def test_bodyless_answers(self) -> None:
        """HEAD, 204 and 304 have no body, and what follows on the connection is the next response."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"HEAD / HTTP/1.1\r\nHost: web.example\r\n\r\n")
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
        head = client.take()
        self.assertIn(b"content-length: 1000\r\n", head)
        self.assertTrue(head.endswith(b"\r\n\r\n"))
        client.deliver(GET)
        backend.deliver(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n")
        self.assertNotIn(b"transfer-encoding", client.take())
        client.deliver(GET)
        backend.deliver(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.assertNotIn(b"content-length", client.take())
        client.deliver(GET)
        backend.deliver(OK)
        self.assertEqual(steady(client.take()), ANSWER)
        self.assertEqual(len(talk.connects), 1)

    def test_continue(self) -> None:
        """A client that waits for 100 Continue gets it once there is a backend, and not before."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST.replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n"))
        self.assertEqual(client.sent, b"")
        backend = talk.backend()
        self.assertEqual(client.take(), b"HTTP/1.1 100 Continue\r\n\r\n")
        self.assertNotIn(b"expect", backend.sent)
        client.deliver(b"0123456789")
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))
        backend.deliver(OK)
        self.assertEqual(steady(client.take()), ANSWER)

    def test_no_continue_without_a_route(self) -> None:
        """A client that waits for 100 Continue is told at once that there is nobody to send to."""
        client = Conversation().client()
        client.deliver(b"POST / HTTP/1.1\r\nHost: no\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 404 Not Found\r\n"))
        self.assertIn(b"connection: close\r\n", client.sent)
        self.assertEqual(client.ended, "half-closed")

    def test_local_answers_keep_the_connection(self) -> None:
        """A host that nobody knows is answered 404 with the flag, and the connection goes on."""
        talk = Conversation()
        client = talk.client()
        for _ in range(2):
            client.deliver(b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n")
            self.assertEqual(
                steady(client.take()),
                b"HTTP/1.1 404 Not Found\r\ncontent-type: text/plain\r\ncontent-length: 14\r\n"
                b"date: now\r\nserver: edgegate\r\n\r\nno route (NR)\n",
            )
        self.assertEqual(len(talk.ended), 2)

    def test_local_answer_before_the_body(self) -> None:
        """Nobody takes the body of a request that the gateway answers: the client is told that the connection ends."""
        client = Conversation().client()
        client.deliver(b"POST / HTTP/1.1\r\nHost: unknown.example\r\nContent-Length: 3\r\n\r\nabc")
        self.assertIn(b"connection: close\r\n", client.sent)

    def test_local_answers_to_head(self) -> None:
        """A local response to HEAD has the length and not the body."""
        client = Conversation().client()
        client.deliver(b"HEAD / HTTP/1.1\r\nHost: nobody.example\r\n\r\n")
        self.assertIn(b"\r\ncontent-length: 14\r\n", client.sent)
        self.assertTrue(client.sent.endswith(b"\r\nserver: edgegate\r\n\r\n"))

    def test_thousands_of_pipelined_local_answers(self) -> None:
        """Pipelined requests that are answered locally do not recurse, and none is left out."""
        client = Conversation().client()
        client.deliver(b"GET / HTTP/1.1\r\nHost: no\r\n\r\n" * 1500)
        while client.later:
            client.later.pop()()
        self.assertEqual(client.sent.count(b"404 Not Found"), 1500)


def counted(talk: Conversation) -> tuple[int, int, int, int]:
    """How many requests were refused: because of all, of their clients, of a late loop, of bytes that wait."""
    environment = talk.environment
    return environment.shed, environment.shed_of_clients, environment.shed_late, environment.shed_of_buffers


class OverloadTests(SynchronousTestCase):
    """Requests that are too many, or too large."""

    def test_too_many_requests(self) -> None:
        """One request too many is refused with 503, and may come again; those under way go on."""
        talk = Conversation()
        talk.environment.most_requests = 1
        first, second = talk.client(), talk.client()
        first.deliver(GET)
        second.deliver(GET)
        self.assertTrue(second.sent.startswith(b"HTTP/1.1 503 Service Unavailable\r\n"))
        self.assertIn(b"\r\nretry-after: 1\r\n", second.sent)
        self.assertTrue(second.take().endswith(b"overloaded (OM)\n"))
        talk.backend().deliver(OK)
        self.assertIn(b"200 OK", first.sent)
        second.deliver(GET)
        self.assertEqual((second.ended, [exchange.fault for exchange in talk.ended]), ("", [OVERLOADED, None]))
        self.assertEqual(counted(talk), (1, 0, 0, 0))

    def test_too_many_of_a_client(self) -> None:
        """One request too many of a client is refused on whichever of its connections; no other client's is."""
        talk = Conversation()
        ours, others = (replace(plain(), counts=ClientCounts(client, 1)) for client in ("a", "b"))
        first, second, other = talk.client(ours), talk.client(ours), talk.client(others)
        first.deliver(GET)
        second.deliver(GET)
        self.assertIn(b"HTTP/1.1 503 ", second.sent)
        self.assertIn(b"\r\nretry-after: 1\r\n", second.sent)
        self.assertTrue(second.take().endswith(b"too many requests of one client (OM)\n"))
        other.deliver(GET)
        self.assertEqual((other.sent, len(talk.connects)), (b"", 2))
        talk.connects[0].accept().deliver(OK)
        second.deliver(GET)
        self.assertEqual((second.sent, ours.counts.requests, others.counts.requests), (b"", 1, 1))
        self.assertEqual(counted(talk), (0, 1, 0, 0))

    def test_requests_of_a_client_end(self) -> None:
        """However a request ends, it is its client's no longer."""
        ours = replace(plain(), counts=ClientCounts("a", 1000))
        for ends in (
            lambda client, backend: backend.deliver(OK),
            lambda client, backend: backend.deliver(OK.replace(b"Length: 2", b"Length: 3")) or backend.finish(),
            lambda client, backend: backend.finish(),
            lambda client, backend: client.reset(),
            lambda client, backend: connection_of(client).broke(),
        ):
            talk = Conversation()
            client = talk.client(ours)
            client.deliver(GET)
            self.assertEqual(ours.counts.requests, 1)
            ends(client, talk.backend())
            self.assertEqual(ours.counts.requests, 0)
        for answered_here in (b"nonsense\r\n\r\n", GET.replace(b"web", b"nobody")):
            talk = Conversation()
            talk.client(ours).deliver(answered_here)
            self.assertEqual((len(talk.ended), ours.counts.requests), (1, 0))

    def test_many_in_one_turn(self) -> None:
        """Of many requests that come at once, and are answered at once, some are begun in each turn."""
        talk = Conversation()
        client = talk.client()
        asked = GET.replace(b"web.example", b"nobody.example")
        client.deliver(asked * (2 * TURN + 5) + asked[:9])
        answered = []
        while client.later:
            answered.append(client.take().count(b"HTTP/1.1 404 "))
            self.assertFalse(client.reading)
            client.later.pop()()
        answered.append(client.take().count(b"HTTP/1.1 404 "))
        self.assertEqual(answered, [TURN, TURN, 5])
        self.assertTrue(client.reading)
        client.deliver(asked[9:])
        self.assertIn(b"HTTP/1.1 404 ", client.take())
        self.assertEqual(connection_of(client).idle_since(), talk.clock.seconds())

    def test_ended_between_turns(self) -> None:
        """A connection that has ended meanwhile does not go on."""
        talk = Conversation()
        client = talk.client()
        client.deliver(NOBODY * (TURN + 5))
        client.take()
        client.reset()
        client.later.pop()()
        self.assertEqual((client.sent, talk.environment.connections), (b"", set()))

    def test_late_loop(self) -> None:
        """While the loop is late each new request is refused."""
        talk = Conversation()
        client = talk.client()
        talk.environment.lag.late = True
        client.deliver(GET)
        self.assertIn(b"HTTP/1.1 503 ", client.take())
        self.assertEqual(counted(talk), (0, 0, 1, 0))
        talk.environment.lag.late = False
        client.deliver(GET)
        self.assertEqual((client.sent, len(talk.connects)), (b"", 1))

    def test_full_buffers(self) -> None:
        """So is each while too many bytes wait."""
        self.addCleanup(setattr, BUFFERS, "bound", BUFFERS.bound)
        BUFFERS.bound = BUFFERS.held - 1
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        self.assertIn(b"HTTP/1.1 503 ", client.sent)
        self.assertEqual(counted(talk), (0, 0, 0, 1))

    def test_body_too_large(self) -> None:
        """A body that says that it is too large is not read; one that does not say it, up to the limit."""
        talk = Conversation(limits=Limits(body_bytes=9))
        sized, chunked, begun = talk.client(), talk.client(), talk.client()
        sized.deliver(POST + b"0123456789")
        self.assertTrue(sized.sent.startswith(b"HTTP/1.1 413 Content Too Large\r\n"))
        self.assertIn(b"connection: close\r\n", sized.sent)
        chunks = POST.replace(b"Content-Length: 10", b"Transfer-Encoding: chunked")
        chunked.deliver(chunks + b"9\r\n123456789\r\n")
        self.assertEqual(chunked.sent, b"")
        chunked.deliver(b"1\r\n0\r\n1\r\n0\r\n0\r\n\r\n")
        self.assertTrue(chunked.sent.startswith(b"HTTP/1.1 413 "))
        begun.deliver(chunks + b"1\r\n0\r\n")
        talk.backend().deliver(b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n")
        begun.deliver(b"9\r\n123456789\r\n")
        self.assertEqual(begun.ended, "closed")
        self.assertEqual([exchange.fault for exchange in talk.ended], [BODY_TOO_LARGE] * 3)
        self.assertEqual([exchange.received for exchange in talk.ended], [0, 9, 1])

    def test_last_request(self) -> None:
        """A connection ends with the last request that it may carry."""
        talk = Conversation()
        talk.environment.connection_requests = 2
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(OK)
        self.assertNotIn(b"connection: close", client.take())
        client.deliver(GET)
        backend.deliver(OK)
        self.assertIn(b"connection: close\r\n", client.sent)
        self.assertEqual(client.ended, "closed")


class UploadTests(SynchronousTestCase):
    """Request bodies are streamed."""

    def test_sized_body(self) -> None:
        """A body goes on as it comes, with its length."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST + b"01234")
        backend = talk.backend()
        self.assertIn(b"content-length: 10\r\n", backend.sent)
        self.assertTrue(backend.take().endswith(b"\r\n\r\n01234"))
        client.deliver(b"56789")
        self.assertEqual(backend.take(), b"56789")
        self.assertEqual(talk.ended, [])
        backend.deliver(OK)
        self.assertEqual(talk.ended[0].received, 10)

    def test_chunked_body(self) -> None:
        """A chunked body is chunked anew, with its trailers but not those that are the connection's."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n5;ext\r\nhel")
        backend = talk.backend()
        client.deliver(b"lo\r\n0\r\nX-Sum: 1\r\nHost: evil\r\n\r\n")
        head, _, body = backend.sent.partition(b"\r\n\r\n")
        self.assertIn(b"transfer-encoding: chunked", head)
        self.assertEqual(body, b"3\r\nhel\r\n2\r\nlo\r\n0\r\nx-sum: 1\r\n\r\n")

    def test_backend_does_not_keep_up(self) -> None:
        """A client is not read while its backend cannot take more."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST)
        backend = talk.backend()
        backend.producer.pauseProducing()
        self.assertFalse(client.reading)
        backend.producer.resumeProducing()
        self.assertTrue(client.reading)

    def test_held_body_is_bounded(self) -> None:
        """While no backend is connected, only so much of a body is taken; it reaches the backend whole."""
        talk = Conversation(limits=Limits(upload_bytes=100))
        client = talk.client()
        client.deliver(POST.replace(b"10", b"300") + b"a" * 90)
        self.assertTrue(client.reading)
        client.deliver(b"b" * 90)
        self.assertFalse(client.reading)
        backend = talk.backend()
        self.assertTrue(client.reading)
        client.deliver(b"c" * 120)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n" + b"a" * 90 + b"b" * 90 + b"c" * 120))

    def test_early_answer(self) -> None:
        """A response that comes before the body is whole is passed on; the connections are not kept."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST + b"0")
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 413 Too Large\r\n"))
        self.assertEqual(client.ended, "half-closed")
        self.assertEqual(backend.ended, "closed")
        client.deliver(b"123456789")
        self.assertEqual(len(talk.ended), 1)

    def test_malformed_body(self) -> None:
        """A body that breaks its coding is answered 400, and its backend never gets it for whole."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n")
        backend = talk.backend()
        client.deliver(b"zz\r\n")
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 400 Bad Request\r\n"))
        self.assertEqual(backend.ended, "aborted")
        self.assertNotIn(b"0\r\n\r\n", backend.sent.partition(b"\r\n\r\n")[2])


class DeadlineTests(SynchronousTestCase):
    """Nobody waits for ever."""

    def test_silent_client(self) -> None:
        """A client that says nothing is let go."""
        talk = Conversation()
        client = talk.client()
        talk.advance(Limits().idle_seconds - 2)
        self.assertEqual(client.ended, "")
        talk.advance(3)
        self.assertEqual((client.ended, client.sent), ("closed", b""))

    def test_kept_connection_is_let_go(self) -> None:
        """A kept connection is closed when it has been idle for long enough, counted from the last response."""
        talk = Conversation()
        client = talk.client()
        talk.advance(50)
        client.deliver(b"GET / HTTP/1.1\r\nHost: no\r\n\r\n")
        talk.advance(50)
        self.assertEqual(client.ended, "")
        talk.advance(30)
        self.assertEqual(client.ended, "closed")

    def test_dripping_head(self) -> None:
        """A head must be whole some seconds after its first byte, however steadily it drips."""
        talk = Conversation()
        client = talk.client()
        talk.advance(40)
        client.deliver(b"GET / HTTP/1.1\r\n")
        dripped = 0
        while not client.sent:
            talk.clock.advance(TICK)
            client.deliver(b"X: y\r\n")
            dripped += 1
        self.assertLess(abs(dripped * TICK - Limits().head_seconds), 2.0)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n"), client.sent)
        self.assertEqual(client.ended, "half-closed")
        self.assertEqual([exchange.fault for exchange in talk.ended], [CLIENT_TIMEOUT])

    def test_stalled_body(self) -> None:
        """A body that stops coming is answered 408; one that goes on is not, at whatever rate if that is allowed."""
        talk = Conversation(limits=Limits(body_rate=0))
        client = talk.client()
        client.deliver(POST)
        backend = talk.backend()
        for _ in range(4):
            talk.advance(40)
            client.deliver(b"x")
        self.assertEqual(client.sent, b"")
        talk.advance(62)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n"))
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual([exchange.fault for exchange in talk.ended], [CLIENT_BODY_TIMEOUT])

    def test_trickling_body(self) -> None:
        """A body of which a byte comes now and then is not waited for without end."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST.replace(b"10", b"500000"))
        backend = talk.backend()
        for _ in range(20):
            talk.clock.pump([TICK] * 8)
            if client.sent:
                break
            client.deliver(b"x")
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n"))
        self.assertEqual([exchange.fault for exchange in talk.ended], [CLIENT_BODY_TIMEOUT])
        self.assertEqual(backend.ended, "aborted")

    def test_back_pressure_is_not_the_clients(self) -> None:
        """While the backend does not take a body its client is not too slow."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST.replace(b"10", b"500000"))
        backend = talk.backend()
        backend.producer.pauseProducing()
        self.assertFalse(client.reading)
        talk.advance(200)
        backend.producer.resumeProducing()
        self.assertTrue(client.reading)
        talk.advance(40)
        client.deliver(b"x")
        self.assertEqual((client.sent, talk.ended), (b"", []))

    def test_stream_with_pauses(self) -> None:
        """When the response has begun the rest of a body may come as it likes, five minutes between two bytes."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST.replace(b"10", b"500000"))
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        backend.take()
        for _ in range(4):
            talk.advance(250)
            client.deliver(b"x")
            backend.deliver(b"1\r\ny\r\n")
        self.assertEqual((talk.ended, backend.sent), ([], b"xxxx"))
        for _ in range(3):
            talk.advance(250)
            backend.deliver(b"1\r\ny\r\n")
        self.assertEqual(talk.ended, [])

    def test_reader_that_does_not_read(self) -> None:
        """A client that does not read its response stops its backend, and is cut off in the end."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 1000)
        client.producer.pauseProducing()
        self.assertFalse(backend.reading)
        client.producer.resumeProducing()
        self.assertTrue(backend.reading)
        client.producer.pauseProducing()
        for client.acknowledged in (100_000, 200_000):
            # slowly it does read
            talk.advance(Limits().stall_seconds + 1)
            self.assertEqual(client.ended, "")
        talk.advance(Limits().stall_seconds + 1)
        self.assertEqual(client.ended, "aborted")
        client.settle()
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual([exchange.fault for exchange in talk.ended], [CLIENT_GONE])

    def test_stalled_client_gets_no_more_pipelined_answers(self) -> None:
        """While a client does not read, its next requests are not answered, so that answers do not pile up."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET + GET)
        backend = talk.backend()
        backend.take()
        client.producer.pauseProducing()
        backend.deliver(OK)
        self.assertEqual(backend.take(), b"")
        client.producer.resumeProducing()
        self.assertEqual(backend.take().count(b"GET /"), 1)

    def test_nothing_begins_while_a_client_is_stalled(self) -> None:
        """A request behind the response that is not read is not begun: nothing would hold up what answers it."""
        talk = Conversation()
        client = stalls_at_each_write(talk)
        client.deliver(NOBODY + GET + GET[:9])
        self.assertEqual((client.take().count(b"HTTP/1.1 404 "), talk.connects), (1, []))
        client.deliver(GET[9:])
        self.assertEqual((talk.connects, client.reading), ([], False))
        client.producer.resumeProducing()
        self.assertEqual(talk.backend().take().count(b"GET / "), 1)
        self.assertEqual(talk.environment.observer.begun, 2)

    def test_stalled_between_requests(self) -> None:
        """So is one that comes later, and in the end the connection is cut off."""
        talk = Conversation()
        client = stalls_at_each_write(talk)
        client.deliver(NOBODY)
        client.deliver(GET)
        self.assertEqual(talk.connects, [])
        talk.advance(Limits().stall_seconds + 1)
        self.assertEqual(client.ended, "aborted")

    def test_many_of_a_stalled_client(self) -> None:
        """A turn that was put off begins nothing while the client does not read, and has a bound once it does."""
        talk = Conversation()
        client = talk.client()
        client.deliver(NOBODY * (3 * TURN))
        client.producer.pauseProducing()
        self.assertEqual(client.take().count(b"HTTP/1.1 404 "), TURN)
        client.later.pop()()
        self.assertEqual(client.take(), b"")
        client.producer.resumeProducing()
        self.assertEqual(client.take().count(b"HTTP/1.1 404 "), TURN)
        for _ in range(2):
            # before others have had their turn
            client.producer.pauseProducing()
            client.producer.resumeProducing()
        self.assertEqual(client.take(), b"")
        for later in client.later:
            later()
        self.assertEqual(client.take().count(b"HTTP/1.1 404 "), TURN)


class OverdueTests(SynchronousTestCase):
    """Requests that take too long in all, whatever goes on meanwhile."""

    def setUp(self) -> None:
        """Connect."""
        self.talk = Conversation()
        self.client = self.talk.client()

    def look(self) -> None:
        """See a minute later what has taken too long."""
        for connection in tuple(self.talk.environment.connections):
            connection.end_overdue(Overdue(monotonic() + 61.0, 60.0, inf))

    def test_backend_too_slow(self) -> None:
        """A request that is not answered in time gets 504, and its connection may be asked again."""
        self.client.deliver(GET)
        backend = self.talk.backend()
        self.look()
        self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 504 Gateway Timeout\r\n"))
        self.assertTrue(self.client.take().endswith(b"request took too long (DT)\n"))
        self.assertEqual((backend.ended, self.client.ended), ("aborted", ""))
        self.assertEqual([exchange.fault for exchange in self.talk.ended], [DURATION_EXCEEDED])
        self.client.deliver(GET)
        self.talk.backend().deliver(OK)
        self.assertIn(b"200 OK", self.client.sent)
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_upload_too_slow(self) -> None:
        """A body that is not whole in time gets 408, however steadily it comes; the connection ends with that."""
        self.client.deliver(POST + b"01234")
        self.look()
        self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 408 Request Timeout\r\n"))
        self.assertIn(b"connection: close\r\n", self.client.sent)
        self.client.deliver(b"56789")
        self.assertEqual((self.client.ended, len(self.talk.ended)), ("half-closed", 1))

    def test_response_that_lasts(self) -> None:
        """A response that is not whole in time is cut off, so that nobody takes it for whole."""
        for head, sent in ((b"content-length: 9\r\n\r\n", b"\r\n\r\n1234"), (b"\r\n", b"\r\n\r\n4\r\n1234\r\n")):
            client = self.talk.client()
            client.deliver(GET)
            self.talk.backend().deliver(b"HTTP/1.1 200 OK\r\n" + head + b"1234")
            client.producer.pauseProducing()
            self.look()
            self.assertTrue(client.sent.endswith(sent))
            self.assertEqual(client.ended, "closed")
        self.assertEqual([exchange.fault for exchange in self.talk.ended], [DURATION_EXCEEDED] * 2)

    def test_nothing_under_way(self) -> None:
        """A connection between two requests is no request, and neither is one that has had its last."""
        self.client.deliver(GET)
        self.talk.backend().deliver(OK)
        self.client.take()
        self.look()
        self.client.deliver(b"nonsense\r\n\r\n")
        self.look()
        self.assertEqual(self.client.sent.count(b"HTTP/1.1 "), 1)

    def test_broken(self) -> None:
        """An error of ours in ending one ends its connection."""

        class Broken(Overdue):
            def fault_of(self, exchange: Exchange) -> Fault | None:
                raise ZeroDivisionError

        self.client.deliver(GET)
        for connection in tuple(self.talk.environment.connections):
            connection.end_overdue(Broken(0.0, 0.0, 0.0))
        self.assertTrue(self.client.sent.startswith(b"HTTP/1.1 500 "))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)


class EndTests(SynchronousTestCase):
    """Every connection and request ends once."""

    def test_client_goes_away(self) -> None:
        """The backend's work is called off, and the request is counted as the client's doing."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        client.finish()
        self.assertEqual(backend.ended, "aborted")
        backend.settle()
        self.assertEqual([exchange.fault for exchange in talk.ended], [CLIENT_GONE])
        self.assertEqual(talk.environment.connections, set())

    def test_client_goes_away_while_connecting(self) -> None:
        """A connect that nobody waits for is called off."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        client.reset()
        self.assertTrue(talk.connects[0].cancelled)
        self.assertEqual(len(talk.ended), 1)

    def test_drain(self) -> None:
        """A drained connection ends with the response under way, one between requests at once."""
        talk = Conversation()
        idle, busy = talk.client(), talk.client()
        idle.deliver(GET)
        backend = talk.backend()
        backend.deliver(OK)
        busy.deliver(GET)
        talk.gateway.drain()
        self.assertEqual((idle.ended, busy.ended), ("half-closed", ""))
        backend.deliver(OK)
        self.assertIn(b"ok", busy.sent)
        self.assertEqual(busy.ended, "closed")

    def test_retire(self) -> None:
        """A retired connection ends with the next response that can say so; asked again or not."""
        for again in (False, True):
            talk = Conversation()
            idle, asking, promised = talk.client(), talk.client(), talk.client()
            idle.deliver(GET)
            backend = talk.backend()
            backend.deliver(OK)
            idle.take()
            promised.deliver(GET)
            backend.deliver(OK[:-1])
            asking.deliver(GET)
            self.assertNotIn(b"connection: close", promised.take())
            for _ in range(1 + again):
                talk.gateway.retire()
            self.assertEqual([idle.ended, asking.ended, promised.ended], ["", "", ""])
            talk.backend().deliver(OK)
            self.assertIn(b"connection: close\r\n", asking.sent)
            self.assertEqual(asking.ended, "closed")
            backend.deliver(OK[-1:])
            self.assertEqual((promised.take(), promised.ended), (OK[-1:], ""))
            for client in (idle, promised):
                client.deliver(GET)
                backend.deliver(OK)
                self.assertIn(b"connection: close\r\n", client.sent)
                self.assertEqual(client.ended, "closed")

    def test_drain_promised(self) -> None:
        """A drained connection ends with the response that is under way, whatever it has promised."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(OK[:-1])
        talk.gateway.retire()
        talk.gateway.drain()
        backend.deliver(OK[-1:])
        self.assertEqual(client.ended, "closed")

    def test_move(self) -> None:
        """After a reload the next request is on other terms; one that is under way ends on those that it began with."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        before = connection_of(client).downstream
        after, last = routed(to_web(), port=81), routed(to_web(), port=82)
        for downstream in (after, last):
            connection_of(client).move(downstream)
        talk.backend().deliver(OK)
        self.assertIs(talk.ended[0].connection, before)
        self.assertIs(connection_of(client).downstream, last)
        connection_of(client).move(after)
        self.assertIs(connection_of(client).downstream, after)

    def test_an_error_in_the_next_request(self) -> None:
        """What fails in a pipelined request is its own: the response before it arrives, and then a 500."""
        talk = Conversation(to_web(faults=Faults(Delay(1.0, 0.5))))
        talk.environment.random = FailsAt(2)
        client = talk.client()
        client.deliver(GET * 3)
        talk.backend().deliver(OK)
        first, _, second = client.sent.partition(b"\r\n\r\nok")
        self.assertTrue(first.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertTrue(second.startswith(b"HTTP/1.1 500 Internal Server Error\r\n"))
        self.assertEqual((client.sent.count(b"HTTP/1.1 "), client.ended), (2, "half-closed"))
        self.assertEqual([exchange.fault for exchange in talk.ended], [None, INTERNAL])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_an_error_after_a_wait(self) -> None:
        """What fails when a held request goes on ends it with 500."""
        talk = Conversation(to_web(faults=Faults(Delay(1.0), Abort(503, None, 0.5))))
        talk.environment.random = FailsAt(1)
        client = talk.ask(GET)
        talk.advance(2)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 "))
        self.assertEqual([exchange.fault for exchange in talk.ended], [INTERNAL])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(talk.left, NOTHING_LEFT)

    def test_an_error_in_the_transport(self) -> None:
        """A connection that ends by an error of ours ends no request as if its client had gone."""
        talk = Conversation()
        client = talk.ask(GET)
        client.finish(ZeroDivisionError)
        self.assertEqual([exchange.fault for exchange in talk.ended], [INTERNAL])

    def test_drain_on_its_way(self) -> None:
        """A request is served that may have been sent before the drain: the first, one in the kernel, half a head."""
        talk = Conversation()
        fresh, kept, half = talk.client(), talk.client(), talk.client()
        kept.deliver(GET)
        backend = talk.backend()
        backend.deliver(OK)
        half.deliver(GET)
        backend.deliver(OK)
        kept.take(), half.take()
        kept.unread = True
        half.deliver(GET[:7])
        talk.gateway.drain()
        self.assertEqual([fresh.ended, kept.ended, half.ended], ["", "", ""])
        for client, data in ((fresh, GET), (kept, GET), (half, GET[7:])):
            client.deliver(data)
            backend.deliver(OK)
            self.assertIn(b"connection: close\r\n", client.sent)
            self.assertIn(b"ok", client.sent)
            self.assertEqual(client.ended, "closed")

    def test_gives_way(self) -> None:
        """One between requests gives way, and one with half a head by 408 after a while; none with a request."""
        talk = Conversation()
        kept, busy, half, unread, fresh = (talk.client() for _ in range(5))
        kept.deliver(GET)
        backend = talk.backend()
        for client in (kept, unread):
            client.deliver(GET if client is unread else b"")
            backend.deliver(OK)
            client.take()
        busy.deliver(GET)
        half.deliver(GET[:7])
        unread.unread = True
        clients = (kept, busy, half, unread, fresh)
        now = talk.clock.seconds()
        idle = [connection_of(client).idle_since() <= now for client in clients]
        self.assertEqual(idle, [True, False, False, True, False])
        talk.advance(UNASKED)
        now = talk.clock.seconds()
        idle = [connection_of(client).idle_since() <= now for client in clients]
        self.assertEqual(idle, [True, False, True, True, True])
        ending = [connection_of(client).give_way() for client in clients]
        self.assertEqual(ending, [True, False, True, False, True])
        self.assertEqual([client.ended for client in clients], ["closed", "", "closed", "", "closed"])
        self.assertIn(b" 408 ", half.sent)
        self.assertEqual((kept.sent, fresh.sent), (b"", b""))

    def test_drain_without_a_request(self) -> None:
        """A first request is waited for no longer than for its head; the end of a drain ends the wait."""
        talk = Conversation()
        silent, patient = talk.client(), talk.client()
        talk.gateway.drain()
        patient.deliver(GET[:7])
        talk.advance(Limits().head_seconds + TICK)
        self.assertEqual((silent.ended, silent.sent), ("closed", b""))
        self.assertIn(b" 408 ", patient.sent)
        last = talk.client()
        last.protocol.drain()
        talk.gateway.abort()
        self.assertEqual(last.ended, "closed")

    def test_an_error_of_our_own(self) -> None:
        """An error in the gateway is logged, answered 500, and ends that connection only."""
        talk = Conversation()
        client = talk.client_of(Broken())
        client.deliver(GET)
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 500 Internal Server Error\r\n"))
        self.assertNotIn(b"ZeroDivision", client.sent)
        self.assertEqual([exchange.fault for exchange in talk.ended], [INTERNAL])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
