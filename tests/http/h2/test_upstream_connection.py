"""Tests of L{edgegate.http.h2.upstream_connection}: requests of HTTP/1.1 to backends of HTTP/2, through the gateway."""

from __future__ import annotations

import h2.events
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.h2.errors import CANCEL, INTERNAL_ERROR, REFUSED_STREAM
from edgegate.http.limits import Limits
from edgegate.model.clusters import HTTPVersion, OutlierDetection, Ping, PoolLimits
from tests.http.conversation import NOTHING_LEFT, Conversation, FakeStream
from tests.http.h2.backend import Backend

GET = b"GET / HTTP/1.1\r\nhost: web.example\r\n\r\n"
POST = b"POST /up HTTP/1.1\r\nhost: web.example\r\ncontent-length: %d\r\n\r\n"
CHUNKED = b"POST /up HTTP/1.1\r\nhost: web.example\r\ntransfer-encoding: chunked\r\n\r\n"


class UpstreamTests(SynchronousTestCase):
    """A gateway with one backend that speaks HTTP/2."""

    def setUp(self) -> None:
        self.serve()

    def serve(self, endpoints: int = 1, limits: Limits | None = None, **pool: object) -> None:
        """Have a cluster with some limits."""
        self.talk = Conversation(
            endpoints=endpoints,
            limits=limits,
            http=HTTPVersion.HTTP2,
            pool=PoolLimits(**pool),  # type: ignore[arg-type]
        )

    def backend(self, greets: bool = True, **settings: int) -> Backend:
        """The last connect succeeds."""
        return Backend(self.talk.backend(), greets, **settings)

    def asked(self, request: bytes = GET) -> tuple[FakeStream, Backend]:
        """Send the first request."""
        client = self.talk.ask(request)
        return client, self.backend()

    def left(self) -> None:
        """Nothing is left of requests."""
        self.talk.advance(700)
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_get(self) -> None:
        """A request and its response; the next one goes on the same connection."""
        client, backend = self.asked()
        request = backend.request(1)
        self.assertEqual(
            [request[name] for name in (b":method", b":scheme", b":authority", b":path")],
            [b"GET", b"http", b"web.example", b"/"],
        )
        self.assertEqual(request[b"x-forwarded-for"], b"192.0.2.7")
        self.assertIn(b"x-request-id", request)
        self.assertNotIn(b"connection", request)
        backend.respond(1, b"hello", [(b"content-length", b"5")])
        self.assertIn(b"HTTP/1.1 200 OK\r\n", client.sent)
        self.assertTrue(client.take().endswith(b"hello"))
        client.deliver(GET)
        backend.respond(3)
        self.assertIn(b"200 OK", client.take())
        self.assertEqual(len(self.talk.connects), 1)
        self.left()

    def test_trailers_without_a_body(self) -> None:
        """Trailers that come behind a body of no bytes arrive, and nothing of them stands where a body would."""
        client, backend = self.asked(GET)
        backend.respond(1, b"", [(b"content-length", b"0")], [(b"grpc-status", b"5")])
        head, _, rest = client.sent.partition(b"\r\n\r\n")
        self.assertNotIn(b"content-length", head)
        self.assertEqual(rest, b"0\r\ngrpc-status: 5\r\n\r\n")

    def test_many(self) -> None:
        """Many requests share a connection, and wait for it while it is being made."""
        clients = [self.talk.ask(GET) for _ in range(20)]
        self.assertEqual(len(self.talk.connects), 1)
        backend = self.backend()
        self.assertEqual(backend.asked, [*range(1, 41, 2)])
        for number in reversed(backend.asked):
            backend.respond(number, b"%d" % number)
        self.assertEqual(len([each for each in clients if b"200 OK" in each.sent]), 20)
        self.left()

    def test_one_before_settings(self) -> None:
        """Until the backend has said how many it takes it is asked for one; then for as many as that."""
        for _ in range(5):
            self.talk.ask(GET)
        backend = self.backend(False, max_concurrent_streams=2)
        self.assertEqual(backend.stream.sent.count(b"x-request-id"), 1)
        backend.greet()
        self.assertEqual(backend.asked, [1, 3])
        # the others wait for the next
        self.assertEqual(len(self.talk.connects), 2)
        other = self.backend(max_concurrent_streams=100)
        self.assertEqual(other.asked, [1, 3, 5])
        # the fullest first
        backend.respond(1)
        self.talk.ask(GET)
        self.assertEqual((len(backend.asked), len(other.asked)), (3, 3))

    def test_upload(self) -> None:
        """A body of known length ends with its last frame; another with an empty one or its trailers."""
        client, backend = self.asked(POST % 5 + b"he")
        client.deliver(b"llo")
        self.assertEqual((backend.body(1), backend.request(1)[b"content-length"]), (b"hello", b"5"))
        self.assertIsNotNone(backend.has(h2.events.StreamEnded, 1))
        backend.respond(1)
        self.assertIn(b"200 OK", client.take())
        client.deliver(CHUNKED + b"3\r\nabc\r\n0\r\nsum: 7\r\n\r\n")
        self.assertEqual(backend.body(3), b"abc")
        self.assertEqual(backend.has(h2.events.TrailersReceived, 3).headers, [(b"sum", b"7")])
        self.left()

    def test_trailers(self) -> None:
        """A response's trailers pass, of gRPC too."""
        client, backend = self.asked()
        backend.respond(1, b"x", trailers=[(b"grpc-status", b"0")])
        self.assertTrue(client.sent.endswith(b"1\r\nx\r\n0\r\ngrpc-status: 0\r\n\r\n"), client.sent)

    def test_trailers_only(self) -> None:
        """A response of gRPC that is a status alone."""
        client, backend = self.asked(POST % 1 + b"a")
        backend.respond(1, fields=[(b"content-type", b"application/grpc"), (b"grpc-status", b"5")])
        self.assertIn(b"grpc-status: 5\r\n", client.sent)
        self.assertIn(b"content-length: 0\r\n", client.sent)

    def test_grpc_timeout(self) -> None:
        """A gRPC client says how long it waits; the backend is told, and given up then."""
        head = b"POST /a HTTP/1.1\r\nhost: web.example\r\ncontent-length: 1\r\n"
        for kind, seconds in ((b"application/grpc", b"2000"), (b"text/plain", b"")):
            request = head + b"content-type: %b\r\ngrpc-timeout: 2S\r\n\r\na" % kind
            client, backend = self.asked(request)
            self.assertEqual(backend.request(1).get(b"x-envoy-expected-rq-timeout-ms", b""), seconds)
            self.talk.clock.advance(2.1)
            self.talk.advance(1)
            self.assertEqual(b"grpc-status: 14" in client.sent, bool(seconds))
            self.serve()

    def test_grpc_retry(self) -> None:
        """A status of gRPC that the route tries again after."""
        client, backend = self.asked(POST % 1 + b"a")
        backend.respond(1, fields=[(b"content-type", b"application/grpc"), (b"grpc-status", b"14")])
        self.assertEqual(client.sent, b"")
        self.talk.retry()
        backend.respond(3, fields=[(b"content-type", b"application/grpc"), (b"grpc-status", b"0")])
        self.assertIn(b"grpc-status: 0\r\n", client.sent)

    def test_grpc_outliers(self) -> None:
        """
        An endpoint whose statuses of gRPC stand for 5xx is left out, as one that answers so; the statuses are Envoy's.
        """
        wrong = {b"2", b"4", b"12", b"13", b"14", b"15", b"17", b"x"}
        for status in [b"%d" % number for number in range(18)] + [b"x"]:
            self.assertEqual(self.ejected([(b"grpc-status", status)]), status in wrong, status)

    def test_gateway_errors_of_grpc(self) -> None:
        """Those that stand for 502 to 504 count as gateway errors, and no others."""
        for status in (b"2", b"4", b"13", b"14", b"15"):
            found = self.ejected([(b"grpc-status", status)], consecutive_5xx=0, consecutive_gateway_errors=1)
            self.assertEqual(found, status in (b"4", b"14"), status)

    def test_grpc_status_that_does_not_count(self) -> None:
        """A status behind a message is not looked at, and nobody else's request has one (Envoy)."""
        self.assertFalse(self.ejected([], [(b"grpc-status", b"14")]))
        self.assertFalse(self.ejected([(b"grpc-status", b"14")], kind=b"text/plain"))

    def ejected(
        self,
        fields: list[tuple[bytes, bytes]],
        trailers: list[tuple[bytes, bytes]] | None = None,
        kind: bytes = b"application/grpc",
        **rules: int,
    ) -> bool:
        """
        Have an endpoint answer once; return whether it is left alone after that.

        @param trailers: Of an answer with a message; L{None}: it has none.
        """
        outliers = OutlierDetection(**{"consecutive_5xx": 1, "max_ejected": 1.0, **rules})
        self.talk = Conversation(endpoints=2, http=HTTPVersion.HTTP2, outliers=outliers)
        _, backend = self.asked(CHUNKED[:-2] + b"content-type: %b\r\n\r\n0\r\n\r\n" % kind)
        head = [(b"content-type", b"application/grpc"), *fields]
        backend.respond(1, b"" if trailers is None else b"\0\0\0\0\1a", head, trailers)
        cluster = self.talk.clusters.get("web")
        assert cluster is not None
        return any(endpoint.ejected for endpoint in cluster.endpoints)

    def test_interim(self) -> None:
        """1xx answers pass."""
        client, backend = self.asked()
        backend.h2.send_headers(1, [(b":status", b"103"), (b"link", b"</a>")])
        backend.turn()
        self.assertTrue(client.take().startswith(b"HTTP/1.1 103 "))
        backend.respond(1)
        self.assertIn(b"200 OK", client.take())

    def test_client_leaves(self) -> None:
        """Its stream ends, and no other; the connection lives on."""
        first, backend = self.asked()
        second = self.talk.ask(GET)
        self.assertEqual(backend.asked, [1, 3])
        first.finish()
        self.assertEqual(backend.has(h2.events.StreamReset, 1).error_code, CANCEL)
        backend.respond(3, b"b")
        self.assertIn(b"200 OK", second.sent)
        self.assertEqual(len(self.talk.connects), 1)
        self.left()

    def test_reset(self) -> None:
        """A stream that the backend resets is answered 503, and no other is."""
        first, backend = self.asked()
        second = self.talk.ask(GET)
        backend.reset(1, INTERNAL_ERROR)
        self.assertIn(b"503 ", first.sent)
        self.assertIn(b"(UR)", first.sent)
        backend.respond(3)
        self.assertIn(b"200 OK", second.sent)

    def test_reset_late(self) -> None:
        """One whose response has begun is cut off."""
        client, backend = self.asked()
        backend.head(1)
        backend.h2.send_data(1, b"abc")
        backend.turn()
        backend.reset(1, INTERNAL_ERROR)
        self.assertFalse(client.sent.endswith(b"0\r\n\r\n"))
        self.assertTrue(client.ended)
        self.assertEqual(self.talk.ended[-1].fault.flag, "UR")  # type: ignore[union-attr]

    def test_refused(self) -> None:
        """What the backend has not looked at is asked for again, whatever the method: on another connection."""
        _, backend = self.asked()
        backend.respond(1)
        client = self.talk.ask(POST % 1 + b"a")
        backend.reset(3, REFUSED_STREAM)
        self.assertEqual(len(self.talk.connects), 2)
        other = self.backend()
        self.assertEqual(other.body(1), b"a")
        other.respond(1)
        self.assertIn(b"200 OK", client.sent)
        self.assertEqual(backend.stream.ended, "closed")
        self.left()

    def test_goaway(self) -> None:
        """Those above the last are asked for elsewhere; those below it are answered, then the connection ends."""
        first, backend = self.asked()
        second = self.talk.ask(POST % 1 + b"a")
        backend.leave(1)
        other = self.backend()
        other.respond(1)
        self.assertIn(b"200 OK", second.sent)
        self.assertEqual(backend.stream.ended, "")
        backend.respond(1)
        self.assertIn(b"200 OK", first.sent)
        self.assertEqual(backend.stream.ended, "closed")
        backend.stream.settle()
        self.left()

    def test_malformed(self) -> None:
        """A response that breaks the rules is 502; one that breaks the connection ends all on it."""
        first, backend = self.asked()
        second = self.talk.ask(GET)
        backend.h2.send_headers(1, [(b":status", b"200"), (b"connection", b"close")])
        backend.turn()
        self.assertIn(b"502 ", first.sent)
        backend.stream.deliver(b"\0\0\1\6\0\0\0\0\0x")
        self.assertIn(b"502 ", second.sent)
        self.assertEqual(backend.stream.ended, "closed")
        backend.stream.settle()
        self.left()

    def test_lost(self) -> None:
        """A connection that ends before an answer, and in the middle of one."""
        first, backend = self.asked()
        second = self.talk.ask(GET)
        backend.head(3, [(b"content-length", b"9")])
        backend.stream.finish()
        self.assertIn(b"503 ", first.sent)
        self.assertIn(b"(UC)", first.sent)
        self.assertTrue(second.ended)
        self.left()

    def test_slow_client(self) -> None:
        """While a client does not read its backend has a window, and no more."""
        client, backend = self.asked()
        other = self.talk.ask(GET)
        backend.head(1)
        client.protocol.pauseProducing()
        for _ in range(4):
            backend.h2.send_data(1, bytes(16000))
            backend.turn()
        self.assertLess(backend.h2.local_flow_control_window(1), 16000)
        backend.respond(3, bytes(60000))
        self.assertIn(b"200 OK", other.sent)
        client.protocol.resumeProducing()
        backend.turn()
        self.assertGreater(backend.h2.local_flow_control_window(1), 16000)

    def test_slow_backend(self) -> None:
        """While a backend does not take an upload its client is not read; others are."""
        client, backend = self.asked(CHUNKED)
        self.assertEqual(backend.asked, [1])
        piece = b"4000\r\n" + bytes(0x4000) + b"\r\n"
        for _ in range(20):
            if client.reading:
                client.deliver(piece)
        self.assertFalse(client.reading)
        backend.turn()
        self.assertFalse(client.reading)
        taken = len(backend.body(1))
        backend.h2.acknowledge_received_data(taken, 1)
        backend.turn()
        self.assertTrue(client.reading)

    def test_backend_that_reads_nothing(self) -> None:
        """Where too much waits for a backend others are asked on another connection, until it reads again."""
        self.serve(connections=2)
        _, backend = self.asked()
        backend.stream.producer.pauseProducing()
        self.talk.ask(GET)
        self.assertEqual(backend.asked, [1, 3])
        backend.stream.buffered = 2 << 20
        self.talk.ask(GET)
        self.assertEqual((backend.asked, len(self.talk.connects)), ([1, 3], 2))
        self.backend(max_concurrent_streams=1)
        self.talk.ask(GET)
        self.assertEqual((backend.asked, len(self.talk.connects)), ([1, 3], 2))
        backend.stream.buffered = 0
        backend.stream.producer.resumeProducing()
        self.assertEqual(backend.asked, [1, 3, 5])

    def test_early_answer(self) -> None:
        """A response that is whole before its upload ends the upload."""
        client, backend = self.asked(CHUNKED + b"1\r\na\r\n")
        backend.respond(1, b"no")
        self.assertIsNotNone(backend.has(h2.events.StreamReset, 1))
        self.assertIn(b"200 OK", client.sent)
        other = self.talk.ask(GET)
        backend.respond(3)
        self.assertIn(b"200 OK", other.sent)

    def test_idle(self) -> None:
        """A response that does not come is 504; others on the connection are not hurt."""
        first, backend = self.asked()
        self.talk.advance(200)
        second = self.talk.ask(GET)
        self.talk.advance(110)
        self.assertIn(b"504 ", first.sent)
        self.assertEqual(backend.has(h2.events.StreamReset, 1).error_code, CANCEL)
        backend.respond(3)
        self.assertIn(b"200 OK", second.sent)
        self.left()

    def test_idle_connection(self) -> None:
        """A connection that carries nothing for as long as one of HTTP/1 lies in a pool is closed in order."""
        _, backend = self.asked()
        backend.respond(1)
        self.talk.advance(65)
        self.assertIsNotNone(backend.has(h2.events.ConnectionTerminated, 0))
        self.assertEqual(backend.stream.ended, "closed")

    def test_silent(self) -> None:
        """A backend that never says its settings: who waits for room is not left waiting."""
        first = self.talk.ask(GET)
        second = self.talk.ask(GET)
        silent = self.talk.backend()
        self.talk.advance(12)
        self.assertIn(b"502 ", first.sent)
        self.assertEqual(len(self.talk.connects), 2)
        silent.settle()
        backend = self.backend()
        backend.respond(1)
        self.assertIn(b"200 OK", second.sent)

    def test_ping(self) -> None:
        """A connection that does not answer a PING is dead; one that does is kept."""
        self.serve(ping=Ping(10.0, 5.0))
        first, backend = self.asked()
        self.talk.advance(11)
        self.assertIsNotNone(backend.has(h2.events.PingReceived, 0))
        self.talk.advance(9)
        self.assertEqual(backend.stream.ended, "")
        self.talk.advance(20)
        self.assertEqual(backend.stream.ended, "aborted")
        self.assertIn(b"503 ", first.sent)

    def test_most_requests(self) -> None:
        """A connection that has carried as many as it may ends with the last of them."""
        self.serve(requests_per_connection=2)
        _, backend = self.asked()
        self.talk.ask(GET)
        self.talk.ask(GET)
        self.assertEqual(backend.asked, [1, 3])
        self.assertEqual(len(self.talk.connects), 2)
        backend.respond(1)
        self.assertEqual(backend.stream.ended, "")
        backend.respond(3)
        self.assertEqual(backend.stream.ended, "closed")

    def test_oldest(self) -> None:
        """So does one that has become too old."""
        self.serve(connection_duration=100.0)
        _, backend = self.asked()
        self.talk.advance(101)
        self.talk.ask(GET)
        self.assertEqual(len(self.talk.connects), 2)
        backend.respond(1)
        self.assertEqual(backend.stream.ended, "closed")

    def test_most_connections(self) -> None:
        """At the cluster's limit requests wait until a stream or a connection is free."""
        self.serve(connections=1, streams=2)
        _, backend = self.asked()
        clients = [self.talk.ask(GET) for _ in range(3)]
        self.assertEqual(backend.asked, [1, 3])
        self.assertEqual(len(self.talk.connects), 1)
        backend.respond(1)
        backend.respond(3)
        self.assertEqual(backend.asked, [1, 3, 5, 7])
        backend.respond(5)
        backend.respond(7)
        self.assertTrue(all(b"200 OK" in client.sent for client in clients))
        self.left()

    def test_connect_fails(self) -> None:
        """All who wait for a connection that can't be made are told."""
        clients = [self.talk.ask(GET) for _ in range(3)]
        for tries in range(1, 4):
            self.assertEqual(len(self.talk.connects), tries)
            self.talk.connects[-1].failed(CONNECT_REFUSED)
            self.talk.retry()
        self.assertTrue(all(b"503 " in client.sent for client in clients))
        self.left()

    def test_all_leave(self) -> None:
        """A connection that nobody waits for any more is not made."""
        clients = [self.talk.ask(GET) for _ in range(3)]
        for client in clients:
            client.finish()
        self.assertTrue(self.talk.connects[-1].cancelled)
        self.left()

    def test_upgrade(self) -> None:
        """A request for another protocol goes by HTTP/1.1."""
        self.talk.ask(b"GET / HTTP/1.1\r\nhost: web.example\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n")
        self.assertTrue(self.talk.backend().sent.startswith(b"GET / HTTP/1.1\r\n"))
