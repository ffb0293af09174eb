"""Tests of L{edgegate.upstream.pending_stream}; how one is asked for is tested with L{edgegate.upstream.new_stream}."""

from __future__ import annotations

from random import Random
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, OVERFLOW
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, PoolLimits
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.pending_stream import PendingStream
from edgegate.upstream.registry import ClusterRegistry
from tests.upstream.test_new_stream import ORIGIN, FakeConnection, FakeConnector, FakeStream, Sink

KEYED = ConnectionOptions("a", b"", None, None)


class PendingStreamTests(SynchronousTestCase):
    """A cluster of one endpoint, which lets one connection be made."""

    def setUp(self) -> None:
        registry = ClusterRegistry(cast(Any, None), TimerWheel(Clock(), 0.5), Random(1))
        cluster = Cluster("web", Discovery.STATIC, ORIGIN, 2.0, limits=PoolLimits(connections=1))
        registry.update({"web": cluster}, {"web": (Endpoint(TCPAddress("10.0.0.1", 80)),)})
        found = registry.get("web")
        assert found is not None
        self.cluster = found
        self.endpoint = found.endpoints[0]
        self.connector = FakeConnector()
        self.sink = Sink()

    def pending(self, options: ConnectionOptions | None = None) -> PendingStream:
        """Make one that has not begun."""
        return PendingStream(self.sink, self.cluster, self.endpoint, options, self.connector)

    def counts(self) -> tuple[int, int, int]:
        """Return connections, requests without one, and those who wait."""
        breaker = self.endpoint.circuit_breaker
        assert breaker is not None
        return breaker.connections, breaker.pending, breaker.waiting

    def test_waits_and_connects(self) -> None:
        """The second waits until the first is no more, and connects in its place."""
        first, second = self.pending(), self.pending()
        self.assertIs(first.begin(), first)
        self.assertIs(second.begin(), second)
        self.assertEqual(self.counts(), (1, 2, 1))
        self.connector.asked[0][1](CONNECT_REFUSED)
        self.assertEqual((self.sink.told, self.counts()), ([CONNECT_REFUSED], (1, 1, 0)))
        self.connector.asked[1][0](FakeConnection())
        self.assertEqual(self.sink.told[1:], [(self.connector.made[0], False)])
        self.assertEqual(self.counts(), (1, 0, 0))

    def test_does_not_wait(self) -> None:
        """One that may not wait has nothing where there is no room."""
        self.pending().connect()
        self.assertIs(self.pending().connect(), OVERFLOW)

    def test_cancelled(self) -> None:
        """Nothing is counted any more of one that nobody wants, and cancelling it again is nothing."""
        first, second = self.pending(), self.pending()
        first.begin()
        second.begin()
        for _ in range(2):
            second.cancel()
            self.assertEqual(self.counts(), (1, 1, 0))
        for _ in range(2):
            first.cancel()
            self.assertEqual((self.counts(), self.connector.cancelled), ((0, 0, 0), 1))

    def test_offered(self) -> None:
        """It takes a stream that was made for its like, and no other."""
        pending = self.pending(KEYED)
        self.assertFalse(pending.offered(FakeStream(self.endpoint)))
        stream = FakeStream(self.endpoint, key=KEYED.key)
        self.assertTrue(pending.offered(stream))
        self.assertEqual(self.sink.told, [(stream, True)])

    def test_stream_that_can_not_be_made(self) -> None:
        """Then its connection is ended and not counted, and the sink is told of the error."""
        self.connector.fails = True
        self.pending().begin()
        connection = FakeConnection()
        self.connector.asked[0][0](connection)
        self.assertEqual((connection.aborted, self.sink.told, self.counts()), (True, ["broke"], (0, 0, 0)))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
