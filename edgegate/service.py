"""
The gateway as a Twisted service: it holds the Snapshot, opens what it says, and ends in good order.
"""

from __future__ import annotations

import resource
from functools import partial
from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorFDSet, IReactorPluggableNameResolver, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger

from edgegate.downstream.dispatch import Dispatch
from edgegate.downstream.listener import DownstreamListener
from edgegate.http.gateway import HTTPGateway
from edgegate.net.connecting import connect
from edgegate.net.poller import poller
from edgegate.net.wheel import TimerWheel
from edgegate.observe.counters import Counters
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.tcp.relay import TCPGateway
from edgegate.tls.sni import ContextMap
from edgegate.upstream.registry import ClusterRegistry

log = Logger()

DRAIN = 30.0
"""Seconds that requests and relays may go on after the gateway was told to end."""

_LOOK = 0.1
"""Seconds between two looks at whether a drain is done."""


class GatewayService(Service):
    """
    Serves one Snapshot.

    @ivar snapshot: What is served; THE Snapshot.
    @ivar counters: What happened so far.
    @ivar listeners: The ports that are, or will be, open.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        snapshot: Snapshot,
        trusted_hops: int = 0,
        max_connections: int | None = None,
        drain: float = DRAIN,
    ) -> None:
        """
        @param trusted_hops: See L{HTTPGateway}.
        @param max_connections: Clients' connections at one time; by default what the limit on descriptors allows.
        @param drain: Seconds that C{stopService} waits for what is under way.
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        self.snapshot = snapshot
        self.counters = Counters()
        self._clock = clock = cast(IReactorTime, reactor)
        self._drain = drain
        self._opened = False
        self._max_connections = most_connections() if max_connections is None else max_connections
        self._wheel = wheel = TimerWheel(clock)
        watcher = poller(reactor)
        self._clusters = clusters = ClusterRegistry(cast(IReactorPluggableNameResolver, reactor), wheel)
        clusters.update(snapshot.clusters)
        self._http = HTTPGateway(partial(connect, watcher, wheel), wheel, clusters, self.counters, trusted_hops)
        self._tcp = TCPGateway(watcher, wheel, clusters, self.counters)
        dispatch = Dispatch(self._http, self._tcp)
        self.listeners = [
            DownstreamListener(watcher, wheel, listener, ContextMap(listener), dispatch, self.counters, self._has_room)
            for listener in snapshot.listeners
        ]

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""
        arrivals = sum(len(listener.arrivals) for listener in self.listeners)
        return len(self._http.channels) + len(self._tcp.relays) + arrivals

    def privilegedStartService(self) -> None:
        """
        Open the ports, while the process may still open those below 1024.

        @raise SystemExit: One cannot be bound; what is wrong was logged in one line, and the others are closed again.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._open()

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        opened: list[DownstreamListener] = []
        for listener in self.listeners:
            try:
                listener.open()
            except CannotListenError as error:
                for other in opened:
                    other.close()
                origin = listener.listener.origin
                log.critical(
                    "cannot bind {address} for {resource} ({origin}): {reason}",
                    address=str(listener.listener.bind),
                    resource=origin.resource,
                    origin=str(origin),
                    reason=getattr(error.socketError, "strerror", None) or str(error.socketError),
                )
                raise SystemExit(1) from None
            opened.append(listener)

    def startService(self) -> None:
        """
        Say what is served.

        @raise SystemExit: See L{privilegedStartService}, which C{twist} leaves out.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._open()
        if not self.listeners:
            log.info("no listener is open: no Gateway says so")
            return
        for listener in self.listeners:
            log.info(
                "serving {kinds} on {address}{mapped} for {hosts} ({origin})",
                kinds=_kinds(listener.listener),
                address=str(listener.local),
                mapped=_mapped(listener.listener),
                hosts=_hosts(listener.listener),
                origin=str(listener.listener.origin),
            )

    def stopService(self) -> Deferred[None]:
        """
        Close the ports, let requests and relays end, then reset what is left.

        @return: Fires when nothing is left.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        for listener in self.listeners:
            listener.close()
            listener.abort()
        self._http.drain()
        if self.connections:
            count = self.connections
            log.info("draining {count} connections for up to {seconds:g} seconds", count=count, seconds=self._drain)
        until = self._clock.seconds() + self._drain
        looking = LoopingCall(self._look, until)
        looking.clock = self._clock
        self._looking = looking
        done: Deferred[None] = looking.start(_LOOK, now=True).addCallback(self._ended)
        return done

    def _look(self, until: float) -> None:
        """End the drain when nothing is under way, or its time is over."""
        if self.connections:
            if self._clock.seconds() < until:
                return
            log.info("resetting {count} connections", count=self.connections)
            self._http.abort()
            self._tcp.abort_all()
        self._looking.stop()

    def _ended(self, _: object) -> None:
        self._clusters.stop()
        self._wheel.stop()

    def _has_room(self) -> bool:
        return self.connections < self._max_connections


def most_connections() -> int:
    """
    Return how many connections the limit on descriptors allows: each needs one, and mostly one more to a backend.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return 1 << 20
    return max(limit // 2 - 32, 16)


def _kinds(listener: Listener) -> str:
    chains = [listener.plain] if listener.plain is not None else []
    chains.extend(chain for _, chain in listener.secure.items())
    names = []
    for chain in chains:
        secure = chain is not listener.plain
        if chain.http is not None:
            name = "HTTPS" if secure else "HTTP"
        else:
            name = "TCP" if not secure else "TLS" if chain.tls is not None else "TLS passthrough"
        if name not in names:
            names.append(name)
    return " and ".join(names)


def _hosts(listener: Listener) -> str:
    names = [] if listener.plain is None else list(listener.plain.hosts)
    names.extend(name for name, _ in listener.secure.items() if name not in names)
    shown = ", ".join(names[:4])
    return shown if len(names) <= 4 else f"{shown} and {len(names) - 4} more"


def _mapped(listener: Listener) -> str:
    bound = getattr(listener.bind, "port", listener.port)
    return "" if bound == listener.port else f" (port {listener.port} of the files)"
