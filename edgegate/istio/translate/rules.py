"""VirtualServices to rules: routes with all that does not depend on the server that they are attached to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from edgegate.config.document import Path
from edgegate.config.problems import Problems
from edgegate.config.values import show
from edgegate.istio.kinds import virtual_service as kinds
from edgegate.istio.kinds.virtual_service import VirtualService
from edgegate.istio.resources import Resource
from edgegate.istio.translate import actions
from edgegate.istio.translate.destinations import Destinations, NoDestinations
from edgegate.istio.translate.guards.standing import NOTHING, Standing
from edgegate.istio.translate.matches import http_match
from edgegate.istio.translate.members import ip_literal
from edgegate.istio.translate.servers import Server
from edgegate.model.actions import RequestChanges
from edgegate.model.headers import HeaderChanges
from edgegate.model.hosts import normalise, subset_of
from edgegate.model.matching import HTTPMatch, StringMatch, any_path
from edgegate.model.notes import Cause, LeftOut, Notes
from edgegate.model.origin import Origin
from edgegate.model.policies import Mirror
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.model.servers import Traffic

GatewayKey = tuple[str, str]
"""Namespace and name."""

_Match = kinds.HTTPMatchRequest | kinds.TLSMatchAttributes | kinds.L4MatchAttributes

MESH = "mesh"
"""What C{gateways} calls the sidecars."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Where a match can hold at all: on which server port, and on which Gateways. L{None}: on every one."""

    port: int | None = None
    gateways: frozenset[GatewayKey] | None = None

    def holds(self, gateway: GatewayKey, port: int) -> bool:
        """Whether it can hold for the servers of a Gateway on a port."""
        return (self.port is None or self.port == port) and (self.gateways is None or gateway in self.gateways)


EVERYWHERE = Scope()
_IN_A_MESH = NoDestinations()
_ALL = HTTPMatch()


@dataclass(frozen=True, slots=True)
class HTTPRule:
    """
    One item of C{http}.

    @ivar route: As it is where all matches hold and have one name, which is the rule.
    @ivar matches: Those that can hold, each with the name that the route has by it. An item without matches has one
        that always holds.
    @ivar origins: Where each of them is said, where that is to be noted.
    """

    path: Path
    route: HTTPRoute
    matches: tuple[tuple[Scope, HTTPMatch, str], ...]
    origins: tuple[Origin, ...] = ()


@dataclass(frozen=True, slots=True)
class TCPRule:
    """One match of an item of C{tcp} or C{tls}."""

    path: Path
    scope: Scope
    route: TCPRoute


@dataclass(frozen=True, slots=True)
class Rules:
    """All routes of a VirtualService."""

    resource: Resource[VirtualService]
    http: tuple[HTTPRule, ...] = ()
    tls: tuple[TCPRule, ...] = ()
    tcp: tuple[TCPRule, ...] = ()


class RuleCompiler:
    """Compiles VirtualServices one by one."""

    def __init__(
        self,
        destinations: Destinations,
        gateways: Callable[[Resource[VirtualService], Path, tuple[str, ...]], frozenset[GatewayKey]],
        problems: Problems,
        notes: Notes | None = None,
        standing: Standing = NOTHING,
    ) -> None:
        """
        @param gateways: Finds the Gateways that a field names, and reports those that are not declared.
        @param notes: Where is noted what no request reaches.
        @param standing: Which guards stand on routes.
        """
        self._destinations = destinations
        self._gateways = gateways
        self._problems = problems
        self._notes = notes
        self._standing = standing
        self._shared = lru_cache(maxsize=4096)(_same)

    def rules(self, resource: Resource[VirtualService]) -> Rules:
        """Compile all routes; what is wrong is reported and left out."""
        return Rules(
            resource,
            tuple(self._http(resource, index, item) for index, item in enumerate(resource.spec.http)),
            tuple(rule for index, item in enumerate(resource.spec.tls) for rule in self._tls(resource, index, item)),
            tuple(rule for index, item in enumerate(resource.spec.tcp) for rule in self._tcp(resource, index, item)),
        )

    def _http(self, resource: Resource[VirtualService], index: int, item: kinds.HTTPRoute) -> HTTPRule:
        path: Path = ("spec", "http", index)
        name = item.name or "default"
        if not item.match:
            route = self._http_route(resource, path, item, name, self._destinations)
            return HTTPRule(path, route, ((EVERYWHERE, _ALL, name),), self._said(resource, [path]))
        matches, places = [], []
        scopes = self._scopes(resource, path, item.match)
        for number, (match, scope) in enumerate(zip(item.match, scopes, strict=True)):
            place = (*path, "match", number)
            compiled = http_match(resource, place, match, self._problems)
            if scope is not None and compiled is not None:
                full_name = f"{item.name}.{match.name}" if item.name and match.name else match.name or name
                matches.append(self._shared((scope, compiled, full_name)))
                places.append(place)
            elif self._notes is not None:
                self._note_never(self._notes, resource, place, match)
        if len({each for _, _, each in matches}) == 1:
            name = matches[0][2]
        destinations = self._named_by(item.match, scopes)
        route = self._http_route(resource, path, item, name, destinations, tuple(match for _, match, _ in matches))
        return HTTPRule(path, route, tuple(matches), self._said(resource, places))

    def _said(self, resource: Resource[VirtualService], places: Iterable[Path]) -> tuple[Origin, ...]:
        """Return where matches are said, if somebody wants to know: it takes time and memory."""
        return () if self._notes is None else tuple(resource.origin_of(place) for place in places)

    def _note_never(
        self, notes: Notes, resource: Resource[VirtualService], path: Path, match: kinds.HTTPMatchRequest
    ) -> None:
        """Note a match that holds for no request here."""
        cause, why = Cause.NEVER, "its match is in error"
        if match.source_labels or match.source_namespace:
            cause, why = Cause.MESH, "its match asks for labels or a namespace of clients, which only a mesh knows"
        hosts = tuple(host_patterns(resource).values())
        notes.leave_out(LeftOut(cause, resource.origin_of(path), hosts, None, why))

    def _http_route(
        self,
        resource: Resource[VirtualService],
        path: Path,
        item: kinds.HTTPRoute,
        name: str,
        destinations: Destinations,
        matches: tuple[HTTPMatch, ...] = (),
    ) -> HTTPRoute:
        """Compile what an item does."""
        try:
            new_path = actions.new_path(item.rewrite)
        except ValueError as error:
            resource.error(self._problems, (*path, "rewrite", "uriRegexRewrite", "rewrite"), str(error))
            new_path = None

        def changes(to: kinds.HTTPRouteDestination) -> tuple[RequestChanges | None, tuple[HeaderChanges, ...]]:
            return actions.request_changes(item, new_path, to.headers), actions.response_changes(item, to.headers)

        return HTTPRoute(
            name,
            resource.origin_of(path),
            destinations.weighted(resource, (*path, "route"), item.route, changes),
            matches,
            timeout=item.timeout,
            redirect=actions.redirect(item.redirect),
            direct=actions.direct(item.direct_response),
            response=actions.own_response_changes(item),
            retries=actions.retries(item.retries),
            faults=actions.faults(item.fault),
            cors=actions.cors(item.cors_policy),
            mirrors=tuple(self._mirrors(resource, path, item, destinations)),
            guards=self._standing.of_route(resource, path),
        )

    def _mirrors(
        self, resource: Resource[VirtualService], path: Path, item: kinds.HTTPRoute, destinations: Destinations
    ) -> Iterable[Mirror]:
        """Compile where copies go; those that never would are left out, but must be declared all the same."""
        given = [
            ((*path, "mirrors", index, "destination"), mirror.destination, actions.share(mirror.percentage))
            for index, mirror in enumerate(item.mirrors)
        ]
        if item.mirror is not None:
            percent = kinds.Percent(value=item.mirror_percent) if item.mirror_percent is not None else None
            given.append(((*path, "mirror"), item.mirror, actions.share(item.mirror_percentage or percent)))
        for place, destination, share in given:
            cluster = destinations.cluster(resource, place, destination)
            if cluster is not None and share:
                yield Mirror(cluster, share)

    def _tls(self, resource: Resource[VirtualService], index: int, item: kinds.TLSRoute) -> Iterable[TCPRule]:
        path: Path = ("spec", "tls", index)
        scopes = self._scopes(resource, path, item.match)
        destinations = self._named_by(item.match, scopes).weighted(resource, (*path, "route"), item.route)
        for number, (match, scope) in enumerate(zip(item.match, scopes, strict=True)):
            place = (*path, "match", number)
            names = self._sni_hosts(resource, place, match)
            if scope is not None and names:
                origin = resource.origin_of(place)
                yield TCPRule(place, scope, TCPRoute(origin, destinations, names, match.destination_subnets))

    def _sni_hosts(
        self, resource: Resource[VirtualService], path: Path, match: kinds.TLSMatchAttributes
    ) -> tuple[str, ...]:
        """
        Return a match's SNI patterns in normal form; each must lie within the VirtualService's hosts.

        IP addresses are left out: no client may say one.
        """
        hosts = host_patterns(resource)
        found: dict[str, None] = {}
        for index, text in enumerate(match.sni_hosts):
            place = (*path, "sniHosts", index)
            if ip_literal(text) is not None:
                continue
            try:
                name = normalise(text)
            except ValueError as error:
                resource.error(self._problems, place, str(error))
                continue
            if hosts and not any(subset_of(name, host) for host in hosts.values()):
                resource.error(
                    self._problems, place, f"{show(text)} is not among the hosts: {', '.join(resource.spec.hosts)}"
                )
                continue
            found[name] = None
        return tuple(found)

    def _tcp(self, resource: Resource[VirtualService], index: int, item: kinds.TCPRoute) -> Iterable[TCPRule]:
        path: Path = ("spec", "tcp", index)
        scopes = self._scopes(resource, path, item.match)
        destinations = self._named_by(item.match, scopes).weighted(resource, (*path, "route"), item.route)
        if not item.match:
            yield TCPRule(path, EVERYWHERE, TCPRoute(resource.origin_of(path), destinations))
        for number, (match, scope) in enumerate(zip(item.match, scopes, strict=True)):
            place = (*path, "match", number)
            if scope is not None:
                origin = resource.origin_of(place)
                sources = (match.source_subnet,) if match.source_subnet else ()
                route = TCPRoute(origin, destinations, (), match.destination_subnets, sources)
                yield TCPRule(place, scope, route)

    def _scopes(self, resource: Resource[VirtualService], path: Path, matches: Iterable[_Match]) -> list[Scope | None]:
        """Return where each match of an item can hold."""
        return [self._scope(resource, (*path, "match", number), match) for number, match in enumerate(matches)]

    def _named_by(self, matches: Iterable[_Match], scopes: Sequence[Scope | None]) -> Destinations:
        """Return what turns an item's destinations into clusters: nothing, where all of its matches are a mesh's."""
        found = zip(matches, scopes, strict=True)
        if scopes and all(scope is None or in_mesh_alone(match.gateways) for match, scope in found):
            return _IN_A_MESH
        return self._destinations

    def _scope(self, resource: Resource[VirtualService], path: Path, match: _Match) -> Scope | None:
        """
        Return where a match can hold; L{None} for nowhere: labels and namespaces are those of clients in a mesh.

        An HTTP match that names gateways is asked for nothing else (Istio's C{sourceMatchHTTP}).
        """
        gateways = None
        if match.gateways:
            gateways = self._gateways(resource, (*path, "gateways"), match.gateways)
        in_a_mesh = match.source_labels or match.source_namespace
        if in_a_mesh and not (match.gateways and isinstance(match, kinds.HTTPMatchRequest)):
            return None
        return Scope(match.port or None, gateways)


def _same(match: tuple[Scope, HTTPMatch, str]) -> tuple[Scope, HTTPMatch, str]:
    """Return what is given. Cached, it makes one of equal matches: those of thousands of documents are much alike."""
    return match


def delegation(resource: Resource[VirtualService], path: Path) -> Origin | None:
    """
    Return the item through which a route of a VirtualService was merged into it; L{None} for one of its own.

    @param resource: As L{edgegate.istio.translate.delegates.Delegates.merged} returned it.
    @param path: Of the route's item.
    """
    root, place = resource.at((*path, "delegate"))
    return None if root is resource.at(path)[0] else root.origin_of(place[:-1])


def in_mesh_alone(gateways: tuple[str, ...]) -> bool:
    """Whether a C{gateways} field that is given names no Gateway."""
    return bool(gateways) and all(name == MESH for name in gateways)


def host_patterns(resource: Resource[VirtualService]) -> dict[int, str]:
    """Return a VirtualService's hosts in normal form by their index, without those that are none."""
    found = {}
    for index, text in enumerate(resource.spec.hosts):
        try:
            found[index] = normalise(text)
        except ValueError:
            continue
    return found


def routes_of(rules: Rules, server: Server) -> tuple[tuple[HTTPRoute, ...], tuple[TCPRoute, ...], tuple[TCPRoute, ...]]:
    """Return the routes that a VirtualService has on a server, of the one kind that the server asks for."""
    gateway, port = (server.gateway.namespace, server.gateway.name), server.value.number
    if server.traffic.http:
        return tuple(routes_on(rules, gateway, port)), (), ()
    if server.traffic is Traffic.PASSTHROUGH:
        return (), tuple(rule.route for rule in rules.tls if rule.scope.holds(gateway, port)), ()
    return (), (), tuple(rule.route for rule in rules.tcp if rule.scope.holds(gateway, port))


def routes_on(rules: Rules, gateway: GatewayKey, port: int) -> list[HTTPRoute]:
    """
    Return the HTTP routes that a VirtualService has on the servers of a Gateway on a port, in their order.

    A route that takes every request has no matches, and is the last: what
    stands behind it is never reached. Conditions that these servers fulfil are
    left out.
    """
    found: list[HTTPRoute] = []
    for rule in rules.http:
        by_path = actions.depends_on_match(rule.route)
        parts: list[tuple[_Key, list[HTTPMatch]]] = []
        for scope, match, name in rule.matches:
            if not scope.holds(gateway, port):
                continue
            key = name, match.uri if by_path else None
            if takes_all(match):
                found.extend(_part(rule.route, each, by_path, matches) for each, matches in (*parts, (key, [])))
                return found
            if not parts or parts[-1][0] != key:
                parts.append((key, []))
            parts[-1][1].append(match)
        found.extend(_part(rule.route, key, by_path, matches) for key, matches in parts)
    return found


_Key = tuple[str, StringMatch | None]
"""By what the parts of a route differ: a name, and a condition on the path where that counts."""


def _part(route: HTTPRoute, key: _Key, by_path: bool, matches: Sequence[HTTPMatch]) -> HTTPRoute:
    """Return the route for some of its matches."""
    if route.name != key[0] or len(route.matches) != len(matches):
        route = replace(route, name=key[0], matches=tuple(matches))
    return actions.for_match(route, key[1]) if by_path else route


def takes_all(match: HTTPMatch) -> bool:
    """Whether a match holds for every request."""
    # without making its condition, which is far more work: it is looked at twice for each match
    return (match.uri is None or any_path(match.uri)) and match == HTTPMatch(match.uri, stat_prefix=match.stat_prefix)
