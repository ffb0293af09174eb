"""Tests for L{edgegate.upstream.cluster_limits}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Cluster, PoolLimits, RetryShare
from edgegate.upstream.cluster_limits import ClusterLimits
from edgegate.upstream.pool import IDLE_LIFETIME
from tests.upstream.backends import static
from tests.upstream.members import member


def limited(limits: PoolLimits, share: RetryShare | None = None) -> Cluster:
    """Return a cluster with limits."""
    return static("web").having(limits=limits, retry_share=share).cluster


class ClusterLimitsTests(SynchronousTestCase):
    """What a cluster may be asked for."""

    def test_none(self) -> None:
        """Where the files limit nothing, nothing is counted."""
        limits = ClusterLimits(static("web").cluster)
        endpoint = member(1)
        limits.bound(endpoint)
        self.assertIsNone(limits.circuit_breaker)
        self.assertEqual((endpoint.circuit_breaker, endpoint.pool.lifetime), (None, IDLE_LIFETIME))

    def test_bound(self) -> None:
        """An endpoint knows all of them."""
        limits = ClusterLimits(limited(PoolLimits(connections=2, http_idle=7.0)))
        endpoint = member(1)
        limits.bound(endpoint)
        self.assertIs(endpoint.circuit_breaker, limits.circuit_breaker)
        self.assertEqual((endpoint.limits.connections, endpoint.pool.lifetime), (2, 7.0))

    def test_divided(self) -> None:
        """Of several processes each asks for its part, rounded up; what new files say is divided, too."""
        everything = PoolLimits(connections=10, pending=1, requests=7, retries=3, requests_per_connection=9, streams=8)
        limits = ClusterLimits(limited(everything, RetryShare(0.5, 3)), processes=4)
        breaker = limits.circuit_breaker
        assert breaker is not None
        divided = PoolLimits(connections=3, pending=1, requests=2, retries=1, requests_per_connection=9, streams=8)
        self.assertEqual(breaker.limits, divided)
        self.assertEqual((limits.retry_budget.limit, limits.retry_budget.share), (1, RetryShare(0.5, 1)))
        limits.replace(limited(PoolLimits(connections=8)))
        self.assertEqual(breaker.limits, PoolLimits(connections=2))

    def test_replaced(self) -> None:
        """New limits count for what is counted already, also where there are none any more."""
        limits = ClusterLimits(limited(PoolLimits(requests=1)))
        breaker = limits.circuit_breaker
        assert breaker is not None
        self.assertEqual((breaker.enter(), breaker.enter()), (True, False))
        limits.replace(limited(PoolLimits(requests=2)))
        self.assertEqual((breaker.enter(), breaker.enter()), (True, False))
        limits.replace(static("web").cluster)
        self.assertIs(limits.circuit_breaker, breaker)
        self.assertTrue(breaker.enter())

    def test_come_later(self) -> None:
        """A cluster that had none may get some."""
        limits = ClusterLimits(static("web").cluster)
        limits.replace(limited(PoolLimits(requests=1)))
        self.assertIsNotNone(limits.circuit_breaker)

    def test_retries(self) -> None:
        """The retry budget stays the same one, with what was taken out of it."""
        limits = ClusterLimits(limited(PoolLimits(retries=1)))
        budget = limits.retry_budget
        self.assertEqual((budget.spend(), budget.spend()), (True, False))
        limits.replace(limited(PoolLimits(retries=2), RetryShare(0.2, 9)))
        self.assertIs(limits.retry_budget, budget)
        self.assertEqual((budget.spend(), budget.spend()), (True, False))

    def test_shared(self) -> None:
        """Limits that several have together are counted together; those of one's own are not then."""
        whole = ClusterLimits(limited(PoolLimits(requests=1)))
        part = ClusterLimits(limited(PoolLimits(requests=1)), whole.circuit_breaker)
        self.assertIs(part.circuit_breaker, whole.circuit_breaker)
