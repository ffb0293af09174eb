"""Tests of L{edgegate.net.listening}, on real sockets."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase
from zope.interface.verify import verifyObject

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSocket, InheritedSockets
from edgegate.net.listening import ListeningPort, bind, listen
from edgegate.net.wheel import TimerWheel
from tests.net.pairs import until

ANY = TCPAddress("127.0.0.1", 0)


class ExhaustedSocket:
    """A socket whose process has no descriptor left."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.accepts = 0

    def _accept(self) -> None:
        self.accepts += 1
        raise OSError(self.number, os.strerror(self.number))

    def close(self) -> None:
        """Nothing."""


class SharedTests(TestCase):
    """A socket that other processes accept from, too."""

    def setUp(self) -> None:
        """Have one, which it may not be this process's turn to accept from."""
        self.clock = Clock()
        self.turns = 0
        self.accepted: list[socket.socket] = []
        self.listening = bind(ANY)
        self.addCleanup(self.listening.close)
        self.address = self.listening.getsockname()
        shared = HandedSockets({ANY: self.listening.dup()})
        wheel = TimerWheel(self.clock, 0.1)
        self.port = ListeningPort(reactor, wheel, ANY, self.took, shared, self.turn)  # type: ignore[arg-type]
        self.addCleanup(self.port.stopListening)

    def turn(self) -> bool:
        """Tell whether it is."""
        self.turns -= 1
        return self.turns >= 0

    def took(self, sock: socket.socket, peer: Address, local: Address) -> None:
        """Take a connection."""
        self.accepted.append(sock)
        self.addCleanup(sock.close)

    def connect(self, count: int) -> None:
        """Connect."""
        for _ in range(count):
            self.addCleanup(socket.create_connection(self.address).close)

    def test_turns(self) -> None:
        """No more are taken than it is this process's turn to, and few at once; the rest is looked at again later."""
        self.port.startListening()
        self.connect(7)
        self.turns = 100
        self.port.doRead()
        self.assertEqual(len(self.accepted), 4)
        self.turns = 1
        self.port.doRead()
        self.assertEqual(len(self.accepted), 5)
        self.port.doRead()
        self.assertEqual(len(self.accepted), 5)
        self.turns = 100
        self.clock.advance(0.01)
        self.port.doRead()
        self.assertEqual(len(self.accepted), 7)

    def test_leave(self) -> None:
        """What it leaves the others accept from, and nothing is looked at any more."""
        self.port.startListening()
        self.connect(1)
        self.port.doRead()
        self.port.leave()
        self.assertEqual((self.port.open, self.accepted, self.clock.getDelayedCalls()), (False, [], []))
        self.connect(1)
        self.listening.accept()[0].close()


class ListeningTests(TestCase):
    """Ports."""

    def setUp(self) -> None:
        """Make a wheel that the test turns."""
        self.clock = Clock()
        self.accepted: list[tuple[socket.socket, Address, Address]] = []

    def take(self, sock: socket.socket, peer: Address, local: Address) -> None:
        """Take a connection."""
        self.accepted.append((sock, peer, local))
        self.addCleanup(sock.close)

    def listen(self, address: Address = ANY) -> ListeningPort:
        """Open a port."""
        port = listen(reactor, TimerWheel(self.clock, 0.1), address, self.take)  # type: ignore[arg-type]
        self.addCleanup(port.stopListening)
        return port

    async def test_inherited(self) -> None:
        """A service manager's socket stays its own: what waits in it when one stops accepting is for the next."""
        owner = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(owner.close)
        address = TCPAddress(*owner.getsockname())
        wheel = TimerWheel(self.clock, 0.1)
        inherited = InheritedSockets([InheritedSocket("", address, owner)])
        for end in (ListeningPort.withdraw, ListeningPort.stopListening):
            port = ListeningPort(reactor, wheel, address, self.take, inherited)  # type: ignore[arg-type]
            port.startListening()
            self.assertEqual((port.local, port.open), (address, True))
            before = len(self.accepted)
            clients = [socket.create_connection(owner.getsockname(), 10)]
            await until(lambda: len(self.accepted) == before + 1)  # noqa: B023
            port.pauseAccepting()
            clients.append(socket.create_connection(owner.getsockname(), 10))
            end(port)
            self.assertFalse(port.open)
            port.bind()
            port.resumeAccepting()
            await until(lambda: len(self.accepted) == before + 2)  # noqa: B023
            port.stopListening()
            for each in clients:
                each.close()

    async def test_handed(self) -> None:
        """
        While the process before has a socket, nothing that is done here is felt there; afterwards it is this one's own.
        """
        path = UNIXAddress(self.mktemp())
        for address in (TCPAddress("127.0.0.1", 0), path):
            owner = bind(address)
            wheel = TimerWheel(self.clock, 0.1)
            for end in (ListeningPort.withdraw, ListeningPort.stopListening):
                handed = HandedSockets({address: owner.dup()})
                port = ListeningPort(reactor, wheel, address, self.take, handed)  # type: ignore[arg-type]
                port.bind()
                end(port)
                self.assertFalse(port.open)
                with socket.socket(owner.family) as client:
                    client.settimeout(0.9)
                    client.connect(owner.getsockname())
            handed = HandedSockets({address: owner})
            port = ListeningPort(reactor, wheel, address, self.take, handed)  # type: ignore[arg-type]
            port.startListening()
            await until(lambda: len(self.accepted) >= 2)
            handed.left = True
            port.withdraw()
            port.stopListening()
            self.assertEqual(owner.fileno(), -1)
        self.assertRaises(FileNotFoundError, os.lstat, path.path)

    def number(self, port: ListeningPort) -> int:
        """Return the number of a port."""
        assert isinstance(port.local, TCPAddress)
        return port.local.port

    def connect(self, host: str, port: int) -> socket.socket:
        """Connect to it."""
        sock = socket.create_connection((host, port))
        self.addCleanup(sock.close)
        return sock

    async def test_accepted(self) -> None:
        """A connection comes with both addresses, and does not block."""
        port = self.listen()
        verifyObject(IListeningPort, port)
        client = self.connect("127.0.0.1", self.number(port))
        await until(lambda: self.accepted)
        ((sock, peer, local),) = self.accepted
        self.assertEqual((peer, local), (TCPAddress(*client.getsockname()), port.local))
        self.assertFalse(sock.getblocking())
        self.assertTrue(sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        self.assertEqual(port.getHost().port, self.number(port))  # type: ignore[attr-defined]

    async def test_both_families(self) -> None:
        """C{::} takes IPv4 too, under its own addresses."""
        number = self.number(self.listen(TCPAddress("::", 0)))
        self.connect("127.0.0.1", number)
        self.connect("::1", number)
        await until(lambda: len(self.accepted) == 2)
        locals_ = {local for _, _, local in self.accepted}
        self.assertEqual(locals_, {TCPAddress("127.0.0.1", number), TCPAddress("::1", number)})

    async def test_one_family(self) -> None:
        """Any other IPv6 address does not."""
        for _ in range(5):
            number = self.number(self.listen(TCPAddress("::1", 0)))
            # another test may have that port of the other family just then
            with contextlib.suppress(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", number)).close()
                continue
            return
        self.fail("all of them listen on both")

    async def test_unix(self) -> None:
        """A UNIX socket's file is there as long as it is open; one that was left behind is taken over."""
        path = Path(self.mktemp())
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(path))
        port = self.listen(UNIXAddress(str(path)))
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            await until(lambda: self.accepted)
            with self.assertRaises(CannotListenError):
                self.listen(UNIXAddress(str(path)))
        port.stopListening()
        with self.assertRaises(FileNotFoundError), socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))

    def test_not_a_socket(self) -> None:
        """A file that is no socket is not removed."""
        path = Path(self.mktemp())
        path.touch()
        self.assertRaises(CannotListenError, self.listen, UNIXAddress(str(path)))
        self.assertTrue(path.exists())

    def test_cannot_bind(self) -> None:
        """A port that is taken, an address that is not ours, a path that is too long."""
        taken = self.number(self.listen())
        for address in (
            TCPAddress("127.0.0.1", taken),
            TCPAddress("192.0.2.1", 0),
            TCPAddress("localhost", 0),
            UNIXAddress("/" + "x" * 200),
        ):
            self.assertRaises(CannotListenError, self.listen, address)

    async def test_pause(self) -> None:
        """While nobody accepts, connections wait."""
        port = self.listen()
        port.pauseAccepting()
        self.connect("127.0.0.1", self.number(port))
        port.resumeAccepting()
        await until(lambda: self.accepted)

    async def test_bound_first(self) -> None:
        """What is bound only takes nobody yet, but refuses nobody either."""
        port = ListeningPort(reactor, TimerWheel(self.clock), ANY, self.take)  # type: ignore[arg-type]
        port.bind()
        self.addCleanup(port.stopListening)
        self.connect("127.0.0.1", self.number(port))
        port.takeWaiting()
        self.assertEqual(len(self.accepted), 1)
        port.takeWaiting()
        self.assertEqual(len(self.accepted), 1)

    def test_withdraw(self) -> None:
        """Who waits is taken at once, and nobody connects any more; closing takes nothing away that is another's."""
        path = Path(self.mktemp())
        for address in (ANY, UNIXAddress(str(path))):
            port = self.listen(address)
            port.pauseAccepting()
            name = ("127.0.0.1", self.number(port)) if address is ANY else str(path)
            with socket.socket(socket.AF_INET if address is ANY else socket.AF_UNIX) as client:
                client.connect(name)
                self.accepted.clear()
                port.withdraw()
                self.assertEqual((len(self.accepted), port.open), (1, True))
            with socket.socket(socket.AF_INET if address is ANY else socket.AF_UNIX) as late:
                late.settimeout(0.1)
                self.assertRaises(OSError, late.connect, name)
        path.touch()
        port.stopListening()
        self.assertEqual((path.exists(), port.open), (True, False))
        port.withdraw()

    def test_exhausted(self) -> None:
        """Without descriptors accepting rests for a while, instead of trying again and again."""
        port = self.listen()
        for number in (errno.EMFILE, errno.EINVAL):
            real = port._socket
            port._socket = fake = ExhaustedSocket(number)  # type: ignore[assignment]
            port.doRead()
            port.doRead()
            self.assertEqual(fake.accepts, 1)
            port._socket = real
            self.assertNotIn(port, reactor.getReaders())  # type: ignore[attr-defined]
            self.clock.pump([0.1] * 20)
            self.assertIn(port, reactor.getReaders())  # type: ignore[attr-defined]

    def test_gone_meanwhile(self) -> None:
        """A client that left before it was accepted is passed over."""
        port = self.listen()
        real, fake = port._socket, ExhaustedSocket(errno.ECONNABORTED)
        port._socket = fake  # type: ignore[assignment]
        port.doRead()
        port._socket = real
        self.assertGreater(fake.accepts, 1)

    async def test_failing(self) -> None:
        """A connection that fails at its begin is closed; the port goes on."""
        for kind in (ZeroDivisionError, SystemExit):

            def take(*_: object, kind: type[BaseException] = kind) -> None:
                raise kind

            self.take = take  # type: ignore[method-assign]
            port = self.listen()
            client = self.connect("127.0.0.1", self.number(port))
            client.setblocking(False)
            await until(lambda kind=kind: self.flushLoggedErrors(kind))  # type: ignore[misc]
            self.assertIn(port, reactor.getReaders())  # type: ignore[attr-defined]
