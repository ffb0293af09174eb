# Compiled: values that hot modules read.
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

from edgegate.model.access_logs import AccessLogFile
from edgegate.model.addresses import Address
from edgegate.model.certificates import ManagedCertificate
from edgegate.model.clusters import Cluster
from edgegate.model.guards.guard import Guard, Guards
from edgegate.model.metrics import DeclaredMetrics
from edgegate.model.on_demand import OnDemand
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable
from edgegate.model.proxy import NO_SETTINGS, ProxySettings
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.model.tls import ServerTLS
from edgegate.model.tracing import DeclaredTracing
from edgegate.routing.hosts import HostTable
from edgegate.routing.matching import Request
from edgegate.routing.table import first_match


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


@dataclass(frozen=True, slots=True)
class VirtualHost(Picklable):
    """
    All routes of one host name or pattern on one server.

    @ivar domain: A host pattern in normal form.
    @ivar redirect_port: Where C{tls.httpsRedirect} is set: the port of the https URL that every request is sent to.
    @ivar guards: What all of its requests meet, before its redirects and routes.
    @ivar selector: Finds the route of a request.
    """

    domain: str
    routes: tuple[HTTPRoute, ...] = ()
    redirect_port: int | None = None
    guards: Guards = ()
    selector: RouteSelector = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "selector", RouteSelector(self.routes))


RouteTable = HostTable[VirtualHost]


# Listeners -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FilterChain(Picklable):
    """
    What happens to connections of one kind on a listener.

    Exactly one of C{http} and C{tcp} is not L{None}. C{tls} is L{None} where TLS
    does not end here: in the clear, or passed through by SNI.

    @ivar grpc_web: Whether gRPC is made of the requests of gRPC-Web clients, wherever they go.
    @ivar guards: What connections that are relayed meet, and requests for a host that has no virtual host.
    @ivar guarded: Whether requests on its connections may meet guards, of it or of another chain of its port: over one
        connection come requests for hosts of several.
    """

    name: str
    origin: Origin = field(compare=False)
    hosts: tuple[str, ...] = ()
    tls: ServerTLS | None = None
    http: RouteTable | None = None
    tcp: tuple[TCPRoute, ...] | None = None
    grpc_web: bool = False
    guards: Guards = ()
    guarded: bool = False


@dataclass(frozen=True, slots=True)
class Listener(Picklable):
    """
    One port that is open.

    @ivar bind: What is bound, after C{--map-port}.
    @ivar port: The number that the files name, which matching, redirects and logs keep.
    @ivar plain: Serves what does not begin with a ClientHello, if anything does.
    @ivar secure: Finds the chain for an SNI name; C{""} (no SNI) finds only the one of C{*}.
    @ivar first: What connections meet when they are taken: lists of addresses that stand on all chains.
    """

    name: str
    bind: Address
    port: int
    origin: Origin = field(compare=False)
    plain: FilterChain | None = None
    secure: HostTable[FilterChain] = field(default_factory=HostTable)
    first: Guards = ()

    def chains(self) -> Iterator[FilterChain]:
        """Yield all filter chains; one of several SNI patterns comes once."""
        if self.plain is not None:
            yield self.plain
        yield from {id(chain): chain for _, chain in self.secure.items()}.values()


@dataclass(frozen=True, slots=True)
class Snapshot(Picklable):
    """
    Everything that the files say.

    @ivar access_logs: L{None}: they say nothing of any.
    @ivar proxy: What counts for a process as a whole, from its start.
    @ivar tracing: L{None}: they say nothing of traces.
    @ivar metrics: L{None}: nor of metrics.
    @ivar certificates: What the gateway has issued itself.
    @ivar on_demand: Who issues what for names that no file says.
    """

    listeners: tuple[Listener, ...] = ()
    clusters: Mapping[str, Cluster] = field(default_factory=dict)
    access_logs: tuple[AccessLogFile, ...] | None = None
    proxy: ProxySettings = NO_SETTINGS
    tracing: DeclaredTracing | None = None
    metrics: DeclaredMetrics | None = None
    certificates: tuple[ManagedCertificate, ...] = ()
    on_demand: tuple[OnDemand, ...] = ()


def guards_in(snapshot: Snapshot) -> Iterator[Guard]:
    """Yield the guards of a Snapshot; one that is equal to another may come as well."""
    seen: set[int] = set()

    def new(guards: Guards) -> Iterator[Guard]:
        # not by their values: a route may stand in many hosts, and a list have many addresses
        for guard in guards:
            if id(guard) not in seen:
                seen.add(id(guard))
                yield guard

    for listener in snapshot.listeners:
        for chain in listener.chains():
            yield from new(chain.guards)
            for _, host in chain.http.items() if chain.http is not None else ():
                yield from new(host.guards)
                for route in host.routes:
                    yield from new(route.guards)


_MANY = 100
"""Routes whose table takes milliseconds to make."""


def prepare(snapshot: Snapshot) -> None:
    """Make the tables that would keep a request waiting. May be called in a thread."""
    for listener in snapshot.listeners:
        for chain in listener.chains():
            for _, host in chain.http.items() if chain.http is not None else ():
                if len(host.routes) > _MANY:
                    host.selector.prepare()
