"""
What of a Snapshot tests have asked for: routes, their matches, the conditions in these, hosts, destinations, answers.

A route is hit by a request that takes it, a match by one that it held for. A condition is hit when it has held for one
request and was the first that failed for another: only then a change of it is noticed. What no request reaches, which
is proved, is told and does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from edgegate.analysis.reachability import Searches
from edgegate.analysis.wire import Surroundings
from edgegate.explain.conditions import tried, words
from edgegate.explain.decision import Decision
from edgegate.model.match_parts import parts
from edgegate.model.matching import HTTPMatch, any_path
from edgegate.model.notes import Notes
from edgegate.model.origin import Origin, Path
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.route_tests.destinations import shown
from edgegate.routing.snapshot import FilterChain, Snapshot, VirtualHost


class Group(Enum):
    """What is counted, by its name in reports."""

    ROUTES = "routes"
    MATCHES = "matches"
    CONDITIONS = "conditions"
    HOSTS = "hosts"
    DESTINATIONS = "destinations"
    ANSWERS = "answers"


@dataclass(slots=True)
class Unit:
    """
    Something that tests may ask for.

    @ivar what: In words.
    @ivar needed: How often it has to be hit in different ways.
    @ivar ways: In which ways it was.
    @ivar by: The place of the test that first hit it in all; empty: none has.
    @ivar unreached: Whether no request reaches it, so that no test can ask for it.
    """

    group: Group
    origin: Origin
    what: str
    needed: int = 1
    ways: set[str] = field(default_factory=set)
    by: str = ""
    unreached: bool = False

    @property
    def hit(self) -> bool:
        """Whether tests ask for it."""
        return len(self.ways) >= self.needed

    @property
    def missing(self) -> str:
        """What no test has, in words; empty where it is hit."""
        if self.hit:
            return ""
        if self.unreached:
            return "never reached by any request: it does not count"
        if self.group is Group.CONDITIONS and self.ways:
            return "no request where it fails" if "held" in self.ways else "no request where it holds"
        return "no request"


Place = tuple[Origin, Path]
"""Where something is said: routes that stand in one line are told apart."""

Key = tuple[Group, Place, object]


class Coverage:
    """What tests have asked for."""

    def __init__(self, snapshot: Snapshot, notes: Notes) -> None:
        """
        @param notes: Of the compilation of the Snapshot, for the lines of matches.
        """
        self._notes = notes
        self._units: dict[Key, Unit] = {}
        self._route_of: dict[Key, Place] = {}
        self._hosts: list[tuple[Surroundings, VirtualHost]] = []
        for listener in snapshot.listeners:
            for chain in listener.chains():
                self._add_chain(chain, listener.port)

    def _add_chain(self, chain: FilterChain, port: int) -> None:
        for route in chain.tcp or ():
            self._add_route(route, "connections")
        for domain, host in chain.http.items() if chain.http is not None else ():
            self._add(Group.HOSTS, chain.origin, f"{domain} on port {port}", domain)
            if host.redirect_port is None:
                self._add_host(host)
                self._hosts.append((Surroundings(port, domain=domain), host))

    def _add_host(self, host: VirtualHost) -> None:
        for route in host.routes:
            self._add_route(route, route.name)
            places = self._notes.of(route).matches
            for index, match in enumerate(route.matches):
                place = places[index]
                number = "" if len(route.matches) == 1 else f" {index + 1}"
                self._add(Group.MATCHES, place, f"match{number} of {route.name}", match)
                self._route_of[Group.MATCHES, _place(place), match] = _place(route.origin)
                for what, wish in conditions_of(match):
                    self._add(Group.CONDITIONS, place, f"{what} {wish}", (match, what), needed=2)

    def _add_route(self, route: HTTPRoute | TCPRoute, name: str) -> None:
        self._add(Group.ROUTES, route.origin, name, None)
        self._route_of[Group.ROUTES, _place(route.origin), None] = _place(route.origin)
        if isinstance(route, HTTPRoute) and (route.redirect or route.direct or route.faults):
            what = "redirect" if route.redirect else "direct response" if route.direct else "fault"
            self._add(Group.ANSWERS, route.origin, f"{what} of {name}", None)
        for each in route.destinations:
            if each.weight:
                self._add(Group.DESTINATIONS, route.origin, shown(each.cluster), each.cluster)

    def _add(self, group: Group, origin: Origin, what: str, value: object, needed: int = 1) -> None:
        # routes of several hosts, and parts of one item, are one
        self._units.setdefault((group, _place(origin), value), Unit(group, origin, what, needed))

    def take(self, decision: Decision, place: str) -> None:
        """
        Count what a request has asked for.

        @param place: Of its test.
        """
        host, belongs = decision.virtual_host, decision.owner
        if host is not None and belongs is not None:
            self._hit((Group.HOSTS, _place(belongs.origin), host.domain), place)
        if host is not None and decision.routed:
            self._take_conditions(host, decision, place)
        route = decision.route
        if route is None:
            return
        self._hit((Group.ROUTES, _place(route.origin), None), place)
        self._hit((Group.ANSWERS, _place(route.origin), None), place)
        for each in route.destinations:
            self._hit((Group.DESTINATIONS, _place(route.origin), each.cluster), place)

    def _take_conditions(self, host: VirtualHost, decision: Decision, place: str) -> None:
        """Follow a request through the matches of its host, up to the one that holds."""
        assert decision.asked is not None
        for route in host.routes:
            places = self._notes.of(route).matches
            for index, match in enumerate(route.matches):
                at, holds = _place(places[index]), True
                for each in tried(match, decision.asked):
                    holds = each.holds
                    self._hit((Group.CONDITIONS, at, (match, each.what)), place, "held" if holds else "failed")
                if holds:
                    self._hit((Group.MATCHES, at, match), place)
                    return
            if not route.matches:
                return

    def _hit(self, key: Key, place: str, way: str = "hit") -> None:
        unit = self._units.get(key)
        if unit is not None and not unit.hit:
            unit.ways.add(way)
            if unit.hit:
                unit.by = place

    def leave_out_unreached(self) -> None:
        """
        Find out what no request reaches, among what no test has hit.

        A match that is reached on one of its hosts is reached, and so is a route of which one match is.
        """
        searches, lost, reached = Searches(), set[Key](), set[Key]()
        for surroundings, host in self._hosts:
            rows = list(self._rows(host))
            if all(self._units[key].hit for _, key in rows):
                reached.update(key for _, key in rows)
                continue
            missed = searches.unreached(tuple(match for match, _ in rows), surroundings)
            for row, (_, key) in enumerate(rows):
                (lost if row in missed else reached).add(key)
        # of routes and their parts, then
        lost -= reached
        routes_reached = {self._route_of[key] for key in reached}
        routes_lost = {self._route_of[key] for key in lost} - routes_reached
        for (group, place, value), unit in self._units.items():
            if group is Group.MATCHES:
                unit.unreached = (group, place, value) in lost
            elif group is Group.CONDITIONS and isinstance(value, tuple):
                unit.unreached = (Group.MATCHES, place, value[0]) in lost
            elif group is not Group.HOSTS:
                unit.unreached = place in routes_lost

    def _rows(self, host: VirtualHost) -> Iterator[tuple[HTTPMatch, Key]]:
        """Yield what a host asks of requests in order, each with the unit that is for it."""
        for route in host.routes:
            places = self._notes.of(route).matches
            for index, match in enumerate(route.matches):
                yield match, (Group.MATCHES, _place(places[index]), match)
            if not route.matches:
                yield HTTPMatch(), (Group.ROUTES, _place(route.origin), None)

    def units(self, group: Group) -> Iterator[Unit]:
        """Yield what is counted of a group, in the order of the files."""
        yield from sorted((unit for unit in self._units.values() if unit.group is group), key=lambda each: each.origin)

    def counted(self, group: Group) -> Iterator[Unit]:
        """Yield what tests can ask for of a group."""
        yield from (unit for unit in self.units(group) if not unit.unreached)

    def percent(self, group: Group) -> float:
        """Return how much was hit of what can be of a group; 100 where there is nothing of it."""
        units = list(self.counted(group))
        return sum(each.hit for each in units) * 100 / len(units) if units else 100.0


def _place(origin: Origin) -> Place:
    return origin, origin.path


def conditions_of(match: HTTPMatch) -> Iterator[tuple[str, str]]:
    """
    Yield the conditions of a match that may fail: what each looks at, as L{tried} names it, and its wish in words.

    The port is left out, as routes for other ports are no part of a virtual host, and a path that is any.
    """
    for part in parts(match):
        if part.wanted is not None and not (part.field == "uri" and any_path(part.wanted)):
            yield f"{part.field}[{part.name}]" if part.name else part.field, words(part.wanted)
