"""What is fetched, from servers that misbehave in each way that there is."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError
from twisted.internet.interfaces import ITransport
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from edgegate.access.jwt.key_set import MOST_BYTES
from edgegate.http.guards.key_set_client import FetchFailed, TreqKeySetClient

Answer = Callable[["Server", bytes], None]


class Server(Protocol):
    """Answers as it is told."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self._data += data
        if self._data.endswith(b"\r\n\r\n"):
            self._answer(self, self._data.split(b" ")[1])

    @property
    def headers(self) -> bytes:
        """What was asked, as it came."""
        return self._data

    def say(self, head: bytes, body: bytes = b"") -> None:
        """Answer, and close."""
        assert self.transport is not None
        self.transport.write(b"HTTP/1.1 " + head + b"\r\nconnection: close\r\n\r\n" + body)
        self.transport.loseConnection()


class Endless:
    """Has always more to say."""

    def __init__(self, transport: ITransport) -> None:
        self._transport = transport

    def resumeProducing(self) -> None:
        """Say more."""
        self._transport.write(b"x" * 65536)

    def stopProducing(self) -> None:
        """Nobody listens any more."""


class KeySetClientTests(TestCase):
    """L{TreqKeySetClient}."""

    def fetch(self, answer: Answer, timeout: float = 20.0) -> Deferred[bytes]:
        """Fetch from a server."""
        factory = Factory.forProtocol(lambda: Server(answer))
        factory.noisy = False
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        self.port = port.getHost().port
        return TreqKeySetClient(reactor).fetch(f"http://127.0.0.1:{self.port}/jwks", timeout)

    async def test_document(self) -> None:
        """A document is fetched whole."""
        self.assertEqual(await self.fetch(lambda server, _: server.say(b"200 OK", b"{}")), b"{}")

    async def test_status(self) -> None:
        """What is not a success is none."""
        for status in (b"404 Not Found", b"500 Oops", b"304 Not Modified"):
            with self.assertRaises(FetchFailed) as raised:
                await self.fetch(lambda server, _, status=status: server.say(status, b"{}"))
            self.assertEqual(str(raised.exception), f"it answers {status[:3].decode()}")

    async def test_said_to_be_too_large(self) -> None:
        """An answer that says that it is too large is not read."""
        head = b"200 OK\r\ncontent-length: %d" % (MOST_BYTES + 1)
        with self.assertRaises(FetchFailed) as raised:
            await self.fetch(lambda server, _: server.transport.write(b"HTTP/1.1 " + head + b"\r\n\r\n"))
        self.assertEqual(str(raised.exception), "it answers more than 1 MiB")

    async def test_endless(self) -> None:
        """An answer that does not end is given up when it is too large."""

        def endless(server: Server, _: bytes) -> None:
            server.transport.write(b"HTTP/1.1 200 OK\r\n\r\n")
            server.transport.registerProducer(Endless(server.transport), False)

        with self.assertRaises(FetchFailed) as raised:
            await self.fetch(endless)
        self.assertEqual(str(raised.exception), "it answers more than 1 MiB")

    async def test_compressed(self) -> None:
        """Nothing is unpacked: what is small may not be so then."""
        asked = []

        def answer(server: Server, _: bytes) -> None:
            asked.append(server.headers)
            server.say(b"200 OK\r\ncontent-encoding: gzip", gzip.compress(b" " * (64 * MOST_BYTES)))

        with self.assertRaises(FetchFailed) as raised:
            await self.fetch(answer)
        self.assertEqual(str(raised.exception), "it answers in an encoding that it was not asked for")
        self.assertIn(b"\r\naccept-encoding: identity\r\n", asked[0].lower())

    async def test_no_host(self) -> None:
        """A host that can't be one is told of as a server that does not answer is."""
        asked = TreqKeySetClient(reactor).fetch("https://a..b/keys", 5.0)
        with self.assertRaises(ValueError):
            await asked

    async def test_silent(self) -> None:
        """Whoever accepts and says nothing is waited for until the time is over, and no longer."""
        with self.assertRaises(FetchFailed) as raised:
            await self.fetch(lambda server, _: None, 0.05)
        self.assertEqual(str(raised.exception), "it has not answered within 0.05 s")

    async def test_stalled(self) -> None:
        """So is whoever begins an answer and goes on no more."""

        def stall(server: Server, _: bytes) -> None:
            server.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{")

        with self.assertRaises(FetchFailed):
            await self.fetch(stall, 0.05)

    async def test_cut_short(self) -> None:
        """An answer that ends too early is none."""
        with self.assertRaises(Exception) as raised:
            await self.fetch(lambda server, _: server.say(b"200 OK\r\ncontent-length: 100", b"{}"))
        self.assertNotIsInstance(raised.exception, AssertionError)

    async def test_redirect(self) -> None:
        """A redirect on the same host is followed."""

        def answer(server: Server, target: bytes) -> None:
            if target == b"/jwks":
                server.say(b"302 Found\r\nlocation: /other")
            else:
                server.say(b"200 OK", target)

        self.assertEqual(await self.fetch(answer), b"/other")

    async def test_redirect_elsewhere(self) -> None:
        """One that leaves the host, or its port or scheme, is not."""
        for location in (
            b"http://localhost:%d/",
            b"https://127.0.0.1:%d/",
            b"http://127.0.0.1/?%d",
            b"//evil.example/%d",
        ):
            with self.assertRaises(FetchFailed) as raised:
                await self.fetch(lambda server, _, to=location: server.say(b"302 Found\r\nlocation: " + to % self.port))
            self.assertEqual(str(raised.exception), "a redirect to another host is not followed")

    async def test_redirects_without_end(self) -> None:
        """After some redirects it is enough."""
        with self.assertRaises(FetchFailed) as raised:
            await self.fetch(lambda server, _: server.say(b"302 Found\r\nlocation: /jwks"))
        self.assertEqual(str(raised.exception), "more than 3 redirects")

    async def test_nobody(self) -> None:
        """Where nobody answers it is said."""
        done = self.fetch(lambda server, _: server.say(b"200 OK", b"{}"))
        await done
        await self._cleanups.pop()[0]()
        with self.assertRaises(ConnectError):
            await TreqKeySetClient(reactor).fetch(f"http://127.0.0.1:{self.port}/jwks", 20.0)
