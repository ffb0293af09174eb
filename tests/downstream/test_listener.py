"""Tests of L{edgegate.downstream.listener}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream.listener import HANDSHAKES, NO_SERVER, counted_as, successor
from edgegate.downstream.listener_filter import CROWDED, Serving
from edgegate.model.addresses import TCPAddress
from edgegate.net.addresses import ConnectionInfo
from edgegate.overload.idle import UNASKED, UNFINISHED
from edgegate.overload.limits import OverloadLimits
from edgegate.routing.hosts import HostTable
from edgegate.tls.sni import ContextMap
from tests.downstream.arriving import PASSED, PLAIN, SECURE, SNI, STRICT, TCP, ArrivingCase, listener
from tests.net.pairs import HERE, THERE, until
from tests.tls.handshakes import secrets
from tests.tls.hellos import real


class DownstreamListenerTests(ArrivingCase):
    """Connections that need no telling apart."""

    async def test_http(self) -> None:
        """A connection is HTTP at once, and knows the port that took it."""
        port = self.open(listener())
        client = self.connect()
        client.sendall(b"GET")
        await until(lambda: self.http.connections and self.http.connections[0][1].data == b"GET")
        downstream, connection = self.http.connections[0]
        self.assertIs(downstream.entry, port)
        self.assertIs(downstream.chain, PLAIN)
        self.assertEqual((downstream.tls, connection.retired, self.observer.taken), (False, False, 1))

    async def test_tcp(self) -> None:
        """A connection that is to be relayed is handed on untouched."""
        self.open(listener(TCP))
        client = self.connect()
        client.sendall(b"hello")
        await until(lambda: self.tcp.sockets)
        downstream, sock = self.tcp.sockets[0]
        self.assertIs(downstream.chain, TCP)
        sock.setblocking(True)
        self.assertEqual(sock.recv(10), b"hello")

    async def test_no_room(self) -> None:
        """One connection too many waits until another is closed, while idle ones are looked for."""
        self.limits = OverloadLimits(connections=1, client_connections=10)
        port = self.open(listener())
        first = self.connect()
        await until(lambda: self.http.connections)
        second = self.connect()
        second.sendall(b"GET")
        await until(lambda: self.ended)
        self.assertEqual((self.observer.taken, port.taken, self.ended), (1, 1, [(None, None)]))
        first.close()
        await until(lambda: len(self.http.connections) == 2 and self.http.connections[1][1].data == b"GET")
        self.assertEqual((self.observer.taken, self.observer.refused, port.taken), (2, 0, 1))

    async def test_no_room_on_the_port(self) -> None:
        """So does one too many of a port, while its own are looked for."""
        self.limits = OverloadLimits(listener_connections=1)
        port = self.open(listener())
        self.connect()
        self.connect()
        await until(lambda: self.ended)
        self.assertEqual((self.observer.taken, self.ended), (1, [(port, None)]))

    async def test_client_has_too_many(self) -> None:
        """One too many of a client is closed at once, where none of its own lies idle, and counted."""
        self.limits = OverloadLimits(client_connections=1)
        port = self.open(listener())
        self.connect()
        await until(lambda: self.http.connections)
        second = self.connect()
        await until(lambda: self.observer.refused)
        self.assertEqual(second.recv(1), b"")
        self.assertEqual((self.ended, len(self.http.connections)), ([(None, "127.0.0.1")], 1))
        await until(lambda: port.taken == 1)

    async def test_too_many_while_it_closes(self) -> None:
        """Nobody can wait for room on a port that is closed: what is one too many is closed, too."""
        self.limits = OverloadLimits(connections=1)
        port = self.open(listener())
        self.connect()
        await until(lambda: self.http.connections)
        late = self.connect()
        port.withdraw()
        self.assertEqual(self.observer.refused, 1)
        self.assertEqual(late.recv(1), b"")

    async def test_too_many_handshakes(self) -> None:
        """Of too many handshakes the oldest gives way; those who have not said anything count as nothing."""
        self.limits = OverloadLimits(handshakes=1)
        port = self.open(listener(secure=SNI))
        silent, first = self.connect(), self.connect()
        first.sendall(real("a.example"))
        await until(lambda: port.shaking)
        second = self.connect()
        second.sendall(real("a.example"))
        await until(lambda: self.observer.rejected)
        self.assertEqual([each.reason for each in self.observer.rejected], [CROWDED])
        self.assertEqual((len(port.shaking), len(port.pending), port.counts.crowded_out), (1, 2, 1))
        (shaking,) = port.shaking
        self.assertEqual(str(shaking.peer).rpartition(":")[2], str(second.getsockname()[1]))
        silent.close()

    async def test_pending_gives_way(self) -> None:
        """One that says nothing is idle after a moment, one that shakes hands when that takes long."""
        port = self.open(listener(secure=SNI))
        self.connect()
        await until(lambda: port.pending)
        (silent,) = port.pending
        self.assertEqual(silent.idle_since(), self.clock.seconds() + UNASKED)
        shaking = self.connect()
        shaking.sendall(real("a.example"))
        await until(lambda: port.shaking)
        (found,) = port.shaking
        self.assertEqual(found.idle_since(), self.clock.seconds() + UNFINISHED)
        silent.give_way()
        self.assertEqual([each.reason for each in self.observer.rejected], [CROWDED])

    async def test_no_server(self) -> None:
        """A connection for which there is no server any more is closed, and logged."""
        self.open(listener(None))
        client = self.connect()
        await until(lambda: self.observer.rejected)
        self.assertEqual(client.recv(1), b"")
        rejected = [(each.reason, each.unknown) for each in self.observer.rejected]
        self.assertEqual((self.observer.taken, rejected), (1, [(NO_SERVER, False)]))

    async def test_new_files(self) -> None:
        """After a reload new connections get what is served then."""
        port = self.open(listener())
        other = listener(TCP)
        port.serving = Serving(other, ContextMap(other, secrets()))
        self.connect()
        await until(lambda: self.tcp.sockets)
        self.assertIs(self.tcp.sockets[0][0].listener, other)

    async def test_withdraw(self) -> None:
        """Who has connected is served with one answer; a handshake of TCP later the port is closed."""
        port = self.open(listener())
        client = self.connect()
        port.withdraw()
        port.withdraw()
        self.assertEqual((len(self.http.connections), port.open), (1, True))
        self.assertTrue(self.http.connections[0][1].retired)
        client.sendall(b"GET")
        await until(lambda: self.http.connections[0][1].data == b"GET")
        self.clock.advance(HANDSHAKES)
        self.assertFalse(port.open)
        self.assertRaises(ConnectionRefusedError, self.connect)
        port.withdraw()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    async def test_withdraw_while_told_apart(self) -> None:
        """What is not told apart yet goes on being so."""
        port = self.open(listener(PLAIN, SNI))
        client = self.connect()
        port.withdraw()
        self.assertEqual((len(port.pending), self.http.connections), (1, []))
        client.sendall(b"GET")
        await until(lambda: self.http.connections)
        self.assertTrue(self.http.connections[0][1].retired)


class CountedAsTests(SynchronousTestCase):
    """What metrics call a port."""

    def test_names(self) -> None:
        """Colons are underscores, those of IPv6 as well, as in Envoy."""
        for bind, name in (
            (TCPAddress("0.0.0.0", 8080), "0.0.0.0_8080"),
            (TCPAddress("::", 8080), "[__]_8080"),
            (TCPAddress("fd00::7", 80), "[fd00__7]_80"),
        ):
            self.assertEqual(counted_as(bind), name)


class SuccessorTests(SynchronousTestCase):
    """How a connection goes on under new files."""

    def test_plain(self) -> None:
        """In the clear, as long as HTTP is served."""
        before = ConnectionInfo(listener(), PLAIN, THERE, HERE, entry=self)
        after = listener(replace(PLAIN))
        found = successor(before, after)
        assert found is not None
        self.assertIs(found.chain, after.plain)
        self.assertEqual((found.listener, found.entry, found.since), (after, self, before.since))
        self.assertIsNone(successor(before, listener(TCP)))
        self.assertIsNone(successor(before, listener(None)))

    def test_secure(self) -> None:
        """Over TLS, as long as its name finds a server of the same rules."""
        before = ConnectionInfo(listener(None, SNI), SECURE, THERE, HERE, "a.example", tls=True)

        def after(*chains: tuple[str, object]) -> object:
            return successor(before, listener(PLAIN, HostTable(chains)))  # type: ignore[arg-type]

        self.assertIsNotNone(after(("a.example", replace(SECURE))))
        self.assertIsNotNone(after(("*.example", replace(SECURE, name="other"))))
        self.assertIsNone(after(("a.example", STRICT)))
        self.assertIsNone(after(("a.example", PASSED)))
        self.assertIsNone(after(("b.example", SECURE)))
