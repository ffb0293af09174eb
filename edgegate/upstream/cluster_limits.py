# Compiled: values that hot modules read.
"""What a cluster may be asked for at one time, and how often again: its circuit breaker and its retry budget."""

from __future__ import annotations

from edgegate.model.clusters import Cluster
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

    __slots__ = ("_limits", "circuit_breaker", "retry_budget")

    def __init__(self, cluster: Cluster, shared: CircuitBreaker | None = None) -> None:
        """
        @param shared: That of several clusters together, which counts in place of one of its own.
        """
        self._limits = cluster.limits
        self.retry_budget = RetryBudget(cluster.limits.retries, cluster.retry_share)
        own = CircuitBreaker(cluster.limits) if limited(cluster.limits) else None
        self.circuit_breaker: CircuitBreaker | None = own if shared is None else shared

    def replace(self, cluster: Cluster) -> None:
        """Go over to what new files say; every endpoint is to be L{bound} anew."""
        self._limits = limits = cluster.limits
        self.retry_budget.limit, self.retry_budget.share = limits.retries, cluster.retry_share
        if self.circuit_breaker is not None:
            self.circuit_breaker.replace(limits)
        elif limited(limits):
            self.circuit_breaker = CircuitBreaker(limits)

    def bound(self, endpoint: EndpointState) -> None:
        """Let an endpoint, and those who use it, know them."""
        endpoint.circuit_breaker, endpoint.limits = self.circuit_breaker, self._limits
        endpoint.pool.lifetime = self._limits.http_idle or IDLE_LIFETIME
