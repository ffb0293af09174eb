# Hot path: finds what answers each request.
"""
What all HTTP channels share: clusters, limits, time, and which resource answers a request.

Routing is Istio's: the filter chain was chosen by SNI, within its route table
the virtual host is chosen by C{Host}, within that the first route whose
conditions hold.
"""

from __future__ import annotations

from collections.abc import Callable
from email.utils import formatdate
from random import Random
from time import time
from typing import TYPE_CHECKING, Final

from twisted.internet.interfaces import IDelayedCall

from edgegate.errors import MISDIRECTED, NO_ROUTE, SCHEME_MISMATCH, Fault
from edgegate.http.exchange import Exchange
from edgegate.http.fields import request_roles
from edgegate.http.h1.downstream_connection import HTTP1Channel
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.interfaces import IResource, Served
from edgegate.http.limits import Limits
from edgegate.http.resources import FaultResource, FilteredResource, HTTPSRedirectResource, ReverseProxyResource
from edgegate.http.target import PathNormalisation
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.observe.events import Observer
from edgegate.routing.snapshot import Address, HTTPRoute, VirtualHost
from edgegate.upstream.registry import ClusterRegistry

if TYPE_CHECKING:
    from edgegate.http.router.shadow import Shadow

FINE_TICK: Final = 0.01
"""Seconds to which the timeouts of routes and tries are kept."""

Connect = Callable[
    [Address, float, Callable[[Stream], None], Callable[[Fault], None], ConnectionOptions | None], Connecting
]


class HTTPGateway:
    """
    The part of HTTP that outlives connections.

    @ivar trusted_hops: How many proxies in front of the gateway are trusted to say who the client is.
    @ivar shadow_hosts: Whether copies for mirrors have C{-shadow} behind their host.
    @ivar heads: Parses the heads of requests, whose paths it brings to their normal form.
    @ivar channels: The clients' connections that are open, those that became tunnels or are being closed included.
    @ivar shadows: The copies that are on their way to mirrors.
    @ivar observer: Told of each request that ended; raises nothing.
    @ivar wheel: For what protects the gateway.
    @ivar fine_wheel: For the times that the files say.
    @ivar random: Draws shares and waits.
    """

    def __init__(
        self,
        connect: Connect,
        wheel: TimerWheel,
        clusters: ClusterRegistry,
        observer: Observer,
        trusted_hops: int = 0,
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        paths: PathNormalisation = PathNormalisation.BASE,
        shadow_hosts: bool = False,
    ) -> None:
        """
        @param connect: Opens a stream to an address, given seconds; L{edgegate.net.connecting.connect} on a reactor.
        """
        self.connect = connect
        self.wheel = wheel
        self.fine_wheel = TimerWheel(wheel.clock, FINE_TICK)
        self.random: Random = clusters.random
        self.clusters = clusters
        self.observer = observer
        self.trusted_hops = trusted_hops
        self.limits = limits
        self.heads = HeadParser(limits, paths, request_roles(trusted_hops > 0, limits.underscores))
        self.shadow_hosts = shadow_hosts
        self.channels: set[Served] = set()
        self.shadows: set[Shadow] = set()
        self._filtered = FilteredResource(self)
        self._proxy = ReverseProxyResource(self)
        self._no_route = FaultResource(NO_ROUTE)
        self._misdirected = FaultResource(MISDIRECTED)
        self._scheme_mismatch = FaultResource(SCHEME_MISMATCH)
        self._redirects: dict[int, HTTPSRedirectResource] = {}
        self._date = b""
        self._date_second = 0

    def channel(self, downstream: ConnectionInfo) -> HTTP1Channel:
        """Return the protocol for a client's new connection."""
        channel = HTTP1Channel(downstream, self)
        self.channels.add(channel)
        return channel

    def channel_ended(self, channel: Served) -> None:
        """A connection is no more."""
        self.channels.discard(channel)

    def drain(self) -> None:
        """Let every connection end with the response that is under way on it, or to the request on its way."""
        for channel in tuple(self.channels):
            channel.drain()

    def abort(self) -> None:
        """End every connection now: the end of a drain."""
        for channel in tuple(self.channels):
            channel.abort()
        for shadow in tuple(self.shadows):
            shadow.drop()

    def stop(self) -> None:
        """Leave no timer behind."""
        self.fine_wheel.stop()

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

    def resource_for(self, exchange: Exchange) -> IResource:
        """Find what answers an exchange, and take note of its route."""
        head = exchange.head
        if head.special and head.path != b"*" and exchange.scheme != b"https":
            # who takes the connection for one of TLS asks nothing more of it (Envoy)
            exchange.channel.keep_no_longer()
            return self._scheme_mismatch
        found = virtual_host(exchange.channel.downstream, head.host)
        if isinstance(found, Fault):
            return self._misdirected if found is MISDIRECTED else self._no_route
        port = found.redirect_port
        # behind a trusted proxy that ends TLS the client has followed the redirect already
        if port is not None and not (self.trusted_hops and exchange.scheme == b"https"):
            redirect = self._redirects.get(port)
            if redirect is None:
                redirect = self._redirects[port] = HTTPSRedirectResource(port)
            return redirect
        route = found.select(exchange)
        if route is None or (head.special and head.path == b"*" and not _names_a_path(route)):
            return self._no_route
        exchange.route = route
        return self._filtered if route.filtered else self._proxy

    def date_line(self) -> bytes:
        """Return the C{date} field of this second (RFC 9110 section 6.6.1)."""
        now = time()
        second = int(now)
        if second != self._date_second:
            self._date_second = second
            self._date = b"date: %b\r\n" % formatdate(now, usegmt=True).encode("ascii")
        return self._date


def _names_a_path(route: HTTPRoute) -> bool:
    """Whether a route asks for a path. In Istio one that does not takes those that begin with a slash: not C{*}."""
    return any(match.uri is not None for match in route.matches)


def virtual_host(downstream: ConnectionInfo, host: str) -> VirtualHost | Fault:
    """
    Find the virtual host of a request.

    Over TLS the host must belong to the server that the SNI name chose. One of
    another server on the same port is served where both have the same TLS
    rules (browsers use one connection for all names that its certificate
    covers), and is misdirected (RFC 9110 section 15.5.20) where they differ:
    else a client could pass by the certificate that its host demands.
    """
    chain = downstream.chain
    if downstream.tls:
        owner = downstream.listener.secure.lookup(host)
        if owner is not None and owner is not chain:
            if owner.http is None or owner.tls is None or chain.tls is None or owner.tls.rules != chain.tls.rules:
                return MISDIRECTED
            chain = owner
    assert chain.http is not None
    found = chain.http.lookup(host)
    return NO_ROUTE if found is None else found
