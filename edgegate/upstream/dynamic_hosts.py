# Hot path: asked once per request to a cluster of C{DYNAMIC_DNS}.
"""
The hosts of a cluster that stands for every name of a wildcard, as clients ask for them.

Envoy's dynamic forward proxy: each name has the state of a cluster of its own,
with one address of the name at a time, from the first request until nobody has
asked for it for a while. Only names within the wildcard are looked up, whatever
a client says: it is no way to the gateway's own network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from edgegate.errors import NO_HEALTHY_UPSTREAM, OVERFLOW, Fault
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery
from edgegate.model.hosts import covers
from edgegate.net.wheel import Deadline
from edgegate.upstream.cluster import ClusterState, NamedHosts
from edgegate.upstream.dns.answers import is_askable
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.environment import ClusterEnvironment
from edgegate.upstream.transport_socket import TransportSocket

MAX_HOSTS: Final = 1024
"""Names of one cluster at a time (Envoy's default of C{max_hosts})."""

UNUSED: Final = 300.0
"""Seconds after which a name that nobody asks for is forgotten (Envoy's default of C{host_ttl})."""

LOOK: Final = 30.0
"""Seconds between two looks at who is unused."""


class _Host:
    """A name with its state, and when it was asked for last."""

    __slots__ = ("state", "used")

    def __init__(self, state: ClusterState, used: float) -> None:
        self.state = state
        self.used = used


class DynamicHosts(NamedHosts):
    """The names that are known of one cluster. Made by a L{ClusterRegistry}, as is the state of the cluster itself."""

    __slots__ = ("_assigned", "_cluster", "_environment", "_hosts", "_look", "_state", "_transport_socket", "_wheel")

    def __init__(self, environment: ClusterEnvironment, state: ClusterState) -> None:
        """
        @param state: Of the cluster, whose limits are those of all its names together.
        """
        self._environment = environment
        self._wheel = environment.wheel
        self._state = state
        self._cluster: Cluster = state.cluster
        self._assigned = state.assigned
        self._transport_socket: TransportSocket | None = state.transport_socket
        # in the order of their last use
        self._hosts: dict[str, _Host] = {}
        self._look = Deadline(self._wheel, self._forget_unused)

    def of(self, name: str) -> ClusterState | Fault:
        """
        Return the state of a name that a client asks for, or why it has none.

        @param name: In normal form; empty for a client that says none.
        """
        host = self._hosts.pop(name, None)
        if host is None:
            endpoints = self._assigned
            address = endpoints[0].address if endpoints else None
            if not isinstance(address, TCPAddress) or not covers(address.host, name) or not is_askable(name):
                return NO_HEALTHY_UPSTREAM
            if len(self._hosts) >= MAX_HOSTS and not self._make_room():
                return OVERFLOW
            host = _Host(self._begin(name, address.port), 0.0)
        host.used = self._wheel.now
        self._hosts[name] = host
        return host.state

    def follow(self) -> None:
        """Go over to what new files say of the cluster: where that differs, every name begins anew."""
        state = self._state
        now = state.cluster, state.assigned, state.transport_socket
        if now != (self._cluster, self._assigned, self._transport_socket):
            self.retire()
            self._cluster, self._assigned, self._transport_socket = now

    def retire(self) -> None:
        """Forget all names; what has begun may go on."""
        self._look.stop()
        hosts, self._hosts = self._hosts, {}
        for host in hosts.values():
            host.state.retire()

    def stop(self) -> None:
        """Forget all names at once; who waits is called back and finds no endpoint."""
        self._look.end()
        hosts, self._hosts = self._hosts, {}
        for host in hosts.values():
            host.state.stop()

    def endpoints(self) -> Iterator[EndpointState]:
        """Yield the addresses of all names, for the admin pages."""
        for host in self._hosts.values():
            yield from host.state.endpoints

    def __len__(self) -> int:
        return len(self._hosts)

    def _begin(self, name: str, port: int) -> ClusterState:
        cluster, transport_socket = self._cluster, self._transport_socket
        endpoint = replace(self._assigned[0], address=TCPAddress(name, port))
        named = replace(cluster, discovery=Discovery.LOGICAL_DNS)
        state = ClusterState(self._environment, named, (endpoint,), self._state)
        if transport_socket is not None:
            service = f"{transport_socket.cluster.rpartition('|')[0]}|{name}"
            state.meet(replace(transport_socket, cluster=service))
        if not self._hosts:
            self._look.start(LOOK)
        return state

    def _make_room(self) -> bool:
        """Forget the name that was unused for longest, if there is one that nobody uses now."""
        for name, host in self._hosts.items():
            if not host.state.busy:
                del self._hosts[name]
                host.state.retire()
                return True
        return False

    def _forget_unused(self) -> None:
        oldest = self._wheel.now - UNUSED
        for name, host in list(self._hosts.items()):
            if host.used > oldest:
                break
            if not host.state.busy:
                del self._hosts[name]
                host.state.retire()
        if self._hosts:
            self._look.start(LOOK)

    def __repr__(self) -> str:
        return f"<DynamicHosts {self._state.name}: {len(self._hosts)}>"
