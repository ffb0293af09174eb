"""What a Snapshot makes of requests that a log shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address
from typing import Any, Final

from edgegate.diff.behaviour import Behaviour, Refused, Relayed, Renamed, ToHTTPS, of_fault, of_route, of_tcp_route
from edgegate.diff.behaviour import summary as summary_of
from edgegate.diff.sides import Side
from edgegate.errors import MISDIRECTED, NO_ROUTE, SCHEME_MISMATCH, Fault
from edgegate.explain.decision import Refusal, chain_of
from edgegate.explain.question import Question
from edgegate.http.request import HostMemory, RequestHead
from edgegate.http.selection import owner
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.replay.formats import columns
from edgegate.replay.logged_request import LoggedRequest
from edgegate.replay.possible_routes import AUTHORITY, QUERY, PossibleRoutes, Resolve, Unsaid, asked_by, header_subject
from edgegate.routing.matching import condition
from edgegate.routing.snapshot import FilterChain, Listener, VirtualHost


@dataclass(frozen=True, slots=True, eq=False)
class Outcome:
    """
    What becomes of requests: one object for each route and each way to refuse, compared by what it is.

    @ivar clusters: Where it may be sent, mirrors included.
    @ivar name: The route's in the files, or empty.
    @ivar place: C{shop.yaml:12}, or empty.
    """

    behaviour: Behaviour
    summary: str
    name: str = ""
    place: str = ""
    clusters: frozenset[str] = frozenset()


Possible = tuple[tuple[frozenset[Unsaid], Outcome], ...]
"""Outcomes in the order of precedence, each with what must hold of what is not known; the last with nothing of that."""


@dataclass(frozen=True, slots=True)
class Way:
    """How a client may have come: to which port of the files, by TLS or in the clear."""

    port: int
    tls: bool


@dataclass(frozen=True, slots=True)
class Placed:
    """
    Where a request has come to.

    @ivar head: Of it.
    @ivar host: Whose routes are asked.
    """

    head: RequestHead
    connection: ConnectionInfo
    host: VirtualHost


@dataclass(slots=True)
class Seen:
    """A request as the conditions of routes see it; see L{edgegate.routing.matching.Request}."""

    method: bytes
    path: bytes
    query: bytes
    scheme: bytes
    authority: bytes
    headers: list[tuple[bytes, bytes]]
    port: int
    claims: Mapping[str, Any] = field(default_factory=dict)


_CLIENT: Final = TCPAddress("127.0.0.1", 40000)
_NOTHING: Final[frozenset[Unsaid]] = frozenset()
_NONE_RENAMED: Final[Renamed] = {}
_NO_NAME: Final = "no server has the SNI name"


class Routing:
    """
    Routes requests by one side's Snapshot. Keeps what it makes for it: one for each process.

    @ivar asked_more: Whether a host was met whose routes ask about headers or the query; whoever wants to know sets it
        back.
    """

    def __init__(self, side: Side, renamed: Renamed = _NONE_RENAMED) -> None:
        """
        @param renamed: What its clusters are called on the other side, where they are the same.
        """
        self.side = side
        self.asked_more = False
        self._renamed = renamed
        self._memory = HostMemory()
        self._paths = PathNormalisation(side.snapshot.proxy.paths or PathNormalisation.BASE.value)
        self._listeners: dict[int, list[Listener]] = {}
        for listener in side.snapshot.listeners:
            self._listeners.setdefault(listener.port, []).append(listener)
        self._connections: dict[tuple[int, int, str], ConnectionInfo] = {}
        self._asked: dict[int, frozenset[str]] = {}
        self._possible: dict[tuple[int, frozenset[str]], PossibleRoutes] = {}
        self._outcomes: dict[int, tuple[object, Outcome]] = {}
        self._refused: dict[Behaviour, Outcome] = {}

    def ways(self, request: LoggedRequest) -> list[Way]:
        """Return how a request may have come, of the ways on which HTTP is served: as its line says, and its port."""
        ports = list(self._listeners) if request.port is None else [request.port]
        return [
            Way(port, tls)
            for port in ports
            for tls in ((False, True) if request.tls is None else (request.tls,))
            if self._serves(port, tls, request)
        ]

    def _serves(self, port: int, tls: bool, request: LoggedRequest) -> bool:
        listener = self._listener(port, request)
        if listener is None:
            return False
        if not tls:
            return listener.plain is not None and listener.plain.http is not None
        if request.server_name == "" and request.tls is None:
            # it may have sent no name; then only a server of all names is asked
            found = chain_of(listener, Question(port, tls=True, method=b"GET"))
            return not isinstance(found, Refusal) and found.http is not None
        return any(chain.http is not None for _, chain in listener.secure.items())

    def _listener(self, port: int, request: LoggedRequest) -> Listener | None:
        """Return what listens on a port; where several do, the one of the address that the line says."""
        found = self._listeners.get(port)
        if found is None:
            return None
        if len(found) > 1 and request.local:
            host = request.local.rpartition(":")[0]
            for listener in found:
                if isinstance(listener.bind, TCPAddress) and listener.bind.host == host.strip("[]"):
                    return listener
        return found[0]

    def placed(self, request: LoggedRequest, way: Way) -> Placed | Outcome:
        """Return which virtual host a request comes to, or what becomes of it where it comes to none."""
        listener = self._listener(way.port, request)
        if listener is None:
            return self._refusal(Refused(0, f"nothing listens on port {way.port}"))
        head = request.head(self._memory, self._paths)
        name = request.server_name
        if way.tls and name is None:
            # who comes by TLS names the host that it asks for
            name = "" if isinstance(head, Fault) or _literal(head.host) else head.host
        chain = self._chain(listener, way, name or "")
        if isinstance(chain, Outcome):
            return chain
        if isinstance(head, Fault):
            return self._refusal(of_fault(head))
        connection = self._connection(listener, chain, way, name or "")
        if head.special and head.path != b"*" and not connection.tls:
            return self._refusal(of_fault(SCHEME_MISMATCH))
        belongs = owner(connection, head.host)
        if belongs is None or belongs.http is None:
            return self._refusal(of_fault(MISDIRECTED))
        host = belongs.http.lookup(head.host)
        return self._refusal(of_fault(NO_ROUTE)) if host is None else Placed(head, connection, host)

    def possible(self, request: LoggedRequest, placed: Placed | Outcome) -> Possible | Outcome:
        """Return what may become of a request; one outcome where all is known that routes ask about."""
        if isinstance(placed, Outcome):
            return placed
        head, host = placed.head, placed.host
        if host.redirect_port is not None:
            return self._refusal(ToHTTPS(host.redirect_port))
        asked = self._asked.get(id(host))
        if asked is None:
            asked = self._asked[id(host)] = asked_by(host.routes)
        if not _FEW.issuperset(asked):
            self.asked_more = True
        seen = _seen(request, head, placed.connection)
        unknown = asked - request.known - _DERIVED
        if not unknown:
            return self._outcome(host.selector.select(seen), head)
        possible = self._possible_routes(host, unknown).find(seen, _resolver(request, seen))
        if len(possible) == 1:
            return self._outcome(possible[0][1], head)
        return tuple((unsaid, self._outcome(route, head)) for unsaid, route in possible)

    def columns(self) -> frozenset[str]:
        """Return the columns of logs that any route asks about."""
        chains = (chain for listener in self.side.snapshot.listeners for chain in listener.chains())
        hosts = (host for chain in chains if chain.http is not None for _, host in chain.http.items())
        asked = {subject for host in hosts for subject in asked_by(host.routes)}
        return frozenset(columns.QUERY if each == QUERY else each for each in asked)

    def _chain(self, listener: Listener, way: Way, name: str) -> FilterChain | Outcome:
        found = chain_of(listener, Question(way.port, way.tls, name, method=b"GET"))
        if isinstance(found, Refusal):
            unnamed = found in (Refusal.UNKNOWN_NAME, Refusal.NO_NAME)
            status = 400 if found is Refusal.HTTP_IN_THE_CLEAR else 0
            return self._refusal(Refused(status, _NO_NAME if unnamed else found.value))
        if found.http is None:
            return self._relay(found)
        return found

    def _relay(self, chain: FilterChain) -> Outcome:
        """Return what becomes of a request to a chain that relays bytes."""
        found = self._outcomes.get(id(chain))
        if found is None:
            route = chain.tcp[0] if chain.tcp else None
            behaviour = of_tcp_route(route)
            place = "" if route is None else str(route.origin)
            outcome = Outcome(behaviour, f"{summary_of(behaviour)} as bytes", place=place)
            found = self._outcomes[id(chain)] = chain, outcome
        return found[1]

    def _possible_routes(self, host: VirtualHost, unknown: frozenset[str]) -> PossibleRoutes:
        key = id(host), unknown
        found = self._possible.get(key)
        if found is None:
            found = self._possible[key] = PossibleRoutes(host.routes, unknown)
        return found

    def _connection(self, listener: Listener, chain: FilterChain, way: Way, name: str) -> ConnectionInfo:
        key = id(listener), id(chain), name if way.tls else ""
        found = self._connections.get(key)
        if found is None:
            if len(self._connections) > _MOST_CONNECTIONS:
                self._connections.clear()
            local: Address = listener.bind
            found = ConnectionInfo(listener, chain, _CLIENT, local, name, tls=chain.tls is not None)
            self._connections[key] = found
        return found

    def _outcome(self, route: HTTPRoute | None, head: RequestHead) -> Outcome:
        if route is None or (head.path == b"*" and all(match.uri is None for match in route.matches)):
            return self._refusal(of_fault(NO_ROUTE))
        found = self._outcomes.get(id(route))
        if found is None:
            behaviour = of_route(route, self._renamed)
            used = [each.cluster for each in route.destinations if each.weight or len(route.destinations) == 1]
            named = (*used, *(each.cluster for each in route.mirrors))
            clusters = frozenset(self._renamed.get(each, each) for each in named)
            outcome = Outcome(behaviour, summary_of(behaviour), route.name, str(route.origin), clusters)
            found = self._outcomes[id(route)] = route, outcome
        return found[1]

    def _refusal(self, behaviour: Refused | ToHTTPS | Relayed) -> Outcome:
        found = self._refused.get(behaviour)
        if found is None:
            found = self._refused[behaviour] = Outcome(behaviour, summary_of(behaviour))
        return found


_MOST_CONNECTIONS: Final = 10_000

_DERIVED: Final = frozenset((header_subject("x-forwarded-proto"), header_subject("x-request-id")))
"""Of these it is known what routes see: the scheme, and nothing, as the gateway sets the other anew."""

_FEW: Final = _DERIVED | {AUTHORITY}


def _seen(request: LoggedRequest, head: RequestHead, connection: ConnectionInfo) -> Seen:
    scheme = b"https" if connection.tls else b"http"
    query = head.target.partition(b"?")[2]
    headers = [*request.fields, (b"host", head.authority), (b"x-forwarded-proto", scheme)]
    return Seen(head.method, head.path, query, scheme, head.authority, headers, connection.listener.port)


def _resolver(request: LoggedRequest, seen: Seen) -> Resolve:
    """Return what tells whether a condition holds, whichever of several values was there."""

    def resolve(unsaid: Unsaid) -> bool | None:
        variants = request.variants.get(unsaid.subject)
        if variants is None:
            return None
        holds = condition(unsaid.match)
        assert holds is not None
        if unsaid.subject == AUTHORITY:
            shown = [
                replace(seen, authority=value[0], headers=[*_without_host(seen), (b"host", value[0])])
                for value in variants
            ]
        else:
            name = unsaid.subject.removeprefix(header_subject("")).encode("latin-1")
            shown = [replace(seen, headers=[*seen.headers, *((name, each) for each in value)]) for value in variants]
        verdicts = {holds(each) for each in shown}
        return verdicts.pop() if len(verdicts) == 1 else None

    return resolve


def _without_host(seen: Seen) -> list[tuple[bytes, bytes]]:
    return [field for field in seen.headers if field[0] != b"host"]


def _literal(host: str) -> bool:
    """Whether a host is an IP address, of which SNI says nothing (RFC 6066 section 3)."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True
