"""Tests of L{edgegate.net.turns}."""

from __future__ import annotations

import select
import socket

from twisted.internet.protocol import Protocol
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.accepted_socket import AcceptedSocket, client_on
from edgegate.net.client_counts import NOBODY, ClientCounts
from edgegate.net.peek import Peek
from edgegate.net.stream import Stream
from edgegate.net.turns import fair_order
from edgegate.net.wheel import TimerWheel
from tests.net.pairs import HERE, THERE

IN, OUT = select.EPOLLIN, select.EPOLLOUT


class TurnsTests(SynchronousTestCase):
    """Numbers of descriptors, of which those below 10 are no client's, and each ten above one client's."""

    def setUp(self) -> None:
        """Have called nobody."""
        self.called: set[int] = set()

    def turns(self, *ready: int, spare: int = 0) -> list[int]:
        """Return the order of those who are ready."""
        order, self.least = fair_order([(fd, 1) for fd in ready], lambda fd: fd // 10 or None, self.called, spare)
        return [fd for fd, _ in order]

    def test_clients(self) -> None:
        """Each client has one before any has a second; of each, and among them, who was first comes first."""
        self.assertEqual(self.turns(12, 11, 13, 22, 21, 31, 14), [12, 22, 31, 11, 21, 13, 14])
        self.assertEqual(self.least, 3)

    def test_others(self) -> None:
        """What is no client's comes before."""
        self.assertEqual(self.turns(11, 12, 2, 21, 1), [2, 1, 11, 21, 12])
        self.assertEqual(self.least, 4)

    def test_called_before(self) -> None:
        """Of one client those come first that were not called before, until all were."""
        self.called = {11, 21, 1}
        self.assertEqual(self.turns(1, 2, 11, 12, 13, 21), [2, 1, 12, 21, 13, 11])
        self.called = {11, 12, 13}
        self.assertEqual(self.turns(11, 12), [11, 12])
        self.assertEqual(self.called, set())
        self.called = {11, 12, 13, 14}
        self.assertEqual(self.turns(11, 15, 16), [11, 15, 16])
        self.assertEqual(self.called, set())

    def test_few(self) -> None:
        """All of those with the least are called in one turn, and read again, as far as there are calls to spare."""
        ready = (11, 12, 13, 21, 22, 31)
        self.assertEqual(self.turns(*ready, spare=2), [11, 21, 31, 12, 22, 13])
        self.assertEqual(self.least, 3)
        for spare in (3, 9):
            self.assertEqual(self.turns(*ready, spare=spare), [11, 21, 31, *[31] * 3, 12, 22, 13])
            self.assertEqual(self.least, 6)
        self.assertEqual(self.turns(*ready, spare=10), [11, 21, 22, *[21, 22] * 3, 31, *[31] * 3, 12, 13])
        self.assertEqual(self.least, 13)
        self.assertEqual(self.turns(*ready, spare=21), [*ready[:3] * 4, *ready[3:5] * 4, *ready[5:] * 4])

    def test_read_again(self) -> None:
        """What can be written alone is called once."""
        order, _ = fair_order([(11, OUT), (12, IN | OUT)], lambda fd: 1, self.called)
        self.assertEqual(order, [(11, OUT), (12, IN | OUT), *[(12, IN)] * 3])

    def test_alike(self) -> None:
        """Where there is not enough to spare for all that have as many, none has more than another."""
        self.assertEqual(self.turns(11, 12, 21, 22, spare=13), [11, 21, 12, 22])

    def test_many_clients(self) -> None:
        """Where each client has one, nothing is spared and nothing taken."""
        ready = range(10, 1000, 10)
        self.assertEqual((self.turns(*ready, spare=99), self.least), ([*ready], 99))

    def test_nobody(self) -> None:
        """Where nobody is ready nobody is called."""
        self.assertEqual((self.turns(), self.least), ([], 0))


class ClientTests(SynchronousTestCase):
    """Whose a connection is."""

    def test_client(self) -> None:
        """That of a socket that was accepted is its client's; one to a backend is of whom its protocol says."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            other = socket.create_connection(server.getsockname())
            self.addCleanup(other.close)
            sock, _ = AcceptedSocket.accept_from(server)
            self.addCleanup(sock.close)
        reactor = MemoryReactorClock()
        wheel = TimerWheel(reactor, 1.0)
        for whose, ours in ((None, other), (client_on(sock), sock)):
            stream = Stream(reactor, ours, HERE, THERE)  # type: ignore[arg-type]
            peek = Peek(reactor, wheel, ours, len, self.fail, self.fail)  # type: ignore[arg-type]
            self.assertEqual((stream.client, peek.client), (whose, whose))
        backend = Stream(reactor, other, HERE, THERE)  # type: ignore[arg-type]
        protocol = Protocol()
        protocol.on_behalf_of = sock  # type: ignore[attr-defined]
        backend.start(protocol, read=False)  # type: ignore[arg-type]
        self.assertIs(backend.client, sock)
        # each of whom nothing is known is somebody else
        self.assertIs(sock.counts, NOBODY)
        self.assertIs(client_on(sock), sock)
        sock.counts = ClientCounts("192.0.2.1", 1)
        self.assertIs(client_on(sock), sock.counts)
