"""Tests of L{edgegate.observe.export.collector}, against servers on this machine."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred, inlineCallbacks
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import LogEvent, formatEvent, globalLogPublisher
from twisted.trial.unittest import TestCase

from edgegate.observe.export.collector import MOST_ANSWER, HTTPCollector
from edgegate.observe.export.exporter import CollectorError
from tests.acceptance.processes import free_ports

Steps = Generator[Deferred[Any], Any, None]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Server(Protocol):
    """Answers each request with the same bytes."""

    factory: Any

    def connectionMade(self) -> None:
        """Take note of it."""
        self.factory.connections.append(self)
        self.got = b""

    def dataReceived(self, data: bytes) -> None:
        """Answer once the body is there."""
        self.got += data
        if self.got.endswith(b"spans"):
            self.factory.requests.append(self.got)
            self.got = b""
            assert self.transport is not None
            self.transport.write(self.factory.answer)

    def connectionLost(self, reason: Any = None) -> None:
        """Take note of it."""
        self.factory.connections.remove(self)
        if not self.factory.connections and self.factory.left is not None:
            self.factory.left.callback(None)


class CollectorTests(TestCase):
    """What becomes of a batch."""

    def setUp(self) -> None:
        """Listen."""
        self.factory: Any = Factory.forProtocol(Server)  # type: ignore[no-untyped-call]
        self.factory.noisy = False
        self.factory.connections, self.factory.requests = [], []
        self.factory.answer = OK
        self.factory.left = None
        port = reactor.listenTCP(0, self.factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        self.collector = self.collector_at(port.getHost().port)

    def collector_at(self, port: int, timeout: float = 30.0) -> HTTPCollector:
        """Return what sends to a port."""
        url = f"http://127.0.0.1:{port}/v1/traces"
        found = HTTPCollector(reactor, url, "text/plain", timeout, [("x-token", "secret")])  # type: ignore[arg-type]
        self.addCleanup(self.leave, found)
        return found

    def leave(self, collector: HTTPCollector) -> Deferred[Any]:
        """Close its connections, and wait until the server knows."""
        closed = collector.close()
        if self.factory.connections:
            self.factory.left = Deferred()
            closed.addCallback(lambda _: self.factory.left)
        return closed

    @inlineCallbacks
    def test_taken(self) -> Steps:
        """Batches are posted, on one connection."""
        yield self.collector.send(b"spans")
        yield self.collector.send(b"more spans")
        self.assertEqual(len(self.factory.connections), 1)
        first, second = self.factory.requests
        lines = first.split(b"\r\n")
        self.assertEqual(lines[0], b"POST /v1/traces HTTP/1.1")
        seen = {name.lower(): value for name, _, value in (line.partition(b": ") for line in lines[1:])}
        self.assertEqual((seen[b"content-type"], seen[b"x-token"]), (b"text/plain", b"secret"))
        self.assertEqual(seen[b"content-length"], b"5")
        self.assertTrue(seen[b"user-agent"].startswith(b"edgegate"))
        self.assertTrue(second.endswith(b"\r\n\r\nmore spans"))

    @inlineCallbacks
    def test_silent(self) -> Steps:
        """Connections are not logged."""
        told: list[str | None] = []

        def observe(event: LogEvent) -> None:
            told.append(formatEvent(event))

        globalLogPublisher.addObserver(observe)
        self.addCleanup(globalLogPublisher.removeObserver, observe)
        yield self.collector.send(b"spans")
        yield self.collector.close()
        self.assertEqual([text for text in told if text and "factory" in text], [])

    @inlineCallbacks
    def test_refused(self) -> Steps:
        """Any status but 2xx says that the batch is lost, and the connection may be used again."""
        for status in (b"429", b"503", b"400", b"302"):
            self.factory.answer = b"HTTP/1.1 %b Why\r\ncontent-length: 5\r\nlocation: /\r\n\r\nwords" % status
            error = yield self.assertFailure(self.collector.send(b"spans"), CollectorError)
            self.assertEqual(str(error), f"it answers {status.decode()}")
        self.assertEqual((len(self.factory.connections), len(self.factory.requests)), (1, 4))

    @inlineCallbacks
    def test_down(self) -> Steps:
        """Nobody listens."""
        (port,) = free_ports(1)
        yield self.assertFailure(self.collector_at(port).send(b"spans"), ConnectionRefusedError)

    @inlineCallbacks
    def test_slow(self) -> Steps:
        """One that does not answer in time is left, before its answer and within it."""
        for answer in (b"", b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nwhat"):
            self.factory.answer = answer
            slow = self.collector_at(self.port, 0.2)
            error = yield self.assertFailure(slow.send(b"spans"), CollectorError)
            self.assertEqual(str(error), "it has not answered within 0.2 s")

    @inlineCallbacks
    def test_endless(self) -> Steps:
        """Of an answer without an end only the beginning is read."""
        self.factory.answer = b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * (2 * MOST_ANSWER)
        yield self.collector.send(b"spans")

    @inlineCallbacks
    def test_no_http(self) -> Steps:
        """What is no HTTP is said by what is wrong."""
        self.factory.answer = b"SSH-2.0-OpenSSH\r\n"
        error = yield self.assertFailure(self.collector.send(b"spans"), Exception)
        self.assertNotIn("ResponseFailed", type(error).__name__)

    @property
    def port(self) -> int:
        """Where the server listens."""
        return int(self.collector.url.split(":")[2].partition("/")[0])
