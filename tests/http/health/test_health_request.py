"""Tests of L{edgegate.http.health.health_request}, and of what hostile endpoints do to who asks them."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.connector import HTTPConnector
from edgegate.http.h2.hpack import block_of
from edgegate.http.health.grpc_health import question
from edgegate.http.health.health_checker import HealthChecker, Unreachable, Unwell
from edgegate.http.health.health_request import MAX_MESSAGE, grpc_head, http_head
from edgegate.http.limits import Limits
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Probe
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.lookups import SystemLookups
from tests.http.conversation import Connect, FakeStream
from tests.http.h2.backend import Backend
from tests.http.h2.recording import OK, continuation, data, goaway, headers, ping, settings
from tests.upstream.resolving import ResolvingReactor

ADDRESS = TCPAddress("10.0.0.1", 50051)

SERVING = b"\0\0\0\0\2\x08\1"


class Asking(SynchronousTestCase):
    """Somebody asks an endpoint, which is the test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, 0.5)
        self.connects: list[Connect] = []
        self.names = ResolvingReactor()
        connector = HTTPConnector(self.connect, self.wheel, Limits())  # type: ignore[arg-type]
        self.ask = HealthChecker(connector, self.wheel, SystemLookups(self.names))

    def connect(self, *args: Any) -> Connect:
        self.connects.append(Connect(*args))
        return self.connects[-1]

    def begin(self, probe: Probe) -> FakeStream:
        """Ask, and connect."""
        self.asking: Deferred[None] = self.ask(ADDRESS, probe)
        return self.connects[-1].accept()

    def unwell(self) -> str:
        """Return what is wrong."""
        return str(self.failureResultOf(self.asking, Unwell).value)

    def gone(self, stream: FakeStream) -> None:
        """The connection ends, and nothing is left behind."""
        self.assertNotEqual(stream.ended, "")
        stream.settle()
        self.clock.pump([1.0] * 20)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class GRPCTests(Asking):
    """gRPC's question, to an endpoint whose HTTP/2 is that of the package h2."""

    def grpc(self, service: str = "shop", **said: int) -> Backend:
        """Ask."""
        self.stream = self.begin(Probe(50051, grpc_service=service, timeout=2.5))
        return Backend(self.stream, **said)

    def test_question(self) -> None:
        """A server understands what it is asked."""
        backend = self.grpc()
        self.assertEqual(
            backend.request(1),
            {
                b":method": b"POST",
                b":scheme": b"http",
                b":authority": b"10.0.0.1:50051",
                b":path": b"/grpc.health.v1.Health/Check",
                b"te": b"trailers",
                b"content-type": b"application/grpc",
                b"user-agent": b"edgegate-probe",
                b"grpc-timeout": b"2500m",
                b"content-length": b"11",
            },
        )
        self.assertEqual(backend.body(1), question("shop"))
        self.assertEqual((self.connects[0].address, self.connects[0].timeout), (ADDRESS, 2.5))

    def test_serving(self) -> None:
        """It serves; the connection is said goodbye to and ends."""
        backend = self.grpc()
        backend.respond(1, SERVING, trailers=[(b"grpc-status", b"0")])
        self.successResultOf(self.asking)
        self.assertEqual(self.stream.ended, "closed")
        self.gone(self.stream)

    def test_pieces(self) -> None:
        """A message may come in pieces."""
        backend = self.grpc()
        backend.head(1)
        for byte in SERVING:
            backend.h2.send_data(1, bytes((byte,)))
            backend.turn()
        self.assertNoResult(self.asking)
        backend.h2.send_headers(1, [(b"grpc-status", b"0")], end_stream=True)
        backend.turn()
        self.successResultOf(self.asking)

    def test_unwell(self) -> None:
        """Whatever else is said is no health, and told."""
        fine = [(b"grpc-status", b"0")]
        for words, body, fields, trailers in (
            ("it answers NOT_SERVING", b"\0\0\0\0\2\x08\2", [], fine),
            ("it answers UNKNOWN", b"\0\0\0\0\0", [], fine),
            ("it answers SERVICE_UNKNOWN", b"\0\0\0\0\2\x08\3", [], fine),
            ("it answers 9", b"\0\0\0\0\2\x08\x09", [], fine),
            ("its answer is no message of gRPC", b"", [], fine),
            ("its answer is no HealthCheckResponse", b"\0\0\0\0\3abc", [], fine),
            ("it answers gRPC status 5", b"", [(b"grpc-status", b"5")], None),
            ("it answers gRPC status 12", b"", [], [(b"grpc-status", b"12")]),
            ("it answers gRPC status none", SERVING, [], None),
            ("it answers 404", b"nothing", [(b":status", b"404")], None),
            ("its answer is too long", bytes(MAX_MESSAGE + 1), [], fine),
        ):
            backend = self.grpc()
            if fields and fields[0][0] == b":status":
                backend.h2.send_headers(1, fields)
                backend.turn()
            else:
                backend.respond(1, body, fields, trailers)
            self.assertEqual(self.unwell(), words)
            self.gone(self.stream)

    def test_reset(self) -> None:
        """A call that is reset."""
        self.grpc().reset(1, 8)
        self.assertEqual(self.unwell(), "upstream reset the request")
        self.gone(self.stream)

    def test_goaway(self) -> None:
        """A server that leaves answers what it has begun; what it has not is not well."""
        backend = self.grpc()
        backend.leave(1)
        self.assertNoResult(self.asking)
        backend.respond(1, SERVING, trailers=[(b"grpc-status", b"0")])
        self.successResultOf(self.asking)
        self.gone(self.stream)
        self.grpc().leave(0)
        self.assertEqual(self.unwell(), "upstream refused the request")
        self.gone(self.stream)

    def test_closed(self) -> None:
        """A connection that ends early."""
        self.grpc()
        self.stream.finish()
        self.assertEqual(self.unwell(), "upstream closed before an answer")

    def test_no_http2(self) -> None:
        """An endpoint that speaks something else."""
        self.stream = self.begin(Probe(50051, grpc_service=""))
        self.stream.deliver(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        self.assertEqual(self.unwell(), "upstream broke the protocol")
        self.gone(self.stream)

    def test_given_up(self) -> None:
        """Who does not want to wait any more resets the call, and the connection ends."""
        backend = self.grpc()
        backend.turn()
        self.asking.cancel()
        self.failureResultOf(self.asking, CancelledError)
        self.gone(self.stream)
        self.asking = self.ask(ADDRESS, Probe(50051, grpc_service=""))
        self.asking.cancel()
        self.failureResultOf(self.asking, CancelledError)
        self.assertTrue(self.connects[-1].cancelled)

    def test_hostile(self) -> None:
        """Floods end the question and its connection."""
        for what, frame in {
            "PING": ping().serialize(),
            "SETTINGS": settings({}).serialize(),
            "empty DATA": data(1, b"").serialize(),
            "CONTINUATION": continuation(1, b"", False).serialize(),
            "GOAWAY": goaway(1).serialize(),
            "interim heads": headers(1, block_of([(b":status", b"103")]), False).serialize(),
        }.items():
            backend = self.grpc()
            backend.turn()
            if what == "empty DATA":
                self.stream.deliver(headers(1, OK, False).serialize())
            if what == "CONTINUATION":
                self.stream.deliver(headers(1, OK, whole=False).serialize())
            for _ in range(300):
                if self.stream.ended:
                    break
                self.stream.deliver(frame)
            self.assertIn("upstream", self.unwell(), what)
            self.gone(self.stream)


class HTTPTests(Asking):
    """A question over HTTP."""

    def test_http2(self) -> None:
        """An endpoint that speaks HTTP/2 is asked by it."""
        for status, words in ((b"200", ""), (b"302", ""), (b"503", "it answers 503")):
            stream = self.begin(Probe(80, "/healthz?deep=1", http2=True, http_headers=(("Host", "a.example"),)))
            backend = Backend(stream)
            request = backend.request(1)
            self.assertEqual(
                [request[name] for name in (b":method", b":authority", b":path")],
                [b"GET", b"a.example", b"/healthz?deep=1"],
            )
            backend.h2.send_headers(1, [(b":status", status)])
            backend.turn()
            if words:
                self.assertEqual(self.unwell(), words)
            else:
                self.successResultOf(self.asking)
            self.gone(stream)

    def test_http1(self) -> None:
        """One that does not is not; interim responses are no answer."""
        stream = self.begin(Probe(80, "/"))
        self.assertEqual(
            stream.take(),
            b"GET / HTTP/1.1\r\nhost: 10.0.0.1:50051\r\nuser-agent: edgegate-probe\r\naccept: */*\r\n\r\n",
        )
        stream.deliver(b"HTTP/1.1 103 Early Hints\r\n\r\n")
        self.assertNoResult(self.asking)
        stream.deliver(b"HTTP/1.1 204 No Content\r\n\r\n")
        self.successResultOf(self.asking)
        self.assertEqual(stream.ended, "closed")
        self.gone(stream)

    def test_endless(self) -> None:
        """A body without an end is not read: the head is enough."""
        stream = self.begin(Probe(80, "/"))
        stream.deliver(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1000))
        self.successResultOf(self.asking)
        self.assertEqual(stream.ended, "aborted")
        self.gone(stream)

    def test_endless_head(self) -> None:
        """A head without an end ends the question."""
        stream = self.begin(Probe(80, "/"))
        stream.deliver(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 20_000)
        self.assertIn("upstream", self.unwell())
        self.gone(stream)

    def test_head(self) -> None:
        """What the files say is sent as far as it may be, and what they do not say is said."""
        head = http_head("10.0.0.1:80", "health z/\u00fc?a=b#c", [("X-Probe", "1\r\nx: 2"), ("Connection", "close")])
        self.assertEqual(head.target, b"/health%20z/%C3%BC?a=b")
        self.assertEqual(
            head.fields, [(b"x-probe", b"1 x: 2"), (b"user-agent", b"edgegate-probe"), (b"accept", b"*/*")]
        )
        head = http_head("10.0.0.1:80", "/%41", [("User-Agent", "me"), ("Accept", "text/plain")])
        self.assertEqual(head.target, b"/%41")
        self.assertEqual(head.fields, [(b"user-agent", b"me"), (b"accept", b"text/plain")])

    def test_timeout(self) -> None:
        """A server of gRPC is told at least a millisecond, and no more digits than it takes."""
        for seconds, said in ((0.0001, b"1m"), (1.0, b"1000m"), (1e9, b"99999999m")):
            self.assertEqual(dict(grpc_head("a", 5, seconds).fields)[b"grpc-timeout"], said)


class ConnectTests(Asking):
    """The connection for a question."""

    def test_next_address(self) -> None:
        """Where one address of a name refuses the next is asked."""
        named = TCPAddress("a.example", 80)
        self.asking = self.ask(named, Probe(80, "/"))
        self.names.nameResolver.answer("a.example", "10.0.0.1", "10.0.0.2")
        self.connects[-1].failed(CONNECT_REFUSED)
        self.assertEqual(self.connects[-1].address, TCPAddress("10.0.0.2", 80))
        stream = self.connects[-1].accept()
        self.assertIn(b"host: a.example:80\r\n", stream.take())
        stream.deliver(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        self.successResultOf(self.asking)

    def test_refused(self) -> None:
        """What refuses connections is not well."""
        self.asking = self.ask(ADDRESS, Probe(80, "/"))
        self.connects[-1].failed(CONNECT_REFUSED)
        self.failureResultOf(self.asking, Unreachable)

    def test_tls(self) -> None:
        """With TLS that is offered which the probe can speak, and a name is asked for by SNI."""
        for probe, alpn in (
            (Probe(80, "/", tls=True), (b"http/1.1",)),
            (Probe(80, "/", tls=True, http2=True), (b"h2", b"http/1.1")),
            (Probe(80, grpc_service="", tls=True), (b"h2",)),
        ):
            self.ask(ADDRESS, probe)
            options: Any = self.connects[-1].options
            self.assertEqual((options.tls.alpn, options.tls.name), (alpn, ""))
        self.ask(TCPAddress("a.example", 443), Probe(443, "/", tls=True))
        self.names.nameResolver.answer("a.example", "10.0.0.1")
        options = self.connects[-1].options
        self.assertEqual(options.tls.name, "a.example")
