"""Routes of connections: for servers that relay bytes, and for those that choose a backend by SNI."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from edgegate.model.diagnostics import Report, unreachable
from edgegate.model.hosts import is_partial
from edgegate.model.notes import Cause, LeftOut
from edgegate.model.origin import Origin
from edgegate.model.patterns import PatternIndex, wider
from edgegate.model.routes import TCPRoute
from edgegate.model.servers import Server, Traffic
from edgegate.model.translation import AttachedRoutes
from edgegate.routing.compile.ports import Port
from edgegate.routing.snapshot import FilterChain


def tcp_routes(attached: Iterable[AttachedRoutes], report: Report) -> tuple[TCPRoute, ...]:
    """Return the C{tcp} routes of all objects, in order; one behind another that takes all is reported."""
    found = []
    seen: set[tuple[TCPRoute, Origin]] = set()
    taken: TCPRoute | None = None
    for each in attached:
        for route in each.tcp:
            key = route, route.origin
            if key in seen:
                continue
            seen.add(key)
            if taken is not None:
                what = f"every connection to port {each.server.number}"
                _warn_of(route, each.domains, each.server.number, what, taken, report)
                continue
            found.append(route)
            if route.anywhere:
                taken = route
    return tuple(found)


def passthrough_chains(
    port: Port, server: Server, attached: Sequence[AttachedRoutes], report: Report
) -> Iterator[tuple[str, FilterChain]]:
    """
    Yield the filter chains of a server that passes TLS through, by SNI pattern.

    There is one for each pattern of its routes and of its own hosts, so that
    the narrowest pattern decides, as in Envoy, whatever the order of the
    routes, and however many there are.
    """
    routes = _by_pattern(port, server, attached, report)
    own = [host.pattern for host in server.hosts if port.secure[host.pattern][0] is server]
    partial = [pattern for pattern in routes if is_partial(pattern)]
    for pattern in dict.fromkeys([*routes, *own]):
        found: list[TCPRoute] = []
        for above in wider(pattern, partial):
            found.extend(replace(route, sni_hosts=(above,)) for route in routes.get(above, ()))
        yield pattern, FilterChain(server.name, server.origin, (pattern,), tcp=tuple(found))


def _by_pattern(
    port: Port, server: Server, attached: Sequence[AttachedRoutes], report: Report
) -> dict[str, list[TCPRoute]]:
    """Return the C{tls} routes for each SNI pattern that a server and a match have in common."""
    found: dict[str, list[TCPRoute]] = {}
    for each in attached:
        domains: PatternIndex[None] = PatternIndex()
        for domain in each.domains:
            domains.add(domain, None)
        for route in each.tls:
            patterns = {common for name in route.sni_hosts for common, _ in domains.intersecting(name)}
            for pattern in sorted(patterns):
                owner = next(port.secure[above][0] for above in wider(pattern) if above in port.secure)
                before = next((other for other in found.get(pattern, ()) if other.anywhere), None)
                if owner is not server and owner.traffic is Traffic.PASSTHROUGH and owner.parent in each.parents:
                    continue  # it is reached there
                if owner is not server:
                    why = f"SNI {pattern} on port {server.number} belongs to {owner.origin}"
                    left = LeftOut(Cause.SERVER, route.origin, (pattern,), server.number, why, by=owner.origin)
                    report(unreachable(left))
                elif before is not None:
                    what = f"SNI {pattern} on port {server.number}"
                    _warn_of(route, (pattern,), server.number, what, before, report)
                else:
                    found.setdefault(pattern, []).append(route)
    return found


def _warn_of(
    route: TCPRoute, domains: tuple[str, ...], number: int, what: str, taken: TCPRoute, report: Report
) -> None:
    why = f"the route at {taken.origin} takes {what}"
    left = LeftOut(Cause.BEHIND, route.origin, domains, number, why, by=taken.origin)
    report(unreachable(left))
