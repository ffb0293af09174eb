"""Tests for L{edgegate.upstream.endpoint_set}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address
from edgegate.model.clusters import Endpoint, PoolLimits
from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.meters import Meters
from edgegate.upstream.cluster_limits import ClusterLimits
from edgegate.upstream.endpoint_set import EndpointSet
from tests.upstream.backends import static
from tests.upstream.test_pool import FakeConnection
from tests.upstream.test_registry import tcp


class EndpointSetTests(SynchronousTestCase):
    """What is kept for each address of a cluster."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.limits = ClusterLimits(static("web").cluster)
        self.set = EndpointSet(static("web").cluster, TimerWheel(self.clock), self.limits, Meters())

    def have(self, *addresses: Address) -> None:
        self.set.replace([(address, Endpoint(address, 2)) for address in addresses])

    def connection(self, index: int, key: str | None = None) -> FakeConnection:
        """Leave an idle connection to an endpoint."""
        connection = FakeConnection(key=key)
        self.set.endpoints[index].pool.give(connection)
        return connection

    def test_kept_by_address(self) -> None:
        """An address that stays keeps its state wherever it stands; the list before is left as it was."""
        self.have(tcp(1), tcp(2))
        before = self.set.endpoints
        one, two = before
        kept, lost = self.connection(1), self.connection(0)
        self.clock.advance(3)
        self.have(tcp(2), tcp(3))
        self.assertEqual((before, self.set.endpoints[0]), ([one, two], two))
        self.assertEqual((kept.closed, lost.closed), (False, True))
        self.assertEqual([endpoint.since for endpoint in self.set.endpoints], [0.0, 3.0])
        self.assertEqual(self.set.endpoints[1].cluster, "web")

    def test_named_twice(self) -> None:
        """An address that is there twice is one endpoint, with both weights and what is said of it first."""
        first = Endpoint(tcp(1), 2, locality="eu/a")
        self.set.replace([(tcp(1), first), (tcp(1), Endpoint(tcp(1), 3))])
        (endpoint,) = self.set.endpoints
        self.assertEqual((endpoint.weight, endpoint.said), (5, first))

    def test_pool_is_handed_on(self) -> None:
        """Another address in place of the only one may go on with its connections."""
        self.have(tcp(1))
        connection = self.connection(0)
        self.set.replace([(tcp(2), Endpoint(tcp(2)))], self.set.endpoints[0].pool)
        self.assertFalse(connection.closed)
        self.assertIs(self.set.endpoints[0].pool.take(), connection)

    def test_busy(self) -> None:
        """It is busy while any endpoint is."""
        self.have(tcp(1), tcp(2))
        self.assertFalse(self.set.busy)
        self.set.endpoints[1].active = 1
        self.assertTrue(self.set.busy)

    def test_limits(self) -> None:
        """Endpoints know the limits when they come, and new ones when they are told."""
        self.have(tcp(1))
        self.limits.replace(static("web").having(limits=PoolLimits(connections=3)).cluster)
        self.set.rebound()
        self.have(tcp(1), tcp(2))
        self.assertEqual({endpoint.circuit_breaker for endpoint in self.set.endpoints}, {self.limits.circuit_breaker})
        self.assertEqual([endpoint.limits.connections for endpoint in self.set.endpoints], [3, 3])

    def test_close_idle(self) -> None:
        """What is idle can be closed while others are kept later."""
        self.have(tcp(1))
        before = self.connection(0)
        self.set.close_idle()
        after = self.connection(0)
        self.assertEqual((before.closed, after.closed), (True, False))

    def test_close(self) -> None:
        """After the close nothing is kept idle, by endpoints that come later neither."""
        self.have(tcp(1))
        before = self.connection(0)
        self.set.close()
        self.have(tcp(1), tcp(2))
        after = [self.connection(index) for index in range(2)]
        self.assertEqual([each.closed for each in (before, *after)], [True, True, True])

    def test_free_one(self) -> None:
        """One that is idle is found with any endpoint that is fit, by its key."""
        self.have(tcp(1), tcp(2), tcp(3))
        self.set.endpoints[0].ejected = True
        self.connection(0, "a")
        self.connection(1, "b")
        third = self.connection(2, "a")
        self.assertIs(self.set.free_one("a"), third)

    def test_free_one_makes_room(self) -> None:
        """Where none has the key, one of another key makes room, and no more than one."""
        self.have(tcp(1), tcp(2))
        idle = [self.connection(0, "b"), self.connection(1, "b")]
        self.assertIsNone(self.set.free_one("a"))
        self.assertEqual([each.closed for each in idle], [True, False])
