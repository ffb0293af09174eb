"""The way from a route to a connected endpoint."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from edgegate.errors import INTERNAL, NO_CLUSTER, NO_HEALTHY_UPSTREAM, OVERFLOW, Fault
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import HashSource, LoadBalancer
from edgegate.model.routes import WeightedCluster
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.observe.events import RelayEnd
from edgegate.observe.metrics.connection_metrics import count_opened
from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.balancing.original_dst import destination_key
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.registry import ClusterRegistry, ClusterState, EndpointState

ATTEMPTS = 3
"""Endpoints that are tried for one connection."""


class Connect(Protocol):
    """Begin to connect to an address; L{edgegate.net.connecting.connect} with the reactor and the wheel given."""

    def __call__(
        self,
        address: Address,
        timeout: float,
        connected: Callable[[Stream], None],
        failed: Callable[[Fault], None],
        options: ConnectionOptions | None = None,
    ) -> Connecting: ...


@dataclass(slots=True)
class Reached:
    """
    A backend that was connected to for a relay.

    @ivar begun: Whether L{begin} was called, and not L{end}.
    @ivar counted: Where the connection is counted until it is no more; L{None}: nowhere.
    @ivar idle_timeout: Seconds without a byte, as the cluster has it; L{None}: it says nothing.
    """

    stream: Stream
    endpoint: EndpointState
    counted: CircuitBreaker | None = None
    idle_timeout: float | None = None
    begun: bool = False

    def begin(self, end: RelayEnd) -> None:
        """The relay begins; take note of where it leads."""
        endpoint = self.endpoint
        self.begun = True
        endpoint.active += 1
        end.cluster, end.upstream, end.upstream_local = endpoint.cluster, endpoint.address, self.stream.local
        end.meter = endpoint.meter
        count_opened(end)

    def end(self) -> None:
        """The relay has ended, and the connection. May be called again."""
        if self.begun:
            self.begun = False
            self.endpoint.active -= 1
        counted, self.counted = self.counted, None
        if counted is not None:
            counted.closed()


class Dial:
    """
    Connect to a route's destination: draw a cluster, wait for its addresses, try its endpoints in turn.

    Ends in one call of C{connected} or C{failed}, unless it is cancelled; C{failed} is called too if C{connected}
    raises. The
    stream belongs to who is called, and is not started yet; its handshake of TLS,
    if the cluster speaks that, is done. Each try lasts at
    most the cluster's C{connect_timeout}.
    """

    __slots__ = ("_cluster", "_connect", "_connected", "_connecting", "_counted", "_downstream", "_failed", "_tried")

    def __init__(
        self,
        connect: Connect,
        connected: Callable[[Reached], None],
        failed: Callable[[Fault], None],
        downstream: ConnectionInfo,
    ) -> None:
        """
        @param downstream: The connection that it is for.
        """
        self._connect = connect
        self._connected = connected
        self._failed = failed
        self._downstream = downstream
        self._tried: list[EndpointState] = []
        self._cluster: ClusterState | None = None
        self._connecting: Connecting | None = None
        self._counted: CircuitBreaker | None = None

    def start(self, clusters: ClusterRegistry, destinations: tuple[WeightedCluster, ...]) -> None:
        """Begin; C{failed} may be called before this returns."""
        destination = clusters.pick(destinations)
        cluster = None if destination is None else clusters.get(destination.cluster)
        if cluster is None:
            self._fail(NO_CLUSTER)
            return
        if cluster.hosts is not None:
            named = cluster.hosts.of(self._downstream.server_name)
            if isinstance(named, Fault):
                self._fail(named)
                return
            cluster = named
        self._cluster = cluster
        cluster.when_resolved(self._resolved)

    def cancel(self) -> None:
        """Connect no more and call nobody. Does nothing once it has ended."""
        self._cluster = None
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        self._uncount()
        self._let_go()

    def broke(self) -> None:
        """An error of ours was raised on the way: there is no backend."""
        failed = self._failed
        self.cancel()
        failed(INTERNAL)

    @contained
    def _resolved(self) -> None:
        cluster = self._cluster
        if cluster is None:
            return
        key = connection_key(cluster.cluster.balancer, self._downstream) if cluster.keyed else None
        endpoint = cluster.next(key)
        if endpoint is None:
            self._fail(NO_HEALTHY_UPSTREAM)
        else:
            self._try(cluster, endpoint)

    def _try(self, cluster: ClusterState, endpoint: EndpointState) -> None:
        circuit_breaker = endpoint.circuit_breaker
        if circuit_breaker is not None and not circuit_breaker.connect():
            # nothing of a stream of bytes can wait for another connection to be free
            self._fail(OVERFLOW)
            return
        self._counted = circuit_breaker
        self._tried.append(endpoint)
        transport_socket = cluster.transport_socket
        options = None if transport_socket is None else transport_socket.for_relay(self._downstream)
        if self._downstream.ssl_request:
            options = _asking(options, self._downstream.tls)
        self._connecting = self._connect(
            endpoint.address, cluster.cluster.connect_timeout, self._connect_made, self._connect_failed, options
        )

    @contained
    def _connect_made(self, stream: Stream) -> None:
        reached: Reached | None = None
        try:
            endpoint = self._tried[-1]
            if self._cluster is not None:
                self._cluster.connected(endpoint)
            endpoint.connected()
            reached = Reached(stream, endpoint, self._counted, endpoint.limits.tcp_idle)
            self._cluster = self._connecting = self._counted = None
            self._connected(reached)
        except Exception:
            stream.abortConnection()
            if reached is not None:
                reached.end()
            raise
        self._let_go()

    def _fail(self, fault: Fault) -> None:
        failed, self._cluster = self._failed, None
        self._let_go()
        failed(fault)

    def _let_go(self) -> None:
        """Whoever dials knows us: neither is to keep the other in memory."""
        self._connected, self._failed = _nobody_reaches, _nobody_fails

    def _uncount(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            counted.closed()

    @contained
    def _connect_failed(self, fault: Fault) -> None:
        self._connecting = None
        self._uncount()
        self._tried[-1].not_connected(fault)
        cluster = self._cluster
        if cluster is None:
            return
        cluster.failed(self._tried[-1])
        following = next(cluster.others(self._tried), None) if len(self._tried) < ATTEMPTS else None
        if following is None:
            self._fail(fault)
        else:
            self._try(cluster, following)


def _asking(options: ConnectionOptions | None, ended: bool) -> ConnectionOptions | None:
    """
    Return how the connection to a PostgreSQL backend begins, for a client that asked for TLS in its way.

    The backend is asked likewise where it is to speak TLS: with the client, or with us where the client's has ended.
    What is inside a TLS of ours with which the client's goes on is not ours to say.
    """
    found = options or ConnectionOptions()
    return replace(found, ssl_request=True) if ended == (found.tls is not None) else options


def _nobody_reaches(reached: Reached) -> None:
    pass


def _nobody_fails(fault: Fault) -> None:
    pass


def connection_key(balancer: LoadBalancer, downstream: ConnectionInfo) -> int | None:
    """Return the key of a connection of which nothing but its addresses is known; L{None}: it goes anywhere."""
    rule, peer = balancer.hash, downstream.peer
    if rule is None:
        return destination_key(downstream.local)
    if rule.source is HashSource.SOURCE_IP and isinstance(peer, TCPAddress):
        return hash64(peer.host.encode())
    return None
