"""
All that serves a Snapshot, and the change from one Snapshot to the next.

A change has three steps: L{DataPlane.contexts} may take its time in a thread,
L{DataPlane.install} binds what is new, which may fail and then changes nothing,
and then replaces everything within one turn of the reactor.
"""

from __future__ import annotations

import errno
import resource
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import cast

from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorFDSet, IReactorPluggableNameResolver, IReactorTime
from twisted.logger import Logger

from edgegate.downstream.dispatch import Dispatch
from edgegate.downstream.listener import DownstreamListener, Serving
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.gateway import HTTPGateway
from edgegate.http.interfaces import Served
from edgegate.http.limits import Limits
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.tls import UpstreamTLS
from edgegate.net.connecting import connect
from edgegate.net.pipe import MOST_PIPES
from edgegate.net.poller import poller
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.observe.events import Observer
from edgegate.routing.snapshot import Listener, Snapshot, prepare
from edgegate.tcp.relay import TCPGateway
from edgegate.tls.client_contexts import ClientContext
from edgegate.tls.sni import ContextMap
from edgegate.upstream.dns.lookups import machine_lookups
from edgegate.upstream.locality import Place
from edgegate.upstream.registry import ClusterRegistry, import_health_checker

log = Logger(namespace=__name__)


@dataclass(frozen=True, slots=True)
class Contexts:
    """
    OpenSSL's contexts.

    @ivar servers: Those of each listener, by what it binds.
    @ivar clients: Those for backends, by the terms on which they are spoken to.
    """

    servers: Mapping[Address, ContextMap] = field(default_factory=dict)
    clients: Mapping[UpstreamTLS, ClientContext] = field(default_factory=dict)


WAIT = 0.01
"""Seconds for which the data plane waits for the next bytes itself, while there are any, before the reactor does."""

LEAVE = 30.0
"""Seconds that connections may go on after their port left the files."""

_PRIVILEGED = 1024
"""The first port that any process may bind, unless the system was told otherwise."""


class CannotBind(Exception):
    """
    A port can't be opened.

    @ivar listener: Which.
    @ivar reason: The system's words.
    """

    def __init__(self, listener: Listener, error: CannotListenError) -> None:
        self.listener = listener
        reason = str(getattr(error.socketError, "strerror", None) or error.socketError)
        self.reason = reason + _ways_out(listener, error)
        super().__init__(f"cannot bind {listener.bind}: {self.reason}")


def _ways_out(listener: Listener, error: CannotListenError) -> str:
    """Return what can be done where a process lacks the right to a port."""
    bind = listener.bind
    denied = getattr(error.socketError, "errno", None) == errno.EACCES
    if not denied or not isinstance(bind, TCPAddress) or bind.port >= _PRIVILEGED:
        return ""
    return (
        f" (a port below {_PRIVILEGED} asks for a right: --map-port {listener.port}:{8000 + bind.port} binds another; "
        "or give CAP_NET_BIND_SERVICE, AmbientCapabilities= of a systemd unit; or lower "
        "net.ipv4.ip_unprivileged_port_start; or start as root with twistd --uid)"
    )


class DataPlane:
    """
    Ports, channels, relays and clusters.

    @ivar snapshot: What is served; THE Snapshot.
    @ivar clusters: The state of its clusters.
    @ivar ports: The open ports, by what they bind.
    @ivar leave: Seconds that connections may go on after their port left the files.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        observer: Observer,
        trusted_hops: int = 0,
        max_connections: int | None = None,
        paths: PathNormalisation = PathNormalisation.BASE,
        proxy_protocol: ProxyProtocolRules = ProxyProtocolRules(),  # noqa: B008 (frozen)
        place: Place = Place(),  # noqa: B008 (frozen)
        dns_servers: tuple[TCPAddress, ...] = (),
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        shadow_hosts: bool = False,
    ) -> None:
        """
        @param observer: Told of what happens; raises nothing: an L{edgegate.observe.observers.Observers} where it may.
        @param trusted_hops: See L{HTTPEnvironment}, as for C{limits} and C{shadow_hosts}.
        @param place: Where the gateway is.
        @param max_connections: Clients' connections at one time; by default what the limit on descriptors allows.
        @param proxy_protocol: On which ports load balancers in front say whose connections are.
        @param dns_servers: Asked for the names of backends in place of those that the system asks.
        """
        self.snapshot = Snapshot()
        self.leave = LEAVE
        self.ports: dict[Address, DownstreamListener] = {}
        self.wheel = wheel = TimerWheel(cast(IReactorTime, reactor))
        names = cast(IReactorPluggableNameResolver, reactor)
        lookups = machine_lookups(reactor, wheel, dns_servers)
        self.clusters = ClusterRegistry(names, wheel, place=place, lookups=lookups)
        self._leaving: dict[DownstreamListener, Deadline] = {}
        self._contexts = Contexts()
        self._max_connections = most_connections() if max_connections is None else max_connections
        watcher = poller(reactor, WAIT)
        connects = partial(connect, watcher, wheel)
        self._environment = HTTPEnvironment(
            connects, wheel, self.clusters, observer, trusted_hops, limits, shadow_hosts
        )
        self._http = HTTPGateway(self._environment, paths)
        self._tcp = TCPGateway(watcher, wheel, self.clusters, observer)
        dispatch = Dispatch(self._http, self._tcp)

        def port(serving: Serving) -> DownstreamListener:
            return DownstreamListener(watcher, wheel, serving, dispatch, observer, self._has_room, proxy_protocol)

        self._port = port

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""
        count = len(self._environment.channels) + len(self._tcp.relays)
        for ports in (self.ports.values(), self._leaving):
            for port in ports:
                count += len(port.pending)
        return count

    @property
    def ended(self) -> bool:
        """Whether nothing is left after L{drain}: no port and no client's connection is open."""
        return not self.connections and not any(port.open for port in self._all_ports())

    def contexts(self, snapshot: Snapshot) -> Contexts:
        """
        Make the OpenSSL contexts of a Snapshot, and whatever else takes its time. Those of servers that did not change
        are kept, with the keys of their session tickets, and so are those for backends, with their sessions. Touches
        nothing that is served: may be called in a thread.

        @raise edgegate.tls.secrets.BadKeyMaterial: A certificate, key, authorities or ciphers are of no use.
        """
        import_health_checker(snapshot.clusters.values())
        prepare(snapshot)
        servers, clients = self._contexts.servers, self._contexts.clients
        terms = {cluster.tls for cluster in snapshot.clusters.values() if cluster.tls is not None}
        return Contexts(
            {listener.bind: ContextMap(listener, servers.get(listener.bind)) for listener in snapshot.listeners},
            {tls: clients.get(tls) or ClientContext(tls) for tls in terms},
        )

    def install(self, snapshot: Snapshot, contexts: Contexts) -> None:
        """
        Serve a Snapshot from now on.

        What was begun under the one before ends under it.

        @raise CannotBind: A port can't be opened; everything is as it was, as it is where anything else goes wrong.
        """
        serving = {listener.bind: Serving(listener, contexts.servers[listener.bind]) for listener in snapshot.listeners}
        fresh = {bind: self._port(each) for bind, each in serving.items() if bind not in self.ports}
        gone = [port for bind, port in self.ports.items() if bind not in serving]
        closed = self._bind(list(fresh.values()), gone)
        try:
            self.clusters.update(snapshot.clusters, contexts.clients)
            for port in fresh.values():
                port.accept()
        except Exception:
            self._roll_back(list(fresh.values()), closed)
            self.clusters.update(self.snapshot.clusters, self._contexts.clients)
            raise
        for bind, port in self.ports.items():
            if bind in serving:
                port.serving = serving[bind]
        self.ports = {bind: fresh.get(bind) or self.ports[bind] for bind in serving}
        self.snapshot = snapshot
        self._contexts = contexts
        for port in gone:
            self._leave(port)
        self._renew_channels()

    def drain(self) -> None:
        """
        Close all ports, and let every connection end with what is under way on it.

        Who has connected is served, were its connection still in the kernel's backlog or in the middle of its
        handshake: L{ended} tells when that is over.
        """
        for port in self._all_ports():
            port.withdraw()
        self._http.drain()

    def abort(self) -> None:
        """Close all ports and end every connection now."""
        for port in self._all_ports():
            port.close()
            port.abort()
        self._http.abort()
        self._tcp.abort_all()

    def stop(self) -> None:
        """Leave nothing behind: no idle connection, no timer."""
        for port in self._all_ports():
            port.close()
        self.clusters.stop()
        self._http.stop()
        self.wheel.stop()

    # ------------------------------------------------------------------------------------------------------------------

    def _all_ports(self) -> Iterator[DownstreamListener]:
        yield from self.ports.values()
        yield from self._leaving

    def _has_room(self) -> bool:
        return self.connections < self._max_connections

    def _bind(self, fresh: list[DownstreamListener], gone: list[DownstreamListener]) -> list[DownstreamListener]:
        """Bind new ports, all or none. What has to make room for them is closed first, and returned."""
        numbers = {_number(port) for port in fresh}
        in_the_way = [port for port in gone if _number(port) in numbers]
        for port in in_the_way:
            port.close()
        for port in self._leaving:
            # it left the files before, but may not be closed yet
            if isinstance(port.local, TCPAddress) and port.local.port in numbers:
                port.close()
        try:
            for port in fresh:
                try:
                    port.bind()
                except CannotListenError as error:
                    raise CannotBind(port.listener, error) from None
        except Exception:
            self._roll_back(fresh, in_the_way)
            raise
        return in_the_way

    def _roll_back(self, fresh: list[DownstreamListener], closed: list[DownstreamListener]) -> None:
        """Close new ports, and open those again that made room for them, as far as that can be done."""
        for port in fresh:
            port.close()
        for port in closed:
            try:
                port.bind()
                port.accept()
            except Exception as error:
                words = CannotBind(port.listener, error) if isinstance(error, CannotListenError) else error
                log.error("{words}, as it was before: it is closed until a reload opens it", words=str(words))
                del self.ports[port.listener.bind]
                self._leave(port)

    def _leave(self, port: DownstreamListener) -> None:
        port.withdraw()
        deadline = self._leaving[port] = Deadline(self.wheel, partial(self._left, port))
        deadline.start(self.leave)

    def _left(self, port: DownstreamListener) -> None:
        """A port has been closed for long enough: end what is still open of it."""
        del self._leaving[port]
        port.abort()
        for connection in (*self._environment.channels, *self._tcp.relays):
            if connection.downstream.entry is port:
                connection.abort()

    def _renew_channels(self) -> None:
        """Let kept connections go on under the new Snapshot, or end with the answer that is under way."""
        for channel in tuple(self._environment.channels):
            try:
                _renew(channel)
            except Exception:
                # what is wrong with one of them is no matter of the others
                log.failure("a connection could not go over to new files")


def _renew(channel: Served) -> None:
    port = cast(DownstreamListener, channel.downstream.entry)
    current = port.current(channel.downstream)
    if port.leaving:
        channel.retire()
    elif current is None:
        channel.drain()
    else:
        channel.move(current)


def most_connections() -> int:
    """
    Return how many connections the limit on descriptors allows: each needs one, and mostly one more to a backend; what
    is relayed by the kernel needs pipes too.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1 << 20
    return max((limit - 2 * MOST_PIPES) // 2 - 32, 16)


def _number(port: DownstreamListener) -> int | None:
    bind = port.listener.bind
    return bind.port if isinstance(bind, TCPAddress) else None
