"""Tests of L{edgegate.upstream.shared_stream}: how requests come to a stream of a connection that carries many."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, INTERNAL, OVERFLOW
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, HTTPVersion, PoolLimits
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.new_stream import new_stream
from edgegate.upstream.registry import ClusterRegistry
from edgegate.upstream.shared_pool import SharedConnection
from edgegate.upstream.shared_stream import PendingSharedStream
from tests.upstream.test_new_stream import ORIGIN, FakeConnection, FakeConnector, FakeStream, Sink
from tests.upstream.test_shared_pool import FakeConnection as Shared


class SharingConnector(FakeConnector):
    """
    Makes connections that carry many requests.

    @ivar room: Of the next connection; 0: it carries one request at a time.
    @ivar shared: What was made.
    """

    def __init__(self) -> None:
        super().__init__()
        self.room = 2
        self.shared: list[Shared] = []

    def share(
        self, connection: Any, endpoint: EndpointState, counted: CircuitBreaker | None
    ) -> SharedConnection | None:
        if not self.room:
            return None
        shared = Shared(self.room)
        self.shared.append(shared)
        return shared

    def connected(self, which: int = -1) -> FakeConnection:
        """A connection is made."""
        connection = FakeConnection()
        self.asked[which][0](connection)
        return connection


class PendingSharedStreamTests(SynchronousTestCase):
    """One endpoint."""

    def setUp(self) -> None:
        self.connector = SharingConnector()
        self.serve()

    def serve(self, **limits: Any) -> None:
        """Have a cluster with some limits."""
        registry = ClusterRegistry(cast(Any, None), TimerWheel(Clock(), 0.5), Random(1))
        cluster = Cluster("web", Discovery.STATIC, ORIGIN, 2.0, limits=PoolLimits(**limits), http=HTTPVersion.HTTP2)
        registry.update({"web": cluster}, {"web": (Endpoint(TCPAddress("10.0.0.1", 80)),)})
        found = registry.get("web")
        assert found is not None
        self.cluster = found
        self.endpoint = found.endpoints[0]

    def ask(self, fails: bool = False) -> tuple[Sink, Any]:
        """Ask for a stream."""
        sink = Sink(fails)
        return sink, new_stream(sink, self.cluster, self.endpoint, None, self.connector, shares=True)

    def counts(self) -> tuple[int, int, int]:
        """Return connections, requests without one, and those who wait for the cluster's limits."""
        breaker = self.endpoint.circuit_breaker
        assert breaker is not None
        return breaker.connections, breaker.pending, breaker.waiting

    def reused(self, *sinks: Sink) -> list[list[bool]]:
        """Return whether the streams that sinks were given were used before."""
        return [[each[1] for each in sink.told if isinstance(each, tuple)] for sink in sinks]

    def test_together(self) -> None:
        """All wait for one connection as long as it will have room for all; then for two."""
        self.serve(streams=2)
        sinks = [self.ask()[0] for _ in range(3)]
        self.assertEqual(len(self.connector.asked), 2)
        self.connector.connected(0)
        self.assertEqual(self.reused(*sinks), [[False], [True], []])
        self.connector.connected(1)
        self.assertEqual(self.reused(*sinks), [[False], [True], [False]])
        self.assertEqual(self.endpoint.connections, 2)

    def test_less_room(self) -> None:
        """Where a connection has less room than was thought the others look for another one."""
        sinks = [self.ask()[0] for _ in range(3)]
        self.assertEqual(len(self.connector.asked), 1)
        self.connector.connected()
        self.assertEqual(len(self.connector.asked), 2)
        self.connector.connected()
        self.assertEqual(self.reused(*sinks), [[False], [True], [False]])

    def test_fails(self) -> None:
        """All who waited are told why there is none; nothing is counted any more."""
        self.serve(connections=1, pending=9)
        sinks = [self.ask()[0] for _ in range(2)]
        self.assertEqual(self.counts(), (1, 2, 0))
        self.connector.asked[0][1](CONNECT_REFUSED)
        self.assertEqual([sink.told for sink in sinks], [[CONNECT_REFUSED]] * 2)
        self.assertEqual(self.counts(), (0, 0, 0))
        self.assertEqual(self.endpoint.connect_failures, 1)

    def test_cancelled(self) -> None:
        """The last one who leaves ends the connect; one who waits at the limits leaves them."""
        self.serve(connections=1, pending=9, streams=1)
        (_, first), (_, second) = self.ask(), self.ask()
        self.assertEqual(self.counts(), (1, 2, 1))
        second.cancel()
        self.assertEqual((self.counts(), self.connector.cancelled), ((1, 1, 0), 0))
        first.cancel()
        self.assertEqual((self.counts(), self.connector.cancelled), ((0, 0, 0), 1))

    def test_overflow(self) -> None:
        """More than may wait are refused."""
        self.serve(pending=1)
        self.assertIsInstance(self.ask()[1], PendingSharedStream)
        self.assertIs(self.ask()[1], OVERFLOW)

    def test_offered(self) -> None:
        """Who waits at the limits takes a stream that becomes free, if it is one of many."""
        self.serve(connections=1, streams=1)
        self.ask()
        sink, waiting = self.ask()
        alone = FakeStream(self.endpoint)
        self.assertFalse(waiting.offered(alone))
        self.endpoint.pool.sharing().refused = True
        self.assertTrue(waiting.offered(alone))
        self.assertEqual(sink.told, [(alone, True)])

    def test_alone(self) -> None:
        """Where the endpoint speaks HTTP/1 only each has a connection of its own, also the next ones."""
        self.connector.room = 0
        sinks = [self.ask()[0] for _ in range(2)]
        self.connector.connected()
        self.assertEqual((self.reused(*sinks), len(self.connector.asked)), ([[False], []], 2))
        self.connector.connected()
        self.assertEqual(self.reused(*sinks), [[False], [False]])
        self.assertEqual(self.endpoint.connections, 2)

    def test_alone_for_nobody(self) -> None:
        """A connection that carries one request, and whose waiters had room elsewhere meanwhile, is closed."""
        self.serve(connections=2, streams=1)
        sinks = [self.ask()[0] for _ in range(2)]
        self.connector.connected(0)
        (shared,) = self.connector.shared
        shared.free = 1
        self.endpoint.pool.sharing().room_came(shared)
        self.assertEqual(self.reused(*sinks), [[False], [True]])
        self.connector.room = 0
        self.connector.connected(1)
        (alone,) = self.connector.made
        self.assertTrue(alone.closed)
        self.assertEqual(self.counts()[:2], (1, 0))

    def test_alone_that_breaks(self) -> None:
        """Where what speaks on it can't be made all who wait are told, and nothing is left of it."""
        self.serve(connections=1)
        self.connector.room, self.connector.fails = 0, True
        sinks = [self.ask()[0] for _ in range(2)]
        connection = self.connector.connected()
        self.assertEqual([sink.told for sink in sinks], [[INTERNAL]] * 2)
        self.assertTrue(connection.aborted)
        self.assertEqual(self.counts(), (0, 0, 0))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_sink_that_breaks(self) -> None:
        """Who fails at its stream loses it, and the others go on."""
        for room, which in ((2, 1), (0, 0)):
            self.connector = SharingConnector()
            self.serve()
            self.connector.room = room
            (bad, _), (good, _) = self.ask(True), self.ask()
            connection = self.connector.connected()
            self.assertEqual((bad.told, connection.aborted), (["broke"], not room))
            if not room:
                self.connector.connected()
            self.assertEqual(self.reused(good), [[bool(which)]])
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
