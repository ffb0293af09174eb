"""How two sides serve one port: what is open, who is found by which SNI name, and which host belongs to whom."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from edgegate.diff.behaviour import of_fault, summary
from edgegate.diff.cells import Cell, cells
from edgegate.diff.connections import ConnectionComparison
from edgegate.diff.fields import FieldChange, changes
from edgegate.diff.findings import Difference, Findings, Section, Undecided, Witness
from edgegate.diff.policies import between_chains
from edgegate.diff.requests import HostComparison, HostPair
from edgegate.diff.servers import Treatment, kind, terms, treatment
from edgegate.diff.witnesses import Checker, PortPair
from edgegate.errors import MISDIRECTED
from edgegate.explain.question import Question
from edgegate.model.addresses import TCPAddress
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, VirtualHost

_NO_NAME: Final = Cell("", "")
"""A client that sends no SNI name."""

_MOST_PAIRS: Final = 250_000
"""Pairs of servers that are looked at for what is misdirected."""

Taken = tuple[Treatment, Treatment]


class PortComparison:
    """Compares one port; what it finds goes to the findings."""

    def __init__(self, pair: PortPair, findings: Findings) -> None:
        self._pair = pair
        self._findings = findings
        self._checker = Checker(pair)
        self._place = f"port {pair.number}" if pair.number else str(pair.either.bind)
        self._hosts = HostComparison(pair, self._checker, findings)
        self._connections = ConnectionComparison(pair, self._checker, findings)

    def run(self) -> None:
        """Compare."""
        old, new = self._pair.both
        if old is None or new is None:
            self._opened_or_closed()
            return
        bound = tuple(changes(old.bind, new.bind, "address"))
        if bound:
            self._tell(Section.PORTS, "", "", "", bound)
        self._plain()
        if len(old.secure) or len(new.secure):
            self._secure(old, new)

    def _tell(
        self,
        section: Section,
        host: str,
        old: str,
        new: str,
        fields: tuple[FieldChange, ...] = (),
        witness: Witness | None = None,
        how: str = "",
    ) -> None:
        place = ", ".join(part for part in (self._place, f"{how} {host}".strip()) if part)
        self._findings.differences.append(Difference(section, place, old, new, fields, host, witness=witness))

    # A port that one side has ---------------------------------------------------------------------------------------

    def _opened_or_closed(self) -> None:
        listener = self._pair.either
        served = "; ".join(dict.fromkeys(_served(listener)))
        closed = "closed: nothing listens"
        texts = (closed, f"open: {served}") if self._pair.old is None else (f"open: {served}", closed)
        self._tell(Section.PORTS, "", *texts, witness=self._first_witness(listener))

    def _first_witness(self, listener: Listener) -> Witness | None:
        """Return something that is served on a side alone."""
        if isinstance(listener.bind, TCPAddress):
            for chain, tls, name in _first_names(listener):
                question = self._checker.question(tls, name, name or "any.example")
                if chain.http is None:
                    question = self._checker.connection(tls, name)
                witness = self._checker.witness(question)
                if witness is not None:
                    return witness
        return None

    # In the clear ----------------------------------------------------------------------------------------------------

    def _plain(self) -> None:
        question = self._checker.question(False, "", "any.example")
        old, new = (treatment(each, question) for each in self._pair.both)
        if not self._same_kind((old, new), question, "in the clear", ""):
            return
        assert isinstance(old, FilterChain) and isinstance(new, FilterChain)
        fields = tuple(terms(old, new, self._pair.old_side, self._pair.new_side))
        if fields:
            self._tell(Section.PORTS, "", "", "", fields, how="in the clear")
            self._hosts.policies_told |= bool(between_chains(old, new))
        if old.http is None or new.http is None:
            self._connections.compare((old, new), self._checker.connection(False, ""), self._place, "")
            return
        for cell in cells(_patterns(old.http, new.http)):
            hosts = HostPair(cell, "", False, old.http.lookup(cell.name), new.http.lookup(cell.name))
            self._hosts.compare(hosts, self._place)

    def _same_kind(self, taken: Taken, question: Question, how: str, name: str) -> bool:
        """Tell where two sides do something else with a connection; return whether there is more to compare."""
        before, after = map(kind, taken)
        if before != after:
            witness = self._checker.witness(question)
            self._tell(_section(how), name, before, after, witness=witness, how=how)
            return False
        return isinstance(taken[0], FilterChain)

    # By TLS ----------------------------------------------------------------------------------------------------------

    def _secure(self, old: Listener, new: Listener) -> None:
        names = [_NO_NAME, *cells([*_names(old.secure), *_names(new.secure)])]
        taken: dict[Cell, Taken] = {}
        for cell in names:
            pair = self._taken(cell.name)
            same = self._same_kind(
                pair, self._checker.question(True, cell.name, cell.name or "any.example"), *_by(cell)
            )
            if not same or not isinstance(pair[0], FilterChain) or not isinstance(pair[1], FilterChain):
                continue
            fields = tuple(terms(pair[0], pair[1], self._pair.old_side, self._pair.new_side))
            if fields:
                self._tell(Section.TLS, cell.pattern, "", "", fields, how=_by(cell)[0])
                self._hosts.policies_told |= bool(between_chains(pair[0], pair[1]))
            taken[cell] = pair
            if pair[0].http is None:
                self._connections.compare(pair, self._checker.connection(True, cell.name), self._place, cell.pattern)
        self._secure_hosts(old, new, taken)
        self._misdirected(taken)

    def _taken(self, server_name: str) -> Taken:
        question = self._checker.connection(True, server_name)
        old, new = (treatment(each, question) for each in self._pair.both)
        return old, new

    def _secure_hosts(self, old: Listener, new: Listener, taken: dict[Cell, Taken]) -> None:
        """Compare each host over a connection whose SNI name it is, and those of no server over any connection."""
        patterns = dict.fromkeys([*_names(old.secure), *_names(new.secure), *_tables(old), *_tables(new)])
        for cell in cells(patterns):
            owners = old.secure.lookup(cell.name), new.secure.lookup(cell.name)
            if owners == (None, None):
                self._ownerless(cell, taken)
                continue
            sni = "" if _is_address(cell.name) else cell.name
            pair = self._taken(sni)
            if not _serves(pair[0]) or not _serves(pair[1]) or (not sni and self._is_misdirected(cell)):
                continue
            hosts = (_found(chain, owner, cell.name) for chain, owner in zip(pair, owners, strict=True))
            self._hosts.compare(HostPair(cell, sni, True, *hosts), self._place)

    def _is_misdirected(self, cell: Cell) -> bool:
        """Tell of an address, for which no SNI name is sent, where one side answers 421; return whether one does."""
        question = self._checker.question(True, "", cell.name)
        old, new = self._checker.behaviours(question)
        misdirected = of_fault(MISDIRECTED)
        if old != new and misdirected in (old, new):
            witness = self._checker.witness(question)
            self._tell(Section.TLS, cell.pattern, summary(old), summary(new), witness=witness)
        return misdirected in (old, new)

    def _ownerless(self, cell: Cell, taken: dict[Cell, Taken]) -> None:
        """Compare a host that is no SNI name of any server: it is the host of whichever server the SNI name chose."""
        seen: set[tuple[int, int]] = set()
        for name, (before, after) in taken.items():
            if not _serves(before) or not _serves(after):
                continue
            hosts = _found(before, None, cell.name), _found(after, None, cell.name)
            key = id(hosts[0]), id(hosts[1])
            if hosts != (None, None) and key not in seen:
                seen.add(key)
                self._hosts.compare(HostPair(cell, name.name, True, *hosts), self._place)

    def _misdirected(self, taken: dict[Cell, Taken]) -> None:
        """
        Compare which hosts are answered 421 over a connection of another server.

        That depends on the TLS rules of both alone: one host stands for all whose servers have the same rules.
        """
        classes: dict[tuple[int, int], Cell] = {}
        rules: dict[object, int] = {}
        for cell, (before, after) in taken.items():
            if _serves(before) and _serves(after):
                classes.setdefault((_number(before, rules), _number(after, rules)), cell)
        if len(classes) ** 2 > _MOST_PAIRS:
            reason = f"{len(classes)} servers with TLS rules of their own are too many to compare each with each"
            self._findings.undecided.append(Undecided(self._place, reason))
            return
        for (was, now), cell in classes.items():
            for (was_owner, now_owner), host in classes.items():
                if (was == was_owner) != (now == now_owner) and host.name and not _is_address(host.name):
                    self._told_misdirected(cell, host)

    def _told_misdirected(self, cell: Cell, host: Cell) -> None:
        question = self._checker.question(True, cell.name, host.name)
        old, new = self._checker.behaviours(question)
        witness = self._checker.witness(question)
        if witness is not None:
            how = f"SNI {cell.pattern or 'none'} and host"
            self._tell(Section.TLS, host.pattern, summary(old), summary(new), witness=witness, how=how)


def compare_port(pair: PortPair, findings: Findings) -> None:
    """Compare one port of two sides."""
    PortComparison(pair, findings).run()


def _section(how: str) -> Section:
    return Section.PORTS if how == "in the clear" else Section.TLS


def _by(cell: Cell) -> tuple[str, str]:
    return ("SNI", cell.pattern) if cell.pattern else ("without an SNI name", "")


def _served(listener: Listener) -> Iterator[str]:
    """Yield what a port is for, in words."""
    for chain in listener.chains():
        hosts = [*(chain.hosts or ("*",))]
        more = f" and {len(hosts) - 3} more" if len(hosts) > 3 else ""
        yield f"{kind(chain)} for {', '.join(hosts[:3])}{more}"


def _first_names(listener: Listener) -> Iterator[tuple[FilterChain, bool, str]]:
    """Yield some chains with a name that finds them."""
    if listener.plain is not None:
        http = listener.plain.http
        found = [*cells(pattern for pattern, _ in http.items())][:3] if http is not None else []
        yield from ((listener.plain, False, cell.name) for cell in found)
        yield listener.plain, False, ""
    for cell in [*cells(_names(listener.secure))][:3]:
        chain = listener.secure.lookup(cell.name)
        if chain is not None:
            yield chain, True, cell.name


def _names(table: HostTable[FilterChain]) -> list[str]:
    return [pattern for pattern, _ in table.items()]


def _patterns(old: HostTable[VirtualHost], new: HostTable[VirtualHost]) -> list[str]:
    return list(dict.fromkeys(pattern for table in (old, new) for pattern, _ in table.items()))


def _tables(listener: Listener) -> Iterator[str]:
    """Yield the patterns of hosts of all servers that are found by SNI."""
    for chain in listener.chains():
        if chain is not listener.plain and chain.http is not None:
            yield from (pattern for pattern, _ in chain.http.items())


def _serves(taken: Treatment) -> bool:
    """Whether requests are read."""
    return isinstance(taken, FilterChain) and taken.http is not None


def _found(taken: Treatment, owner: FilterChain | None, host: str) -> VirtualHost | None:
    """
    Return the virtual host of a name, or L{None}: 404.

    @param taken: The chain of the connection.
    @param owner: The one that the host belongs to, if there is one.
    """
    assert isinstance(taken, FilterChain)
    chain = taken if owner is None else owner
    return None if chain.http is None else chain.http.lookup(host)


def _number(taken: Treatment, known: dict[object, int]) -> int:
    """Return the number of a chain's TLS rules among those that are known."""
    assert isinstance(taken, FilterChain)
    return known.setdefault(None if taken.tls is None else taken.tls.rules, len(known))


def _is_address(name: str) -> bool:
    """Whether a host is an IP address, for which no SNI name is sent (RFC 6066 section 3)."""
    return name.startswith("[") or name.replace(".", "").isdigit()
