"""How two virtual hosts treat requests: their routes as ordered lists of conditions, compared as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from edgegate.analysis.comparison import Comparison
from edgegate.analysis.wire import Surroundings
from edgegate.analysis.wire import Witness as Request
from edgegate.diff.behaviour import Behaviour, Renamed, ToHTTPS, between, of_route, summary
from edgegate.diff.cells import Cell
from edgegate.diff.findings import Difference, Findings, Section, Undecided, Witness
from edgegate.diff.lists import Lists
from edgegate.diff.policies import between_policies, policies_of
from edgegate.diff.witnesses import Checker, PortPair
from edgegate.explain.question import Question
from edgegate.http.target import PathNormalisation
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.routing.snapshot import VirtualHost

_NOTHING: Final = "404 (no route)"
_ANY: Final = StringMatch(Kind.PRESENT)
_HTTP: Final = StringMatch(Kind.EXACT, "http")
_FORWARDED: Final = b"x-forwarded-proto"

MOST: Final = 1000
"""Differences of two virtual hosts that are looked for."""


@dataclass(frozen=True, slots=True)
class HostPair:
    """
    What both sides have for the hosts of a cell.

    @ivar server_name: The SNI name of the connection; empty: none, or it is in the clear.
    @ivar old: L{None}: every request is answered 404.
    """

    cell: Cell
    server_name: str
    tls: bool
    old: VirtualHost | None
    new: VirtualHost | None

    @property
    def both(self) -> tuple[VirtualHost | None, VirtualHost | None]:
        """Both virtual hosts."""
        return self.old, self.new


class HostComparison:
    """
    Compares virtual hosts of one port.

    @ivar policies_told: Whether it was told already that those of the servers are others.
    """

    def __init__(self, pair: PortPair, checker: Checker, findings: Findings) -> None:
        self._pair = pair
        self._checker = checker
        self._findings = findings
        self.policies_told = False
        self._equal: set[tuple[int, int]] = set()
        self._lists = Lists()
        self._plain_paths = all(
            side.snapshot.proxy.paths != PathNormalisation.NONE.value for side in (pair.old_side, pair.new_side)
        )
        # where only one side trusts a proxy, that is told of the gateway as a whole
        self._forwarded = all(side.snapshot.proxy.trusted_hops for side in (pair.old_side, pair.new_side))

    def compare(self, hosts: HostPair, place: str) -> None:
        """
        Compare two virtual hosts, and tell what they do otherwise.

        @param place: The port, in words.
        """
        where = f"{place}, {hosts.cell.pattern}"
        self._tell_policies(hosts, where)
        if self._same(hosts):
            return
        rows = self._rows(hosts.old, self._pair.renamed), self._rows(hosts.new, {})
        if _serves(hosts.old) != _serves(hosts.new):
            outcome = self._lists.compare(*rows, self._surroundings(hosts), 1)
            self._tell_served(hosts, where, outcome)
        else:
            outcome = self._lists.compare(*rows, self._surroundings(hosts), MOST)
            for each in outcome.differences:
                self._tell(hosts, where, self._question(hosts, each.request))
        undecided = list(outcome.undecided)
        if len(outcome.differences) == MOST:
            undecided.append(f"there may be more: {MOST} differences were looked for")
        self._findings.undecided += [Undecided(where, reason, hosts.cell.pattern) for reason in undecided]

    def _same(self, hosts: HostPair) -> bool:
        """Whether both have the same routes, or none does anything."""
        old, new = hosts.old, hosts.new
        if old is new:
            return True
        if old is None or new is None:
            return not _serves(old) and not _serves(new)
        if old.redirect_port != new.redirect_port:
            return False
        if old.redirect_port is not None and not self._forwarded:
            return True
        key = id(old), id(new)
        if key not in self._equal and old.routes == new.routes:
            self._equal.add(key)
        return key in self._equal

    # What is compared ------------------------------------------------------------------------------------------------

    def _rows(self, host: VirtualHost | None, renamed: Renamed) -> list[tuple[tuple[HTTPMatch, ...], Behaviour]]:
        """Return the routes of a virtual host, behind what sends its requests to HTTPS."""
        if host is None:
            return []
        routes = [(route.matches, of_route(route, renamed)) for route in host.routes]
        if host.redirect_port is None:
            return routes
        to_https = ToHTTPS(host.redirect_port)
        if self._forwarded:
            # behind a trusted proxy that ends TLS the client has followed the redirect already
            return [((HTTPMatch(uri=_ANY, scheme=_HTTP),), to_https), *routes]
        return [((HTTPMatch(uri=_ANY),), to_https)]

    def _surroundings(self, hosts: HostPair) -> Surroundings:
        schemes = (b"https", b"http") if hosts.tls else (b"http", b"https")
        authority = self._checker.authority(hosts.tls, hosts.cell.name).decode("ascii")
        return Surroundings(
            self._pair.number,
            schemes if self._forwarded else schemes[:1],
            hosts.cell.pattern,
            authority,
            self._plain_paths,
        )

    def _question(self, hosts: HostPair, request: Request) -> Question:
        usual = b"https" if hosts.tls else b"http"
        fields = request.sent if request.scheme == usual else (*request.sent, (_FORWARDED, request.scheme))
        begun = self._checker.connection(hosts.tls, hosts.server_name)
        return replace(
            begun,
            method=request.method,
            target=request.target,
            authority=request.authority,
            headers=fields,
            claims=request.claim_fields,
        )

    # What is told -----------------------------------------------------------------------------------------------------

    def _tell(self, hosts: HostPair, where: str, question: Question) -> None:
        """Tell what both sides do with a question, once they were asked."""
        witness = self._witness(hosts, where, question)
        if witness is not None:
            pair = self._checker.behaviours(question)
            old, new = map(summary, pair)
            found = Difference(Section.REQUESTS, where, old, new, between(*pair), hosts.cell.pattern, witness=witness)
            self._findings.differences.append(found)

    def _tell_policies(self, hosts: HostPair, where: str) -> None:
        """Tell of other policies on a host; where those of the whole server differ, that was told."""
        old, new = hosts.old, hosts.new
        if self.policies_told or old is None or new is None or old.guards is new.guards:
            return
        fields = between_policies(policies_of(old.guards), policies_of(new.guards))
        if fields:
            found = Difference(Section.HOSTS, where, "", "", fields, host=hosts.cell.pattern)
            self._findings.differences.append(found)

    def _tell_served(self, hosts: HostPair, where: str, outcome: Comparison[Behaviour]) -> None:
        """Tell of a host that one side alone serves, with a witness."""
        for each in outcome.differences:
            witness = self._witness(hosts, where, self._question(hosts, each.request))
            if witness is not None:
                old, new = _served(hosts.old), _served(hosts.new)
                found = Difference(Section.HOSTS, where, old, new, host=hosts.cell.pattern, witness=witness)
                self._findings.differences.append(found)

    def _witness(self, hosts: HostPair, where: str, question: Question) -> Witness | None:
        """Return a witness; what was to be one and is none is not decided."""
        witness = self._checker.witness(question)
        if witness is None:
            reason = f"{question.url} was to tell both sides apart, and does not"
            self._findings.undecided.append(Undecided(where, reason, hosts.cell.pattern))
        return witness


def _serves(host: VirtualHost | None) -> bool:
    """Whether a virtual host has anything but 404."""
    return host is not None and (bool(host.routes) or host.redirect_port is not None)


def _served(host: VirtualHost | None) -> str:
    """Return what a virtual host has, in words."""
    if host is None or not _serves(host):
        return _NOTHING
    if host.redirect_port is not None:
        return summary(ToHTTPS(host.redirect_port))
    return "served"
