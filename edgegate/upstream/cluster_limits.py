# Compiled: values that hot modules read.
"""What a cluster may be asked for at one time, and how often again: its circuit breaker and its retry budget."""

from __future__ import annotations

from edgegate.model.clusters import Cluster, RetryShare
from edgegate.upstream.circuit_breaker import CircuitBreaker, limited
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pool import IDLE_LIFETIME
from edgegate.upstream.retry_budget import RetryBudget


class ClusterLimits:
    """
    The limits of one cluster. What is counted stays counted when they change.

    @ivar retry_budget: What may still be tried again.
    @ivar circuit_breaker: What it may be asked for at one time; L{None}: as much as anybody wants.
    """

    __slots__ = ("_limits", "_processes", "circuit_breaker", "retry_budget")

    def __init__(self, cluster: Cluster, shared: CircuitBreaker | None = None, processes: int = 1) -> None:
        """
        @param shared: That of several clusters together, which counts in place of one of its own.
        @param processes: How many divide the limits among them.
        """
        self._processes = processes
        self._limits = limits = cluster.limits.divided(processes)
        self.retry_budget = RetryBudget(limits.retries, self._retry_share(cluster))
        own = CircuitBreaker(limits) if limited(limits) else None
        self.circuit_breaker: CircuitBreaker | None = own if shared is None else shared

    def replace(self, cluster: Cluster) -> None:
        """Go over to what new files say; every endpoint is to be L{bound} anew."""
        self._limits = limits = cluster.limits.divided(self._processes)
        self.retry_budget.limit, self.retry_budget.share = limits.retries, self._retry_share(cluster)
        if self.circuit_breaker is not None:
            self.circuit_breaker.replace(limits)
        elif limited(limits):
            self.circuit_breaker = CircuitBreaker(limits)

    def _retry_share(self, cluster: Cluster) -> RetryShare | None:
        share = cluster.retry_share
        return None if share is None else share.divided(self._processes)

    def bound(self, endpoint: EndpointState) -> None:
        """Let an endpoint, and those who use it, know them."""
        endpoint.circuit_breaker, endpoint.limits = self.circuit_breaker, self._limits
        endpoint.pool.lifetime = self._limits.http_idle or IDLE_LIFETIME
