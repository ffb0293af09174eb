"""Each route that is tried for a question, with the first of its conditions that fails; and which name was found by."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from edgegate.explain.conditions import Tested, tried
from edgegate.explain.decision import Decision
from edgegate.http.exchange import Exchange
from edgegate.model.hosts import covers
from edgegate.model.matching import HTTPMatch
from edgegate.model.notes import LeftOut, Notes
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute, TCPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.hosts import HostTable, host_of
from edgegate.routing.snapshot import VirtualHost
from edgegate.tcp.routes import holds

T = TypeVar("T")

_EVERYTHING = HTTPMatch()


@dataclass(frozen=True, slots=True)
class Trial:
    """
    A match of a route, tried.

    @ivar number: Of the match in its route, from 0.
    @ivar match: L{None}: a route of connections, or one that takes everything.
    @ivar origin: Where the match is said.
    @ivar failed: The first condition that fails; L{None}: all hold, or the answer is in C{why}.
    @ivar delegated: Where another object leaves requests to the route's.
    @ivar why: Why a connection is not the route's, or what keeps a request from it beside its conditions; empty: it is.
    """

    route: HTTPRoute | TCPRoute
    number: int
    match: HTTPMatch | None
    origin: Origin
    failed: Tested | None = None
    why: str = ""
    delegated: Origin | None = None

    @property
    def held(self) -> bool:
        """Whether the route takes it."""
        return self.failed is None and not self.why


def trials(decision: Decision, notes: Notes) -> Iterator[Trial]:
    """Yield what is tried, in its order, up to what takes the question."""
    if decision.asked is not None:
        if decision.virtual_host is None or not decision.routed:
            return
        for trial in _http_trials(decision.virtual_host, decision.asked, notes):
            yield trial
            if trial.held:
                return
    elif decision.connection is not None and decision.chain is not None and decision.denied is None:
        for number, route in enumerate(decision.chain.tcp or ()):
            trial = Trial(route, number, None, route.origin, None, _tcp_obstacle(route, decision.connection))
            yield trial
            if trial.held:
                return


def _http_trials(host: VirtualHost, asked: Exchange, notes: Notes) -> Iterator[Trial]:
    for route in host.routes:
        note = notes.of(route)
        for number, match in enumerate(route.matches or (_EVERYTHING,)):
            failed = next((each for each in tried(match, asked) if not each.holds), None)
            why = ""
            if failed is None and asked.head.path == b"*" and all(each.uri is None for each in route.matches):
                why = "a route that asks for no path takes those that begin with a slash, which OPTIONS * does not"
            said = match if route.matches else None
            yield Trial(route, number, said, note.matches[number], failed, why, note.delegated)


def behind(decision: Decision, notes: Notes, taken: Trial) -> Iterator[Trial]:
    """Yield what would take a request as well, but stands behind the match that does: other routes alone."""
    assert decision.virtual_host is not None
    assert decision.asked is not None
    passed = False
    for trial in _http_trials(decision.virtual_host, decision.asked, notes):
        if passed and trial.held and trial.route.origin != taken.route.origin:
            yield trial
        passed = passed or trial.route is taken.route


def left_out_for(decision: Decision, notes: Notes) -> Iterator[LeftOut]:
    """Yield what the files say of a question's host and port, and what is not served there, if it would take it."""
    name, port = name_of(decision), decision.question.port
    number = port if decision.listener is None else decision.listener.port
    for left in notes.left_out:
        if left.port not in (None, number) or not _is_for(left.domains, name):
            continue
        if left.match is None or (decision.asked is not None and _would_hold(left.match, decision.asked)):
            yield left


def _is_for(domains: tuple[str, ...], name: str) -> bool:
    """Whether something is for a host; where a connection names none, it may be for it."""
    return not name or not domains or any(covers(domain, name) for domain in domains)


def _would_hold(match: HTTPMatch, asked: Exchange) -> bool:
    return all(each.holds for each in tried(match, asked))


def name_of(decision: Decision) -> str:
    """Return the host that a question is about: that of its request, or the SNI name; empty: it names none."""
    question = decision.question
    if decision.asked is not None:
        return decision.asked.head.host
    try:
        return host_of(question.authority) if question.method else question.server_name
    except ValueError:
        return question.server_name


def contenders(table: HostTable[T], name: str) -> list[tuple[str, T]]:
    """Return all patterns of a table that have a name, the one that wins first: the narrowest."""
    found = [(pattern, value) for pattern, value in table.items() if _covers(pattern, name)]
    return sorted(found, key=lambda each: (each[0].startswith("*"), -len(each[0])))


def _covers(pattern: str, name: str) -> bool:
    return pattern == "*" if not name else covers(pattern, name)


def _tcp_obstacle(route: TCPRoute, connection: ConnectionInfo) -> str:
    """Return the first condition of a route of connections that fails, by the conditions of L{route_of}."""
    name = connection.server_name
    if route.sni_hosts and not any(covers(pattern, name) for pattern in route.sni_hosts):
        return f"SNI should be {_any(route.sni_hosts)}, is {name or 'none'}"
    if route.destination_subnets and not holds(route.destination_subnets, connection.local):
        return f"the local address should be in {_any(route.destination_subnets)}, is {connection.local}"
    if route.source_subnets and not holds(route.source_subnets, connection.peer):
        return f"the client's address should be in {_any(route.source_subnets)}, is {connection.peer}"
    return ""


def _any(values: Iterable[str]) -> str:
    return " or ".join(values)
