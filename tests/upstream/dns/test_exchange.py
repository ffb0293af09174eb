"""Tests of L{edgegate.upstream.dns.exchange} with a real name server."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionLost, UserError
from twisted.internet.protocol import ClientFactory, DatagramProtocol
from twisted.internet.task import deferLater
from twisted.internet.testing import StringTransport
from twisted.names import dns
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.exchange import Ask, DNSExchanges, DNSReactor, NoAnswer
from tests.net.name_server import NameServer

PATIENCE = 10.0


def hosts(message: dns.Message) -> list[str]:
    """Return the addresses in a message."""
    return [each.payload.dottedQuad() for each in message.answers]


class Liar(DatagramProtocol):
    """Answers each question with messages made of it, one after the other."""

    def __init__(self, lies: list[dict[str, Any]]) -> None:
        self.lies = lies

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:
        for lie in self.lies:
            message = dns.Message()
            message.fromStr(datagram)
            message.answer = 1
            for name, value in lie.items():
                setattr(message, name, value)
            self.transport.write(lie.get("raw") or message.toStr(), addr)


class Stuck:
    """The reactor, but no TCP connection comes about, nor fails by itself."""

    def __init__(self) -> None:
        self.factories: list[ClientFactory] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(reactor, name)

    def connectTCP(self, host: str, port: int, factory: ClientFactory) -> Stuck:
        self.factories.append(factory)
        return self

    def disconnect(self) -> None:
        """As Twisted's connectors do while they are connecting."""
        self.factories[0].clientConnectionFailed(None, Failure(UserError()))


class ExchangeTests(TestCase):
    """One question, one answer."""

    def setUp(self) -> None:
        self.server = NameServer(reactor)
        self.server.start()
        self.addCleanup(self.server.stop)
        self.wheel = TimerWheel(reactor, 0.05)
        self.addCleanup(self.wheel.stop)
        self.ask: Ask = DNSExchanges(reactor, self.wheel)

    def question(self, port: int | None = None, timeout: float = PATIENCE, name: str = "a.example") -> Deferred[Any]:
        """Ask for a name."""
        return self.ask(TCPAddress("127.0.0.1", self.server.port if port is None else port), name, dns.A, timeout)

    async def test_answer(self) -> None:
        """The server's message is the answer, and its times are in it."""
        self.server.say("a.example", "10.0.0.1", "10.0.0.2", ttl=7)
        message = await self.question()
        self.assertEqual((hosts(message), message.answers[0].ttl), (["10.0.0.1", "10.0.0.2"], 7))

    async def test_no_such_name(self) -> None:
        """That there is no such name is an answer too."""
        message = await self.question()
        self.assertEqual(message.rCode, dns.ENAME)

    async def test_cut_off(self) -> None:
        """What does not fit into a datagram is asked for by TCP."""
        many = [f"10.0.0.{n}" for n in range(100)]
        self.server.say("a.example", *many)
        self.assertEqual(hosts(await self.question()), many)
        self.assertEqual(len(self.server.asked), 2)

    async def test_nobody_there(self) -> None:
        """Where nobody listens that is known at once."""
        port = self.server.port
        await self.server.stop()
        await self.assertFailure(self.question(port), NoAnswer)

    async def test_silence(self) -> None:
        """A server that does not answer is not waited for longer than was said."""
        self.server.silent = True
        await self.assertFailure(self.question(timeout=0.1), NoAnswer)

    async def test_silence_by_tcp(self) -> None:
        """A server that cuts its answer off and takes no connections has not answered."""
        port = reactor.listenUDP(0, Liar([{"trunc": 1}]), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        await self.assertFailure(self.question(port.getHost().port), NoAnswer)

    async def test_broken_off_by_tcp(self) -> None:
        """A server that cuts its answer off, takes a connection and breaks it off has not answered."""
        port = reactor.listenUDP(0, Liar([{"trunc": 1}]), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        stuck, transport = Stuck(), StringTransport()
        ask: Ask = DNSExchanges(cast(DNSReactor, stuck), self.wheel)
        question = ask(TCPAddress("127.0.0.1", port.getHost().port), "a.example", dns.A, PATIENCE)
        while not stuck.factories:
            await deferLater(reactor, 0.001)
        protocol = stuck.factories[0].buildProtocol(None)
        protocol.makeConnection(transport)
        self.assertIn(b"\x01a\x07example", transport.value())
        protocol.connectionLost(Failure(ConnectionLost()))
        await self.assertFailure(question, NoAnswer)

    async def test_stuck_by_tcp(self) -> None:
        """A TCP connection that does not come about is given up in time, or when the question is taken back."""
        port = reactor.listenUDP(0, Liar([{"trunc": 1}]), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        server = TCPAddress("127.0.0.1", port.getHost().port)
        stuck = Stuck()
        ask: Ask = DNSExchanges(cast(DNSReactor, stuck), self.wheel)
        await self.assertFailure(ask(server, "a.example", dns.A, 0.1), NoAnswer)
        del stuck.factories[:]
        question = ask(server, "a.example", dns.A, PATIENCE)
        while not stuck.factories:
            await deferLater(reactor, 0.001)
        question.cancel()
        await self.assertFailure(question, CancelledError)

    async def test_cancelled(self) -> None:
        """A question that is taken back leaves nothing behind."""
        self.server.silent = True
        question = self.question()
        question.cancel()
        await self.assertFailure(question, CancelledError)

    async def test_forged(self) -> None:
        """What does not repeat number and question, or is no answer, is passed over; the answer that follows counts."""
        record = dns.RRHeader("a.example", dns.A, dns.IN, 60, dns.Record_A("10.0.0.1", 60))
        lies: list[dict[str, Any]] = [
            {"raw": b"\0"},
            {"raw": b"\xff" * 600},
            {"id": 1, "answers": []},
            {"queries": []},
            {"queries": [dns.Query("b.example", dns.A, dns.IN)]},
            {"answer": 0},
            {"answers": [record]},
        ]
        port = reactor.listenUDP(0, Liar(lies), interface="127.0.0.1")
        self.addCleanup(port.stopListening)
        self.assertEqual(hosts(await self.question(port.getHost().port)), ["10.0.0.1"])

    async def test_no_way(self) -> None:
        """A server that no route leads to is one that does not answer."""
        await self.assertFailure(self.ask(TCPAddress("255.255.255.255", 53), "a.example", dns.A, 5), NoAnswer)
