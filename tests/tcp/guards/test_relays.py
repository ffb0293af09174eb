"""Tests for relays whose connections meet guards, and for L{edgegate.tcp.guards.address_list}."""

from __future__ import annotations

from dataclasses import replace

from edgegate.errors import CONNECTION_DENIED
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.guard import Guard
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.stream import Stream
from edgegate.tcp.copying import RelayProtocol
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.guards.interfaces import WAITING, ConnectionEnvironment, ConnectionFilter, Decided
from tests.access.test_address_list import addresses
from tests.http.guards.guards import ORIGIN, TestGuard
from tests.tcp.peers import in_thread, read_all
from tests.tcp.test_relay import RelayCase
from tests.tcp.test_routes import downstream, route


class Asking(ConnectionFilter):
    """Asks somebody about each connection."""

    name = "asking"

    def __init__(self, guard: Guard, environment: ConnectionEnvironment) -> None:
        self.decided: list[Decided] = []
        ASKED.append(self)

    def judge(self, connection: ConnectionInfo, decided: Decided) -> object:  # type: ignore[override]
        """It is said later."""
        self.decided.append(decided)
        return WAITING


ASKED: list[Asking] = []
LOCAL = AddressList("n/local", ORIGIN, deny=addresses("127.0.0.0/8"))


class GuardedRelayTests(RelayCase):
    """Connections that are relayed where guards stand."""

    def begin_guarded(self, *guards: Guard, copies: bool = False) -> None:
        """Begin to relay a client, by splicing or by copying."""
        ASKED.clear()
        self.gateway = TCPGateway(
            self.gateway.reactor,
            self.gateway.wheel,
            self.clusters,
            self.gateway.observer,
            600.0,
            guards={AddressList: self.gateway._kinds[AddressList], TestGuard: Asking},
        )
        connection = downstream(route("echo"))
        connection = replace(connection, chain=replace(connection.chain, guards=guards))
        if copies:
            client = Stream(self.gateway.reactor, self.accepted, connection.local, connection.peer)
            client.start(RelayProtocol(connection, self.gateway))
        else:
            self.begin(connection)

    async def test_refused(self) -> None:
        """Who is refused is closed, and no backend is connected; the log says why."""
        for copies in (False, True):
            self.setUp()
            self.serve_nothing()
            self.begin_guarded(LOCAL, copies=copies)
            self.assertEqual(await in_thread(lambda: read_all(self.client)), b"")
            await self.observer.ended
            (end,) = self.observer.ends
            self.assertEqual(end, (replace(CONNECTION_DENIED, details="address_list_denied[n/local]"), None, 0, 0))
            self.assertEqual(self.gateway.relays, set())

    async def test_asked(self) -> None:
        """One that is asked about waits, and is relayed when it may be."""
        self.serve_nothing()
        self.begin_guarded(TestGuard("n/a", ORIGIN), replace(LOCAL, deny=addresses("192.0.2.1")))
        self.assertEqual(len(self.gateway.relays), 1)
        ASKED[0].decided[0](None)
        self.client.sendall(b"hello")
        self.client.shutdown(1)
        await in_thread(self.backend.echo)
        self.assertEqual(await in_thread(lambda: read_all(self.client)), b"hello")
        await self.observer.ended

    async def test_aborted(self) -> None:
        """One that ends while it waits is not relayed, whatever is said of it then."""
        for copies in (False, True):
            self.setUp()
            self.serve_nothing()
            self.begin_guarded(TestGuard("n/a", ORIGIN), copies=copies)
            self.gateway.abort_all()
            await self.observer.ended
            ASKED[0].decided[0](None)
            self.assertEqual((len(self.observer.ends), self.gateway.relays), (1, set()))

    def serve_nothing(self) -> None:
        """Let there be a backend, with nobody who is relayed to it yet."""
        begin, self.begin = self.begin, lambda client: None  # type: ignore[method-assign]
        self.serve(self.here)
        self.begin = begin  # type: ignore[method-assign]
