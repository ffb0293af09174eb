# Hot path: asked for limits, time and clusters by each request.
"""What all of HTTP's connections, routers and filters share; it knows none of them."""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from random import Random
from time import time
from typing import Final

from twisted.internet.interfaces import IDelayedCall

from edgegate.access.state import GuardStates
from edgegate.http.field_block import FieldBlock
from edgegate.http.guards.key_sets import KeySets
from edgegate.http.held_bytes import HeldBytes
from edgegate.http.interfaces import Droppable, Served
from edgegate.http.limits import Limits
from edgegate.net.loop_lag import LoopLag
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.observe.observers import Observers
from edgegate.overload.limits import NO_LIMIT, OverloadLimits
from edgegate.tls.acme.challenges import ChallengeAnswers
from edgegate.upstream.pending_stream import Connector
from edgegate.upstream.registry import ClusterRegistry

FINE_TICK: Final = 0.01
"""Seconds to which the timeouts of routes and tries are kept."""


class HTTPEnvironment:
    """
    The part of HTTP that outlives connections: clusters, limits, time, and which connections there are.

    @ivar connector: Makes connections to backends.
    @ivar trusted_hops: How many proxies in front of the gateway are trusted to say who the client is.
    @ivar shadow_hosts: Whether copies for mirrors have C{-shadow} behind their host.
    @ivar connections: The clients' connections that are open, those that became tunnels or are being closed included.
    @ivar shadows: The copies that are on their way to mirrors.
    @ivar access: What guards keep from one change of the files to the next.
    @ivar challenges: What is answered to authorities that issue certificates; L{None}: nothing.
    @ivar key_sets: The keys of tokens that are fetched.
    @ivar lag: How late the loop is.
    @ivar most_requests: How many may be under way.
    @ivar connection_requests: How many a connection may carry.
    @ivar shed: Requests that were refused because too many were under way.
    @ivar shed_late: Those that were because the loop was late.
    @ivar shed_of_buffers: Those that were because too many bytes waited.
    @ivar shed_of_clients: Requests that were refused because their clients had too many.
    @ivar observer: Told of connections and requests; raises nothing.
    @ivar kept_bodies: Bytes that are kept of requests' bodies, for streams that are not there yet or for other tries.
    @ivar http2_bytes: What connections of HTTP/2 clients keep until somebody goes on.
    @ivar wheel: For what protects the gateway.
    @ivar fine_wheel: For the times that the files say.
    @ivar random: Draws shares and waits.
    """

    __slots__ = (
        "_date",
        "_date_second",
        "access",
        "challenges",
        "clusters",
        "connection_requests",
        "connections",
        "connector",
        "fine_wheel",
        "http2_bytes",
        "kept_bodies",
        "key_sets",
        "lag",
        "limits",
        "most_requests",
        "observer",
        "random",
        "shadow_hosts",
        "shadows",
        "shed",
        "shed_late",
        "shed_of_buffers",
        "shed_of_clients",
        "trusted_hops",
        "wheel",
    )

    def __init__(
        self,
        connector: Connector,
        wheel: TimerWheel,
        clusters: ClusterRegistry,
        observer: Observers,
        trusted_hops: int = 0,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        shadow_hosts: bool = False,
        overload: OverloadLimits = OverloadLimits(),  # noqa: B008 (frozen)
        lag: LoopLag | None = None,
        key_authorities: bytes = b"",
    ) -> None:
        """
        @param key_authorities: See L{KeySets}.
        """
        self.connector = connector
        self.wheel = wheel
        self.fine_wheel = TimerWheel(wheel.clock, FINE_TICK)
        self.random: Random = clusters.random
        self.clusters = clusters
        self.observer = observer
        self.trusted_hops = trusted_hops
        self.limits = limits
        self.shadow_hosts = shadow_hosts
        self.access = GuardStates(clusters.environment.processes)
        self.challenges: ChallengeAnswers | None = None
        self.key_sets = KeySets(wheel.clock, key_authorities)
        self.most_requests = overload.requests
        self.connection_requests = overload.connection_requests
        self.lag = LoopLag(NO_LIMIT) if lag is None else lag
        self.shed = self.shed_of_clients = self.shed_late = self.shed_of_buffers = 0
        self.connections: set[Served] = set()
        self.shadows: set[Droppable] = set()
        self.kept_bodies = 0
        self.http2_bytes = HeldBytes(limits.http2_bytes)
        self._date = FieldBlock()
        self._date_second = 0

    def connection_began(self, connection: Served) -> None:
        """HTTP is spoken on a client's connection."""
        self.connections.add(connection)
        if self.observer.wants_connections:
            self.observer.connection_began(connection.downstream)

    def connection_replaced(self, connection: Served, successor: Served) -> None:
        """Another serves a client's connection from now on, and sees it end."""
        self.connections.add(successor)
        self.connections.discard(connection)

    def connection_ended(self, connection: Served) -> None:
        """A connection is no more. May be called again."""
        if connection in self.connections:
            self.connections.remove(connection)
            if self.observer.wants_connections:
                self.observer.connection_ended(connection.downstream)

    def deadline(self, seconds: float, expired: Callable[[], None]) -> Deadline:
        """Set a time of the files' by which something must have happened; the caller ends it."""
        # a time that may be milliseconds counts from now, not from the wheel's last turn
        self.fine_wheel.look()
        deadline = Deadline(self.fine_wheel, expired)
        deadline.start(seconds)
        return deadline

    def call_later(self, seconds: float, work: Callable[[], None]) -> IDelayedCall:
        """Call once after a time, to the millisecond; for what few requests need."""
        return self.wheel.clock.callLater(seconds, work)

    def date(self) -> FieldBlock:
        """Return the C{date} of this second (RFC 9110 section 6.6.1)."""
        now = time()
        second = int(now)
        if second != self._date_second:
            self._date_second = second
            self._date = FieldBlock((b"date", formatdate(now, usegmt=True).encode("ascii")))
        return self._date
