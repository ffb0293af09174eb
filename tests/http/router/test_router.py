"""Tests for L{edgegate.http.router.router}: what a backend is asked, and what happens when it fails."""

from __future__ import annotations

import re
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import (
    CONNECT_REFUSED,
    NO_CLUSTER,
    NO_HEALTHY_UPSTREAM,
    STREAM_IDLE,
    UPSTREAM_CLOSED,
    UPSTREAM_CUT_SHORT,
    UPSTREAM_TIMEOUT,
)
from edgegate.http.limits import Limits
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import OutlierDetection
from tests.http.conversation import Conversation, FakeStream, plain
from tests.http.h1.test_downstream_connection import GET, OK, POST


class RequestLinesTests(SynchronousTestCase):
    """The head that a backend gets."""

    def test_serialised_anew(self) -> None:
        """What belongs to the client's connection does not pass, what the gateway says is added, the rest stays."""
        talk = Conversation()
        client = talk.client()
        client.deliver(
            b"GET http://WEB.example:80/a/../b?q=1 HTTP/1.1\r\nHost: other\r\nX-Custom: one\r\nX-Custom:  two \r\n"
            b"Connection: keep-alive, X-Secret\r\nX-Secret: s\r\nKeep-Alive: 5\r\nTE: trailers\r\nUpgrade: h2c\r\n"
            b"HTTP2-Settings: AAMAAABkAAQ\r\nProxy-Connection: x\r\nX-Envoy-Attempt-Count: 9\r\n"
            b"X-Forwarded-Client-Cert: forged\r\nX_Forwarded_For: forged\r\n\r\n"
        )
        sent = re.sub(rb"x-request-id: [0-9a-f-]{36}\r\n", b"x-request-id: ID\r\n", talk.backend().sent)
        self.assertEqual(
            sent,
            b"GET /b?q=1 HTTP/1.1\r\nhost: WEB.example:80\r\nx-custom: one\r\nx-custom: two\r\nte: trailers\r\n"
            b"x-forwarded-for: 192.0.2.7\r\nx-forwarded-proto: http\r\nx-envoy-external-address: 192.0.2.7\r\n"
            b"x-request-id: ID\r\nx-envoy-attempt-count: 1\r\n\r\n",
        )

    def test_empty_body_is_said(self) -> None:
        """That there is no body is said of the methods that could have one, and of others where the client said it."""
        for method, given, told in (
            (b"POST", b"", 1),
            (b"PUT", b"", 1),
            (b"PATCH", b"", 1),
            (b"OPTIONS", b"", 1),
            (b"POST", b"Content-Length: 0\r\n", 1),
            (b"GET", b"Content-Length: 0\r\n", 1),
            (b"GET", b"", 0),
            (b"HEAD", b"", 0),
            (b"DELETE", b"", 0),
            (b"POST", b"Connection: upgrade\r\nUpgrade: chat\r\n", 0),
        ):
            sent = Conversation().asked(b"%b / HTTP/1.1\r\nHost: web.example\r\n%b\r\n" % (method, given))
            self.assertEqual(sent.count(b"content-length: 0\r\n"), told, (method, given))

    def test_same_bytes(self) -> None:
        """Of clients that send the same the backends hear one by one: who each is stands in no memory of heads."""
        talk = Conversation()
        for host in ("192.0.2.1", "192.0.2.2", "192.0.2.1"):
            talk.client(replace(plain(), peer=TCPAddress(host, 4711))).deliver(GET)
            self.assertIn(b"x-forwarded-for: %b\r\n" % host.encode(), talk.backend().sent)

    def test_expected_time(self) -> None:
        """Where the route has a timeout, the backend is told."""
        talk = Conversation()
        talk.client().deliver(GET.replace(b"web", b"slow"))
        self.assertIn(b"x-envoy-expected-rq-timeout-ms: 5000\r\n", talk.backend().sent)


class FailureTests(SynchronousTestCase):
    """Backends that fail."""

    def assert_answered(self, sent: bytes, status: int, flag: str) -> None:
        """Assert that a client got a local response, and nothing of the inside."""
        self.assertTrue(sent.startswith(b"HTTP/1.1 %d " % status), sent)
        body = sent.partition(b"\r\n\r\n")[2]
        self.assertIn(b"(%b)" % flag.encode(), body)
        self.assertNotIn(b"10.0.0", sent)

    def test_no_cluster(self) -> None:
        """A route to a cluster that does not exist."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET.replace(b"web", b"void"))
        self.assert_answered(client.sent, 503, "NC")
        self.assertEqual([exchange.fault for exchange in talk.ended], [NO_CLUSTER])

    def test_no_endpoint(self) -> None:
        """A cluster without endpoints."""
        talk = Conversation(endpoints=0)
        client = talk.client()
        client.deliver(GET)
        self.assert_answered(client.sent, 503, "UH")

    def test_connect_fails(self) -> None:
        """The only endpoint refuses three times: 503, the connection to the client goes on."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        for connect in talk.connects:
            connect.failed(CONNECT_REFUSED)
            talk.retry()
        self.assertEqual(len(talk.connects), 3)
        self.assert_answered(client.take(), 503, "UF")
        self.assertEqual(talk.ended[0].flags, "URX")
        client.deliver(GET)
        talk.backend().deliver(OK)
        self.assertIn(b"ok", client.sent)

    def test_next_endpoint(self) -> None:
        """Where an endpoint refuses, others are tried, whatever the method; the body is there for them."""
        talk = Conversation(endpoints=3)
        client = talk.client()
        client.deliver(POST + b"01234")
        talk.connects[0].failed(CONNECT_REFUSED)
        talk.retry()
        talk.connects[1].failed(CONNECT_REFUSED)
        client.deliver(b"56789")
        talk.retry()
        backend = talk.backend()
        self.assertEqual({c.address for c in talk.connects}, {TCPAddress(f"10.0.0.{n}", 80) for n in (1, 2, 3)})
        self.assertIn(b"x-envoy-attempt-count: 3\r\n", backend.sent)
        self.assertTrue(backend.sent.endswith(b"\r\n\r\n0123456789"))
        backend.deliver(OK)
        self.assertEqual(talk.ended[0].attempts, 3)

    def test_attempts_are_bounded(self) -> None:
        """Not more endpoints are tried than Istio does by default."""
        talk = Conversation(endpoints=9)
        client = talk.client()
        client.deliver(GET)
        while talk.ended == []:
            talk.connects[-1].failed(CONNECT_REFUSED)
            talk.retry()
        self.assertEqual(len(talk.connects), 3)
        self.assert_answered(client.sent, 503, "UF")

    def test_connect_timeout_is_the_clusters(self) -> None:
        """A connect gets as many seconds as its cluster says."""
        talk = Conversation()
        talk.client().deliver(GET)
        self.assertEqual(talk.connects[0].timeout, 2.0)

    def kept(self) -> tuple[Conversation, FakeStream, FakeStream]:
        """Let a client ask once; return it, and the backend's connection that is kept behind that."""
        talk = Conversation()
        client = talk.ask(GET)
        backend = talk.backend()
        backend.deliver(OK)
        client.take()
        return talk, client, backend

    def test_stale_connection(self) -> None:
        """A kept connection that its backend has closed costs nobody a request: a new one is made."""
        talk, client, kept = self.kept()
        client.deliver(GET)
        kept.reset()
        fresh = talk.backend()
        self.assertIn(b"GET / HTTP/1.1", fresh.sent)
        self.assertIn(b"x-envoy-attempt-count: 1\r\n", fresh.sent)
        fresh.deliver(OK)
        self.assertIn(b"ok", client.sent)
        self.assertEqual(len(talk.connects), 2)

    def test_stale_connection_is_not_tried_twice_with_a_post(self) -> None:
        """What may have been acted upon is not sent again."""
        talk, client, kept = self.kept()
        client.deliver(POST + b"0123456789")
        kept.reset()
        self.assert_answered(client.sent, 503, "UC")
        self.assertEqual(len(talk.connects), 1)

    def test_fresh_connection_is_not_tried_twice(self) -> None:
        """A backend that takes a request on a new connection and hangs up has failed."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        talk.backend().finish()
        self.assert_answered(client.sent, 503, "UC")
        self.assertEqual([exchange.fault for exchange in talk.ended], [UPSTREAM_CLOSED])

    def test_cut_in_the_middle(self) -> None:
        """A response that breaks off is broken off for the client too, in a way that it notices."""
        talk = Conversation()
        sized, chunked = talk.client(), talk.client()
        sized.deliver(GET)
        one = talk.backend()
        chunked.deliver(GET)
        other = talk.backend()
        one.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n0123")
        other.deliver(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n")
        one.finish()
        other.finish()
        self.assertTrue(sized.sent.endswith(b"0123"))
        self.assertTrue(chunked.sent.endswith(b"0123\r\n"))
        self.assertEqual((sized.ended, chunked.ended), ("closed", "closed"))
        self.assertEqual([exchange.fault for exchange in talk.ended], [UPSTREAM_CUT_SHORT] * 2)

    def test_cut_for_http_1_0(self) -> None:
        """A client to which only the connection's end tells the response's end gets a reset instead."""
        talk = Conversation()
        client = talk.client()
        client.deliver(b"GET / HTTP/1.0\r\nHost: web.example\r\n\r\n")
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\n\r\nabc")
        backend.reset()
        self.assertEqual(client.ended, "aborted")

    def test_route_timeout(self) -> None:
        """A response that is not whole in time: 504, counted from the whole request."""
        talk = Conversation()
        client = talk.client()
        client.deliver(POST.replace(b"web", b"slow"))
        backend = talk.backend()
        talk.advance(20)
        self.assertEqual(client.sent, b"")
        client.deliver(b"0123456789")
        talk.advance(6)
        self.assert_answered(client.sent, 504, "UT")
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual([exchange.fault for exchange in talk.ended], [UPSTREAM_TIMEOUT])

    def test_timely_answer(self) -> None:
        """A timeout that was not needed leaves nothing behind."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET.replace(b"web", b"slow"))
        talk.backend().deliver(OK)
        talk.advance(10)
        self.assertEqual(client.sent.count(b"HTTP/1.1"), 1)

    def test_silent_backend(self) -> None:
        """A backend that says nothing for minutes: 504."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        talk.advance(Limits().stream_idle_seconds + 1)
        self.assert_answered(client.sent, 504, "SI")
        self.assertEqual(backend.ended, "aborted")
        self.assertEqual([exchange.fault for exchange in talk.ended], [STREAM_IDLE])


class StreamingTests(SynchronousTestCase):
    """Bodies pass through, they are not collected."""

    def test_interim_answers(self) -> None:
        """103 is passed on, 100 is not: the gateway has answered that itself."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nConnection: x\r\n\r\n")
        self.assertEqual(client.take(), b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n")
        backend.deliver(OK)
        self.assertIn(b"HTTP/1.1 200 OK", client.sent)

    def test_interim_answers_are_counted(self) -> None:
        """Sixteen may come before a response, each passed on when it comes; no HTTP/1.0 client gets one."""
        hint = b"HTTP/1.1 103 Early Hints\r\n\r\n"
        for version, told in ((b"1.1", 16), (b"1.0", 0)):
            talk = Conversation()
            client = talk.client()
            client.deliver(GET.replace(b"1.1", version))
            backend = talk.backend()
            for _ in range(16):
                backend.deliver(hint)
            self.assertEqual(client.take(), hint * told)
            backend.deliver(OK)
            self.assertTrue(client.sent.startswith(b"HTTP/%b 200 OK\r\n" % version))

    def test_answer_is_passed_on_piece_by_piece(self) -> None:
        """Each read of a response is one write, with nothing kept back."""
        talk = Conversation()
        client = talk.client()
        client.deliver(GET)
        backend = talk.backend()
        backend.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n")
        self.assertEqual(len(client.writes), 1)
        for piece in (b"abc", b"def", b"ghi"):
            backend.deliver(piece)
            self.assertEqual(client.writes[-1], piece)
        self.assertEqual(len(client.writes), 4)

    def test_two_clients_do_not_share_a_busy_connection(self) -> None:
        """A connection carries one request at a time."""
        talk = Conversation()
        first, second = talk.client(), talk.client()
        first.deliver(GET)
        one = talk.backend()
        second.deliver(GET)
        other = talk.backend()
        other.deliver(OK.replace(b"ok", b"b!"))
        one.deliver(OK.replace(b"ok", b"a!"))
        self.assertTrue(first.sent.endswith(b"a!"))
        self.assertTrue(second.sent.endswith(b"b!"))


class OutlierTests(SynchronousTestCase):
    """Backends that fail again and again."""

    RULES = OutlierDetection(consecutive_5xx=2, max_ejected=1.0)

    def ask(self, talk: Conversation, answer: bytes) -> None:
        talk.client().deliver(GET)
        backend = talk.backend()
        backend.deliver(answer)
        backend.finish()

    def test_answers(self) -> None:
        """A backend that answers with errors gets no more requests; where none is left, the response is 503."""
        talk = Conversation(endpoints=2, outliers=self.RULES)
        error = b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"
        for answer in (error, OK, error, OK, OK, OK):
            self.ask(talk, answer)
        asked = [str(connect.address) for connect in talk.connects]
        self.assertEqual(asked, ["10.0.0.1:80", "10.0.0.2:80"] * 2 + ["10.0.0.2:80"] * 2)
        for _ in range(2):
            self.ask(talk, error)
        client = talk.client()
        client.deliver(GET)
        self.assertIn(b"503", client.take().partition(b"\r\n")[0])
        self.assertEqual(talk.ended[-1].fault, NO_HEALTHY_UPSTREAM)

    def test_no_answers(self) -> None:
        """Connects that fail, connections that end early and answers that do not come count as errors."""
        talk = Conversation(endpoints=2, outliers=self.RULES)
        state = talk.clusters.get("web")
        assert state is not None
        one, two = state.endpoints
        talk.client().deliver(GET)
        talk.connects[-1].failed(CONNECT_REFUSED)
        self.assertEqual(one.record.errors, 1)
        talk.client().deliver(GET)
        talk.backend().reset()
        self.assertEqual(two.record.errors, 1)
        client = talk.client()
        client.deliver(GET.replace(b"web", b"slow"))
        talk.backend()
        talk.advance(6)
        self.assertFalse(one.fit)

    def test_clients_fault(self) -> None:
        """A client that goes away says nothing about its backend."""
        talk = Conversation(outliers=replace(self.RULES, consecutive_5xx=1))
        client = talk.client()
        client.deliver(GET)
        talk.backend()
        client.reset()
        state = talk.clusters.get("web")
        assert state is not None
        self.assertTrue(state.endpoints[0].fit)
