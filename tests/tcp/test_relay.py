from __future__ import annotations

import socket

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.task import Clock
from twisted.trial.unittest import TestCase

from edgegate.errors import CONNECT_REFUSED, NO_ROUTE, STREAM_IDLE, UPSTREAM_CUT_SHORT, Fault
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint
from edgegate.model.origin import Origin
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RelayEnd
from edgegate.observe.observers import Observers
from edgegate.tcp.copying import RelayProtocol
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.relay import relay_socket
from edgegate.upstream.registry import ClusterRegistry, EndpointState
from tests.tcp.peers import (
    Backend,
    in_thread,
    read_all,
    refusing,
    reset,
    send_until_blocked,
    tcp_pair,
)
from tests.tcp.test_routes import downstream, route

ORIGIN = Origin("echo.yaml", 1, "ServiceEntry default/echo")
MEGABYTE = 1 << 20


class RelayObserver:
    """Writes down how relays ended, and tells who waits for it."""

    def __init__(self) -> None:
        self.ends: list[tuple[Fault | None, object | None, int, int]] = []
        self.ended: Deferred[None] = Deferred()

    def relay_ended(self, relay: RelayEnd) -> None:
        self.ends.append((relay.fault, relay.upstream, relay.sent, relay.received))
        self.ended.callback(None)


class RelayCase(TestCase):
    """A relay of one client to backends, all on real sockets; only time stands still until the test moves it."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.observer = RelayObserver()
        wheel = TimerWheel(self.clock, 0.5)
        self.clusters = ClusterRegistry(reactor, wheel)  # type: ignore[arg-type]
        self.gateway = TCPGateway(reactor, wheel, self.clusters, Observers([self.observer]), 600.0)  # type: ignore[arg-type]
        self.backend = Backend()
        self.addCleanup(self.backend.close)
        self.client, self.accepted = tcp_pair()
        self.addCleanup(self.client.close)
        self.here = TCPAddress("127.0.0.1", self.backend.port)

    def serve(self, *addresses: Address) -> None:
        """Make these the endpoints, and begin to relay."""
        endpoints = tuple(Endpoint(address) for address in addresses)
        self.clusters.update({"echo": Cluster("echo", Discovery.STATIC, ORIGIN)}, {"echo": endpoints})
        self.begin(downstream(route("echo")))

    def begin(self, client: ConnectionInfo) -> None:
        """Relay the client without looking at its bytes."""
        relay_socket(self.gateway, client, self.accepted)

    def nobody(self) -> TCPAddress:
        """Return an address that refuses."""
        sock = refusing()
        self.addCleanup(sock.close)
        return TCPAddress("127.0.0.1", sock.getsockname()[1])

    def endpoints(self) -> list[EndpointState]:
        state = self.clusters.get("echo")
        assert state is not None
        return state.endpoints

    def check_idle(self) -> None:
        """Check that nothing is left of the relay."""
        self.assertEqual(len(self.observer.ends), 1)
        self.assertEqual(self.gateway.relays, set())
        self.assertEqual([endpoint.active for endpoint in self.endpoints()], [0] * len(self.endpoints()))


class RelayTests(RelayCase):
    async def test_echo(self) -> None:
        """Three megabytes go there and back whole, the client's end is passed on, and so is the backend's."""
        data = bytes(range(256)) * (3 * MEGABYTE // 256)

        def send() -> None:
            self.client.sendall(data)
            self.client.shutdown(socket.SHUT_WR)

        self.serve(self.here)
        results = await gatherResults(
            [in_thread(self.backend.echo), in_thread(send), in_thread(lambda: read_all(self.client))]
        )
        self.assertEqual(results[0], len(data))
        self.assertTrue(results[2] == data)
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, self.here, len(data), len(data))])
        self.assertEqual(self.endpoints()[0].connections, 1)
        self.check_idle()

    async def test_small_messages(self) -> None:
        """Question and answer, many times over, as a database client talks."""

        def talk() -> None:
            for number in range(200):
                message = b"message %d" % number
                self.client.sendall(message)
                answer = b""
                while len(answer) < len(message):
                    answer += self.client.recv(100)
                self.assertEqual(answer, message)
            self.client.close()

        self.serve(self.here)
        await gatherResults([in_thread(talk), in_thread(self.backend.echo)])
        await self.observer.ended
        self.check_idle()

    async def test_backend_talks_first(self) -> None:
        """A backend that greets and ends leaves the client its way until it ends too."""

        def greet() -> bytes:
            connection = self.backend.accept()
            connection.sendall(b"220 hello\r\n")
            connection.shutdown(socket.SHUT_WR)
            return read_all(connection)

        def listen() -> bytes:
            greeting = read_all(self.client)
            self.client.sendall(b"QUIT\r\n")
            self.client.shutdown(socket.SHUT_WR)
            return greeting

        self.serve(self.here)
        self.assertEqual(await gatherResults([in_thread(greet), in_thread(listen)]), [b"QUIT\r\n", b"220 hello\r\n"])
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, self.here, 11, 6)])
        self.check_idle()

    async def test_back_pressure(self) -> None:
        """A backend that does not read stops the client; when it reads again, all that was taken arrives."""
        limit = 64 * MEGABYTE
        self.serve(self.here)
        connection = await in_thread(self.backend.accept)
        taken = await in_thread(lambda: send_until_blocked(self.client, limit))
        self.assertLess(taken, limit // 2)
        self.client.shutdown(socket.SHUT_WR)
        self.assertEqual(len(await in_thread(lambda: read_all(connection))), taken)
        connection.close()
        await self.observer.ended
        self.check_idle()

    async def test_back_pressure_of_the_client(self) -> None:
        """A client that does not read stops the backend in the same way."""
        limit = 64 * MEGABYTE
        self.serve(self.here)
        connection = await in_thread(self.backend.accept)
        taken = await in_thread(lambda: send_until_blocked(connection, limit))
        self.assertLess(taken, limit // 2)
        connection.shutdown(socket.SHUT_WR)
        self.assertEqual(len(await in_thread(lambda: read_all(self.client))), taken)
        self.client.close()
        await self.observer.ended
        self.check_idle()

    async def test_unix(self) -> None:
        """A backend may listen on a UNIX socket."""
        path = self.mktemp()
        backend = Backend(path)
        self.addCleanup(backend.close)

        def ask() -> bytes:
            self.client.sendall(b"ping")
            self.client.shutdown(socket.SHUT_WR)
            return read_all(self.client)

        self.serve(UNIXAddress(path))
        self.assertEqual(await gatherResults([in_thread(backend.echo), in_thread(ask)]), [4, b"ping"])
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, UNIXAddress(path), 4, 4)])
        self.check_idle()

    async def test_refused(self) -> None:
        """A client whose backend refuses is closed."""
        self.serve(self.nobody())
        self.assertEqual(await in_thread(lambda: read_all(self.client)), b"")
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(CONNECT_REFUSED, None, 0, 0)])
        self.assertEqual(self.endpoints()[0].connect_failures, 1)
        self.check_idle()

    async def test_second_endpoint(self) -> None:
        """Where one endpoint refuses the next one serves, and the client notices nothing."""
        self.serve(self.nobody(), self.here)

        def ask() -> bytes:
            self.client.sendall(b"ping")
            self.client.shutdown(socket.SHUT_WR)
            return read_all(self.client)

        self.assertEqual(await gatherResults([in_thread(self.backend.echo), in_thread(ask)]), [4, b"ping"])
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, self.here, 4, 4)])
        self.assertEqual([endpoint.connect_failures for endpoint in self.endpoints()], [1, 0])
        self.check_idle()

    async def test_no_route(self) -> None:
        """A client whom no route takes is closed."""
        self.begin(downstream())
        self.assertEqual(await in_thread(lambda: read_all(self.client)), b"")
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(NO_ROUTE, None, 0, 0)])

    async def test_backend_breaks_off(self) -> None:
        """A backend's reset reaches the client as a reset, never as an end in good order."""
        self.serve(self.here)

        def break_off() -> None:
            connection = self.backend.accept()
            connection.recv(1)
            reset(connection)

        def ask() -> None:
            self.client.sendall(b"?")
            with self.assertRaises(ConnectionResetError):
                read_all(self.client)

        await gatherResults([in_thread(break_off), in_thread(ask)])
        await self.observer.ended
        self.assertEqual(self.observer.ends[0][0], UPSTREAM_CUT_SHORT)
        self.check_idle()

    async def test_client_breaks_off(self) -> None:
        """A client's reset reaches the backend as a reset."""
        self.serve(self.here)
        connection = await in_thread(self.backend.accept)
        self.client.sendall(b"!")
        await in_thread(lambda: connection.recv(1))
        reset(self.client)
        with self.assertRaises(ConnectionResetError):
            await in_thread(lambda: read_all(connection))
        await self.observer.ended
        self.check_idle()

    async def test_idle(self) -> None:
        """When no byte comes either way for the idle time, both connections are ended."""
        self.serve(self.here)
        connection = await in_thread(self.backend.accept)
        self.client.sendall(b"!")
        await in_thread(lambda: connection.recv(1))
        self.clock.pump([0.5] * 1210)
        await self.observer.ended
        self.assertEqual(self.observer.ends[0][0], STREAM_IDLE)
        for sock in (self.client, connection):
            with self.assertRaises(ConnectionResetError):
                await in_thread(lambda sock=sock: read_all(sock))
        self.check_idle()

    async def test_abort(self) -> None:
        """At the end of a drain the relays that are left are reset."""
        self.serve(self.here)
        connection = await in_thread(self.backend.accept)
        self.client.sendall(b"!")
        await in_thread(lambda: connection.recv(1))
        self.gateway.abort_all()
        await self.observer.ended
        self.assertIsNone(self.observer.ends[0][0])
        with self.assertRaises(ConnectionResetError):
            await in_thread(lambda: read_all(self.client))
        self.check_idle()

    async def test_abort_while_connecting(self) -> None:
        """So are those whose backend is not connected yet."""
        self.serve(self.here)
        self.gateway.abort_all()
        await self.observer.ended
        self.assertEqual(self.observer.ends, [(None, None, 0, 0)])
        self.check_idle()


class CopyingTests(RelayTests):
    """All of the above also holds where bytes pass through us."""

    def begin(self, client: ConnectionInfo) -> None:
        stream = Stream(reactor, self.accepted, client.local, client.peer)  # type: ignore[arg-type]
        stream.start(RelayProtocol(client, self.gateway))
