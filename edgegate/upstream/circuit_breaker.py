# Hot path: asked once per connection of clusters that have limits.
"""
What a cluster is asked for at one time, and who waits until it may be asked for more.

Istio's C{connectionPool}, Envoy's circuit breakers. Pure: it counts what it is
told of, and calls those who wait.
"""

from __future__ import annotations

from collections import deque
from typing import Protocol

from edgegate.model.clusters import PoolLimits
from edgegate.net.containment import broke
from edgegate.upstream.pooled_stream import PooledStream


class Waiter(Protocol):
    """A request that waits for a connection. It is called at most once, and not after L{CircuitBreaker.give_up}."""

    def offered(self, stream: PooledStream) -> bool:
        """A stream of the cluster is free: take it, or say that it is of no use."""

    def may_connect(self) -> None:
        """There is room for one more connection, which is counted already."""

    def broke(self) -> None:
        """One of the others failed by an error of ours: see L{edgegate.net.containment}."""


class CircuitBreaker:
    """
    The limits of one cluster, and what is in use.

    @ivar limits: See L{replace}.
    @ivar connections: To all endpoints, those that are being made included.
    @ivar pending: Requests without a connection: waiting for one, or for it to be made.
    @ivar requests: Requests under way, the pending ones included.
    """

    __slots__ = ("_waiting", "connections", "limits", "pending", "requests")

    def __init__(self, limits: PoolLimits) -> None:
        self.limits = limits
        self.connections = self.pending = self.requests = 0
        self._waiting: deque[Waiter] = deque()

    def __repr__(self) -> str:
        return (
            f"<CircuitBreaker {self.connections} connections, {self.pending} pending, {self.requests} requests,"
            f" {len(self._waiting)} waiting>"
        )

    @property
    def waiting(self) -> int:
        """Requests that wait for room."""
        return len(self._waiting)

    def enter(self) -> bool:
        """A request begins, if it may; L{leave} follows."""
        most = self.limits.requests
        if most is not None and self.requests >= most:
            return False
        self.requests += 1
        return True

    def leave(self) -> None:
        """A request that entered has ended."""
        self.requests -= 1

    def need(self) -> bool:
        """A request needs a connection that there is not, if it may wait for one; L{end_need} follows."""
        most = self.limits.pending
        if most is not None and self.pending >= most:
            return False
        self.pending += 1
        return True

    def end_need(self) -> None:
        """The request has its connection, or will never have one."""
        self.pending -= 1

    def connect(self) -> bool:
        """Count one more connection, if there is room; L{closed} follows."""
        most = self.limits.connections
        if most is not None and self.connections >= most:
            return False
        self.connections += 1
        return True

    def closed(self) -> None:
        """A connection that was counted is no more."""
        self.connections -= 1
        self._admit()

    def replace(self, limits: PoolLimits) -> None:
        """Go over to other limits: what is in use beyond them goes on, and those who wait have what room is new."""
        self.limits = limits
        self._admit()

    def wait(self, waiter: Waiter) -> None:
        """Call a waiter when its turn comes."""
        self._waiting.append(waiter)

    def give_up(self, waiter: Waiter) -> None:
        """Call a waiter no more, if it waits."""
        if waiter in self._waiting:
            self._waiting.remove(waiter)

    def _admit(self) -> None:
        while self._waiting and self.connect():
            waiter = self._waiting.popleft()
            try:
                waiter.may_connect()
            except Exception:
                # it is called by the end of another's connection, which is not to suffer for it
                self.connections -= 1
                broke(waiter)

    def offer(self, stream: PooledStream) -> bool:
        """A stream is free: return whether one of those who wait has taken it, the first who can."""
        for waiter in self._waiting:
            try:
                taken = waiter.offered(stream)
            except Exception:
                broke(waiter)
                self.give_up(waiter)
                return False
            if taken:
                self._waiting.remove(waiter)
                return True
        return False


def limited(limits: PoolLimits) -> bool:
    """Whether there is anything to count."""
    return any(each is not None for each in (limits.connections, limits.pending, limits.requests))
