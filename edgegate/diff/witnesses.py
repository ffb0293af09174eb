"""Questions that show a difference, asked of both sides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from edgegate.diff.behaviour import Behaviour, Refused, Renamed, ToHTTPS, of_fault, of_route, of_tcp_route
from edgegate.diff.findings import Witness
from edgegate.diff.sides import Side
from edgegate.explain.decision import Decision, Refusal
from edgegate.explain.question import DEFAULT_PORTS, Question
from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import Listener

CERTIFICATE: Final = b'Hash=00;Subject="CN=any"'
"""What is said of a client's certificate where one is asked for: whether it is good is a matter of the TLS rules."""


@dataclass(frozen=True, slots=True)
class PortPair:
    """
    One port of both sides.

    @ivar old: L{None}: it is not open there.
    """

    old_side: Side
    new_side: Side
    old: Listener | None
    new: Listener | None
    renamed: Renamed

    @property
    def either(self) -> Listener:
        """The listener of NEW, or of OLD where there is none."""
        found = self.new if self.new is not None else self.old
        assert found is not None
        return found

    @property
    def number(self) -> int:
        """The port that files name."""
        return self.either.port

    @property
    def bound(self) -> int:
        """The port that a client connects to."""
        bind = self.either.bind
        return bind.port if isinstance(bind, TCPAddress) else 0

    @property
    def both(self) -> tuple[Listener | None, Listener | None]:
        """Both listeners."""
        return self.old, self.new


class Checker:
    """Asks both sides of a port."""

    def __init__(self, pair: PortPair) -> None:
        self._pair = pair
        self._old = pair.old_side.decider(pair.old)
        self._new = pair.new_side.decider(pair.new)

    def question(self, tls: bool, server_name: str, host: str) -> Question:
        """Return what a client sends that asks for the front page of a host."""
        return replace(self.connection(tls, server_name), method=b"GET", authority=self.authority(tls, host))

    def connection(self, tls: bool, server_name: str) -> Question:
        """Return what a client begins with."""
        pair = self._pair
        chains = (chain for each in pair.both if each is not None for chain in each.chains())
        asked = any(chain.tls is not None and chain.tls.rules.verification is not None for chain in chains)
        certificate = CERTIFICATE if tls and asked else b""
        # by the number that is bound where files have none
        return Question(pair.number or pair.bound, tls, server_name, b"http/1.1" if tls else b"", certificate)

    def authority(self, tls: bool, host: str) -> bytes:
        """Return a host as browsers send it: with the port where that is not the scheme's own."""
        number = self._pair.number
        return host.encode("ascii") + (b"" if number in (0, DEFAULT_PORTS[tls]) else b":%d" % number)

    def ask(self, question: Question) -> tuple[Decision, Decision]:
        """Return what both sides make of a question."""
        return self._old.decide(question), self._new.decide(question)

    def behaviours(self, question: Question) -> tuple[Behaviour, Behaviour]:
        """Return what becomes of a question on both sides."""
        old, new = self.ask(question)
        return of_decision(old, self._pair.renamed), of_decision(new)

    def witness(self, question: Question) -> Witness | None:
        """Return a witness, where both sides treat a question otherwise."""
        decisions = self.ask(question)
        if of_decision(decisions[0], self._pair.renamed) == of_decision(decisions[1]):
            return None
        old, new = (origin_of(each) for each in decisions)
        return Witness(question, self._pair.bound, old, new)


def of_decision(decision: Decision, renamed: Renamed | None = None) -> Behaviour:
    """Return what becomes of what was asked."""
    refusal = decision.refusal
    if refusal is not None:
        return Refused(400 if refusal is Refusal.HTTP_IN_THE_CLEAR else 0, refusal.value)
    if decision.fault is not None:
        return of_fault(decision.fault)
    if decision.redirect_port is not None:
        return ToHTTPS(decision.redirect_port)
    route = decision.route
    if isinstance(route, HTTPRoute):
        return of_route(route, renamed or {})
    return of_tcp_route(route, renamed or {})


def origin_of(decision: Decision) -> Origin | None:
    """Return where the files say what becomes of it: the route, or as much as was found."""
    if decision.route is not None:
        return decision.route.origin
    if decision.owner is not None and decision.redirect_port is not None:
        return decision.owner.origin
    if decision.chain is not None:
        return decision.chain.origin
    return None if decision.listener is None else decision.listener.origin


def pairs(old: Side, new: Side, renamed: Renamed) -> Iterator[PortPair]:
    """Yield all ports of both sides: by what is bound, else by the number in the files where that is one on each."""
    left = list(new.snapshot.listeners)
    found: list[tuple[Listener | None, Listener | None]] = []
    alone: list[Listener] = []
    for each in old.snapshot.listeners:
        same = next((other for other in left if (other.port, other.bind) == (each.port, each.bind)), None)
        if same is None:
            alone.append(each)
        else:
            left.remove(same)
            found.append((each, same))
    for each in alone:
        alike = [other for other in left if other.port == each.port and each.port]
        only = len(alike) == 1 and sum(other.port == each.port for other in alone) == 1
        if only:
            left.remove(alike[0])
        found.append((each, alike[0] if only else None))
    found += [(None, each) for each in left]
    pairs = [PortPair(old, new, *each, renamed) for each in found]
    yield from sorted(pairs, key=lambda pair: (pair.number, str(pair.either.bind)))
