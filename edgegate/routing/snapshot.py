"""
The Snapshot: everything that the files say, compiled into values that the data plane runs on.

Nothing in here is ever changed; a reload makes a new Snapshot and replaces the
old one whole. Values are equal where they do the same, wherever in the files
they are said. Mutable state (health, pools, counters) lives in
L{edgegate.upstream.registry}. Terms are Envoy's: listener, filter chain,
virtual host, route, cluster, endpoint.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from edgegate.routing.actions import DirectResponse, Redirect, RequestChanges
from edgegate.routing.addresses import Address, Origin, TCPAddress, UNIXAddress
from edgegate.routing.clusters import Cluster, Discovery, Endpoint
from edgegate.routing.headers import EXPECTED_TIME, HeaderChanges
from edgegate.routing.hosts import HostTable
from edgegate.routing.matching import HTTPMatch, Request
from edgegate.routing.policies import DEFAULT_RETRIES, CORSPolicy, Faults, Mirror, RetryPolicy
from edgegate.routing.table import first_match
from edgegate.routing.tls import ClientVerification, KeyPair, ServerTLS, TLSRules, TLSVersion

__all__ = [
    "Address",
    "ClientVerification",
    "Cluster",
    "Discovery",
    "Endpoint",
    "FilterChain",
    "HTTPRoute",
    "KeyPair",
    "Listener",
    "Origin",
    "RouteTable",
    "ServerTLS",
    "Snapshot",
    "TCPAddress",
    "TCPRoute",
    "TLSRules",
    "TLSVersion",
    "UNIXAddress",
    "VirtualHost",
    "WeightedCluster",
]


@dataclass(frozen=True, slots=True)
class WeightedCluster:
    """
    One destination of a route; weights are relative to each other, and a weight of 0 gets nothing.

    @ivar request: What is changed of requests that go there; L{None}: nothing.
    @ivar response: What is changed of the responses that come from there, in this order.
    """

    cluster: str
    weight: int
    request: RequestChanges | None = None
    response: tuple[HeaderChanges, ...] = ()


# HTTP ----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class HTTPRoute:
    """
    One item of C{VirtualService.http}, or a part of it: what it does may depend on which of its conditions holds.

    @ivar matches: Any of them must hold; none: every request.
    @ivar timeout: From the whole request received to the whole response, in seconds; L{None}: no limit.
    @ivar redirect: Where given, what every request is answered with; so is C{direct}.
    @ivar response: What is changed of the headers of such a response.
    @ivar retries: L{None}: nothing is tried again.
    @ivar filtered: Whether there is more to do than to send requests on.
    @ivar expected: The header line that tells a backend within how many milliseconds it is to answer, or empty: the
        time of a try where there is one, but not more than the route's.
    """

    name: str
    origin: Origin = field(compare=False)
    destinations: tuple[WeightedCluster, ...]
    matches: tuple[HTTPMatch, ...] = ()
    timeout: float | None = None
    redirect: Redirect | None = None
    direct: DirectResponse | None = None
    response: HeaderChanges | None = None
    retries: RetryPolicy | None = DEFAULT_RETRIES
    faults: Faults | None = None
    cors: CORSPolicy | None = None
    mirrors: tuple[Mirror, ...] = ()
    filtered: bool = field(init=False, repr=False, compare=False)
    expected: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        only_sent = self.redirect is None and self.direct is None and self.faults is None and self.cors is None
        object.__setattr__(self, "filtered", not only_sent)
        per_try = None if self.retries is None else self.retries.per_try_timeout
        object.__setattr__(self, "expected", _expected(self.timeout, per_try))


@lru_cache(maxsize=1024)
def _expected(timeout: float | None, per_try: float | None) -> bytes:
    """Return the line that tells backends how long a response may take, or nothing: one for all routes that say it."""
    least = min((each for each in (timeout, per_try) if each is not None), default=None)
    return b"" if least is None else expected_line(least)


def expected_line(seconds: float) -> bytes:
    """Return the line that tells a backend how long its response may take."""
    return b"%b: %d\r\n" % (EXPECTED_TIME, seconds * 1000)


class RouteSelector:
    """
    Finds the routes of requests, by a table that stands beside the routes: it is neither pickled nor compared.

    The table is made when a request first asks for it, so that thousands of hosts cost no more than their routes.
    """

    __slots__ = ("_find", "_routes")

    def __init__(self, routes: tuple[HTTPRoute, ...]) -> None:
        self._routes = routes
        self._find: Callable[[Request], HTTPRoute | None] | None = None

    def select(self, request: Request) -> HTTPRoute | None:
        """Find the route of a request."""
        find = self._find
        if find is None:
            find = self.prepare()
        return find(request)

    def prepare(self) -> Callable[[Request], HTTPRoute | None]:
        """Make the table before a request asks for it, and return what looks it up."""
        self._find = find = first_match((route.matches, route) for route in self._routes)
        return find

    def __reduce__(self) -> tuple[type[RouteSelector], tuple[tuple[HTTPRoute, ...]]]:
        return RouteSelector, (self._routes,)


@dataclass(frozen=True, slots=True)
class VirtualHost:
    """
    All routes of one host name or pattern on one server.

    @ivar domain: A host pattern in normal form.
    @ivar redirect_port: Where C{tls.httpsRedirect} is set: the port of the https URL that every request is sent to.
    @ivar selector: Finds the route of a request.
    """

    domain: str
    routes: tuple[HTTPRoute, ...] = ()
    redirect_port: int | None = None
    selector: RouteSelector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", RouteSelector(self.routes))


RouteTable = HostTable[VirtualHost]


# TCP -----------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TCPRoute:
    """
    One C{match} of an item of C{VirtualService.tcp} or C{tls} (or an item without matches).

    @ivar sni_hosts: Patterns in normal form of which one must match the SNI name; empty: any, or none at all.
    @ivar destination_subnets: CIDR notations of which one must hold the local address; empty: any.
    @ivar source_subnets: The same for the client's address.
    """

    origin: Origin = field(compare=False)
    destinations: tuple[WeightedCluster, ...]
    sni_hosts: tuple[str, ...] = ()
    destination_subnets: tuple[str, ...] = ()
    source_subnets: tuple[str, ...] = ()

    @property
    def anywhere(self) -> bool:
        """Whether no address is asked for."""
        return not self.destination_subnets and not self.source_subnets


# Listeners -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilterChain:
    """
    What happens to connections of one kind on a listener.

    Exactly one of C{http} and C{tcp} is not L{None}. C{tls} is L{None} where TLS
    does not end here: in the clear, or passed through by SNI.
    """

    name: str
    origin: Origin = field(compare=False)
    hosts: tuple[str, ...] = ()
    tls: ServerTLS | None = None
    http: RouteTable | None = None
    tcp: tuple[TCPRoute, ...] | None = None


@dataclass(frozen=True, slots=True)
class Listener:
    """
    One port that is open.

    @ivar bind: What is bound, after C{--map-port}.
    @ivar port: The number that the files name, which matching, redirects and logs keep.
    @ivar plain: Serves what does not begin with a ClientHello, if anything does.
    @ivar secure: Finds the chain for an SNI name; C{""} (no SNI) finds only the one of C{*}.
    """

    name: str
    bind: Address
    port: int
    origin: Origin = field(compare=False)
    plain: FilterChain | None = None
    secure: HostTable[FilterChain] = field(default_factory=HostTable)

    def chains(self) -> Iterator[FilterChain]:
        """Yield all filter chains; one of several SNI patterns comes once."""
        if self.plain is not None:
            yield self.plain
        yield from {id(chain): chain for _, chain in self.secure.items()}.values()


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything that the files say."""

    listeners: tuple[Listener, ...] = ()
    clusters: Mapping[str, Cluster] = field(default_factory=dict)


_MANY = 100
"""Routes whose table takes milliseconds to make."""


def prepare(snapshot: Snapshot) -> None:
    """Make the tables that would keep a request waiting. May be called in a thread."""
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for _, host in chain.http.items() if chain.http is not None else ():
                if len(host.routes) > _MANY:
                    host.selector.prepare()
