"""Tests of L{edgegate.upstream.new_stream}: how whoever asks an endpoint gets a stream to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from random import Random
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, OVERFLOW, Fault
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, PoolLimits
from edgegate.model.origin import Origin
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.new_stream import new_stream
from edgegate.upstream.pending_stream import Connector, PendingStream
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.registry import ClusterRegistry
from edgegate.upstream.shared_pool import SharedConnection

ORIGIN = Origin("web.yaml", 1, "ServiceEntry default/web")
KEYED = ConnectionOptions("a", b"", None, None)


class FakeStream(PooledStream):
    """A stream that carries nothing."""

    def __init__(self, endpoint: EndpointState, counted: CircuitBreaker | None = None, key: Hashable = None) -> None:
        self.endpoint = endpoint
        self.counted = counted
        self.key = key
        self.old = self.closed = False

    @property
    def worn(self) -> bool:
        return self.old

    def close(self) -> None:
        self.closed = True
        if self.counted is not None:
            self.counted.closed()


class FakeConnection:
    """A connection that was made."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class FakeConnector(Connector):
    """Keeps what is asked of it; itself a connect under way."""

    def __init__(self) -> None:
        self.asked: list[tuple[Callable[[Any], None], Callable[[Fault], None]]] = []
        self.cancelled = 0
        self.made: list[FakeStream] = []
        self.fails = self.refuses = False

    def connect(self, address: Any, timeout: float, connected: Any, failed: Any, options: Any) -> Any:
        if self.refuses:
            raise ZeroDivisionError
        self.asked.append((connected, failed))
        return self

    def cancel(self) -> None:
        self.cancelled += 1

    def stream(self, connection: Any, endpoint: EndpointState, counted: CircuitBreaker | None) -> PooledStream:
        if self.fails:
            raise ZeroDivisionError
        self.made.append(FakeStream(endpoint, counted))
        return self.made[-1]

    def share(
        self, connection: Any, endpoint: EndpointState, counted: CircuitBreaker | None
    ) -> SharedConnection | None:
        return None


class Sink:
    """Keeps what it is told."""

    def __init__(self, fails: bool = False) -> None:
        self.told: list[object] = []
        self.fails = fails

    def stream_ready(self, stream: PooledStream, reused: bool) -> None:
        if self.fails:
            raise ZeroDivisionError
        self.told.append((stream, reused))

    def stream_failed(self, fault: Fault) -> None:
        self.told.append(fault)

    def broke(self) -> None:
        self.told.append("broke")


class NewStreamTests(SynchronousTestCase):
    """One cluster."""

    def setUp(self) -> None:
        """Nobody has asked yet."""
        self.connector = FakeConnector()
        self.serve()

    def serve(self, limits: PoolLimits = PoolLimits(), endpoints: int = 1) -> None:  # noqa: B008 (frozen)
        """Have a cluster with some limits."""
        registry = ClusterRegistry(cast(Any, None), TimerWheel(Clock(), 0.5), Random(1))
        members = tuple(Endpoint(TCPAddress(f"10.0.0.{n + 1}", 80)) for n in range(endpoints))
        registry.update({"web": Cluster("web", Discovery.STATIC, ORIGIN, 2.0, limits=limits)}, {"web": members})
        cluster = registry.get("web")
        assert cluster is not None
        self.cluster = cluster
        self.endpoint = cluster.endpoints[0]

    def ask(
        self, sink: Sink | None = None, options: ConnectionOptions | None = None, **how: bool
    ) -> PooledStream | PendingStream | Fault:
        """Ask for a stream."""
        return new_stream(sink or Sink(), self.cluster, self.endpoint, options, self.connector, **how)

    def pending(self, sink: Sink | None = None, options: ConnectionOptions | None = None) -> PendingStream:
        """Ask for one that is not there yet."""
        found = self.ask(sink, options)
        assert isinstance(found, PendingStream), found
        return found

    def counts(self) -> tuple[int, int, int]:
        """Return connections, requests without one, and those who wait."""
        breaker = self.endpoint.circuit_breaker
        assert breaker is not None
        return breaker.connections, breaker.pending, breaker.waiting

    def test_idle(self) -> None:
        """One that is idle is there at once; nobody is called."""
        idle, sink = FakeStream(self.endpoint), Sink()
        self.endpoint.pool.give(idle)
        self.assertIs(self.ask(sink), idle)
        self.assertEqual((sink.told, self.connector.asked), ([], []))

    def test_worn(self) -> None:
        """Where connections grow too old, such a one is closed and the next is looked at."""
        self.serve(PoolLimits(connection_duration=5.0))
        young, old = FakeStream(self.endpoint), FakeStream(self.endpoint)
        old.old = True
        self.endpoint.pool.give(young)
        self.endpoint.pool.give(old)
        self.assertIs(self.ask(), young)
        self.assertTrue(old.closed)

    def test_fresh(self) -> None:
        """Who wants a new connection gets no idle one."""
        self.endpoint.pool.give(FakeStream(self.endpoint))
        self.assertIsInstance(self.ask(fresh=True), PendingStream)
        self.assertEqual(len(self.connector.asked), 1)

    def test_connected(self) -> None:
        """A connection is made, and counted by its endpoint."""
        sink = Sink()
        self.assertIn("connects", repr(self.pending(sink)))
        self.connector.asked[0][0](FakeConnection())
        self.assertEqual(sink.told, [(self.connector.made[0], False)])
        self.assertEqual((self.endpoint.connections, self.endpoint.connect_failures), (1, 0))

    def test_unconnected(self) -> None:
        """Or it is not."""
        sink = Sink()
        self.pending(sink)
        self.connector.asked[0][1](CONNECT_REFUSED)
        self.assertEqual(sink.told, [CONNECT_REFUSED])
        self.assertEqual((self.endpoint.connections, self.endpoint.connect_failures), (0, 1))

    def test_cancelled(self) -> None:
        """Who gives up while it connects hears nothing, and takes up no room."""
        self.serve(PoolLimits(connections=1))
        sink = Sink()
        pending = self.pending(sink)
        self.assertEqual(self.counts(), (1, 1, 0))
        pending.cancel()
        pending.cancel()
        self.assertEqual((self.connector.cancelled, sink.told, self.counts()), (1, [], (0, 0, 0)))

    def test_waiting(self) -> None:
        """Without room one waits for a stream that is free, unless that was made for something else."""
        self.serve(PoolLimits(connections=1))
        keyed, plain = Sink(), Sink()
        self.pending()
        self.connector.asked[0][0](FakeConnection())
        self.pending(keyed, KEYED)
        self.assertIn("waits", repr(self.pending(plain)))
        self.assertEqual(self.counts(), (1, 2, 2))
        breaker = self.endpoint.circuit_breaker
        assert breaker is not None
        stream = self.connector.made[0]
        self.assertTrue(breaker.offer(stream))
        self.assertEqual((keyed.told, plain.told), ([], [(stream, True)]))
        self.assertEqual(self.counts(), (1, 1, 1))
        stream.close()
        self.assertEqual((len(self.connector.asked), self.counts()), (2, (1, 1, 0)))

    def test_gives_up_waiting(self) -> None:
        """Who waits may give up."""
        self.serve(PoolLimits(connections=1))
        self.pending()
        self.pending().cancel()
        self.assertEqual(self.counts(), (1, 1, 0))

    def test_free_elsewhere(self) -> None:
        """Without room one of another endpoint that is idle will do."""
        self.serve(PoolLimits(connections=1), endpoints=2)
        self.pending()
        other = FakeStream(self.cluster.endpoints[1])
        self.cluster.endpoints[1].pool.give(other)
        self.assertIs(self.ask(), other)
        self.assertEqual(self.counts(), (1, 1, 0))

    def test_too_many(self) -> None:
        """Where too many are without a connection already, there is none, at once."""
        self.serve(PoolLimits(pending=1))
        self.pending()
        self.assertIs(self.ask(), OVERFLOW)
        self.assertEqual(self.counts()[1], 1)

    def test_not_worth_waiting(self) -> None:
        """What is not worth waiting for has none where there is no room, and is not counted among those who wait."""
        self.serve(PoolLimits(connections=1))
        self.assertIsInstance(self.ask(waits=False), PendingStream)
        self.assertEqual(self.counts(), (1, 0, 0))
        self.assertIs(self.ask(waits=False), OVERFLOW)
        self.connector.asked[0][1](CONNECT_REFUSED)
        self.assertEqual(self.counts(), (0, 0, 0))

    def test_errors(self) -> None:
        """An error of ours leaves nothing counted and no connection, and whoever asked is told."""
        self.serve(PoolLimits(connections=1))
        self.connector.refuses = True
        self.assertRaises(ZeroDivisionError, self.ask)
        self.assertRaises(ZeroDivisionError, self.ask, waits=False)
        self.assertEqual(self.counts(), (0, 0, 0))
        self.connector.refuses = False
        self.connector.fails = True
        sink, connection = Sink(), FakeConnection()
        self.pending(sink)
        self.connector.asked[0][0](connection)
        self.assertEqual((sink.told, connection.aborted, self.counts()), (["broke"], True, (0, 0, 0)))
        self.connector.fails = False
        sink, connection = Sink(fails=True), FakeConnection()
        self.pending(sink)
        self.connector.asked[1][0](connection)
        self.assertEqual((sink.told, connection.aborted), (["broke"], True))
        # it is counted until it is no more
        self.assertEqual(self.counts(), (1, 0, 0))
        self.connector.made[-1].close()
        self.assertEqual(self.counts(), (0, 0, 0))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
