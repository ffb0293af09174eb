"""Notes of what a VirtualService has on a server, and of what it has not: see L{edgegate.model.notes}."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from edgegate.istio.translate.rules import GatewayKey, HTTPRule, Rules, Scope, TCPRule, delegation, takes_all
from edgegate.istio.translate.servers import Server
from edgegate.model.matching import HTTPMatch
from edgegate.model.notes import Cause, LeftOut, Notes, RouteNote
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.model.servers import Traffic


def note_routes(
    notes: Notes, rules: Rules, server: Server, domains: tuple[str, ...], routes: Sequence[HTTPRoute]
) -> None:
    """
    Note where the HTTP routes are said that a VirtualService has on a server, and which of its routes it has not there.

    @param domains: The hosts that both serve.
    @param routes: What C{routes_on} has made of the rules.
    """
    if server.traffic.http:
        _note_http(notes, rules, server, domains, routes)
        return
    for rule in rules.tls if server.traffic is Traffic.PASSTHROUGH else rules.tcp:
        if not rule.scope.holds(_key(server), server.value.number):
            notes.leave_out(_elsewhere(rule, rule.scope, rule.route.origin, server, domains))


def _note_http(
    notes: Notes, rules: Rules, server: Server, domains: tuple[str, ...], routes: Sequence[HTTPRoute]
) -> None:
    gateway, number = _key(server), server.value.number
    made = _each_match(routes)
    said: dict[int, tuple[HTTPRoute, HTTPRule, list[Origin]]] = {}
    taken: Origin | None = None
    for rule in rules.http:
        for (scope, match, name), origin in zip(rule.matches, rule.origins, strict=True):
            if taken is not None:
                why = f"the route at {taken} takes every request before it"
                notes.leave_out(LeftOut(Cause.BEHIND, origin, domains, number, why, match, name, taken))
            elif not scope.holds(gateway, number):
                notes.leave_out(_elsewhere(rule, scope, origin, server, domains, match, name))
            else:
                route = next(made)
                said.setdefault(id(route), (route, rule, []))[2].append(origin)
                if takes_all(match):
                    taken = origin
    for route, rule, origins in said.values():
        resource = rules.resource
        note = RouteNote(tuple(origins), resource.document.origin, delegation(resource, rule.path))
        notes.keep(route, note)


def _each_match(routes: Sequence[HTTPRoute]) -> Iterator[HTTPRoute]:
    """Yield each route once for each of its matches; one without any has one that always holds."""
    for route in routes:
        for _ in range(max(len(route.matches), 1)):
            yield route


def _elsewhere(
    rule: HTTPRule | TCPRule,
    scope: Scope,
    origin: Origin,
    server: Server,
    domains: tuple[str, ...],
    match: HTTPMatch | None = None,
    name: str = "",
) -> LeftOut:
    """Return what is to be said of a match that is for another port or another gateway."""
    number = server.value.number
    if scope.port is not None and scope.port != number:
        return LeftOut(Cause.PORT, origin, domains, number, f"its match is for port {scope.port}", match, name)
    names = sorted(f"{namespace}/{gateway}" for namespace, gateway in scope.gateways or ())
    if not names:
        return LeftOut(Cause.MESH, origin, domains, number, "its match is for the sidecars of a mesh", match, name)
    why = f"its match is for Gateway {', '.join(names)}, not for {server.value.parent.partition(' ')[2]}"
    return LeftOut(Cause.GATEWAY, origin, domains, number, why, match, name)


def _key(server: Server) -> GatewayKey:
    return server.gateway.namespace, server.gateway.name
