"""Tests of L{edgegate.http.guards.oidc.provider_client}."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from edgegate.access.jwt.key_set import MOST_BYTES
from edgegate.http.guards.key_set_client import FetchFailed
from edgegate.http.guards.oidc.provider_client import TreqProviderClient

FIELDS = [(b"content-type", b"application/x-www-form-urlencoded"), (b"authorization", b"Basic eA==")]


class Endpoint(Protocol):
    """Answers a whole request as it is told, and closes."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer
        self._data = b""

    def dataReceived(self, data: bytes) -> None:
        """Answer when the request is whole."""
        self._data += data
        if self._data.endswith(b"code=c"):
            assert self.transport is not None
            self.transport.write(self._answer(self._data))
            if self._answer(self._data):
                self.transport.loseConnection()


class ProviderClientTests(TestCase):
    """What is sent to a token endpoint."""

    def post(self, answer: Callable[[bytes], bytes], timeout: float = 20.0) -> Deferred[tuple[int, bytes]]:
        """Send a code to a server."""
        factory = Factory.forProtocol(lambda: Endpoint(answer))
        factory.noisy = False
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")  # type: ignore[attr-defined]
        self.addCleanup(port.stopListening)
        url = f"http://127.0.0.1:{port.getHost().port}/token?a"
        return TreqProviderClient(reactor).post(url, FIELDS, b"code=c", timeout)

    async def test_answer(self) -> None:
        """Whatever status there is, it comes with its body; the fields are sent as they are."""
        got: list[bytes] = []

        def answer(data: bytes) -> bytes:
            got.append(data)
            return b"HTTP/1.1 400 Bad\r\nconnection: close\r\n\r\n{}"

        self.assertEqual(await self.post(answer), (400, b"{}"))
        self.assertTrue(got[0].startswith(b"POST /token?a HTTP/1.1\r\n"))
        self.assertIn(b"basic ea==", got[0].lower())

    async def test_redirect(self) -> None:
        """A redirect is not followed: the secret goes nowhere else."""
        answer = b"HTTP/1.1 307 Elsewhere\r\nlocation: http://127.0.0.1:1/\r\nconnection: close\r\n\r\n"
        self.assertEqual(await self.post(lambda _: answer), (307, b""))

    async def test_too_much(self) -> None:
        """What does not end is left."""
        head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n"
        await self.assertFailure(self.post(lambda _: head + b"x" * (MOST_BYTES + 1)), FetchFailed)

    async def test_silent(self) -> None:
        """Who says nothing is waited for only so long; who is not there, not at all."""
        await self.assertFailure(self.post(lambda _: b"", 0.2), FetchFailed)
        client = TreqProviderClient(reactor)
        await self.assertFailure(client.post("http://127.0.0.1:1/", FIELDS, b"code=c", 5.0), ConnectionRefusedError)
