"""
How two filter chains relay connections: by the addresses of both ends.

Subnets are nested or apart. So between the beginnings and ends of all that either side names, addresses are treated
alike, and one of each such range stands for it: all pairs of them are asked of both sides.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Final

from edgegate.diff.behaviour import between, summary
from edgegate.diff.findings import Difference, Findings, Section, Undecided
from edgegate.diff.servers import Treatment
from edgegate.diff.witnesses import Checker, PortPair
from edgegate.explain.question import Question
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.routes import TCPRoute
from edgegate.routing.snapshot import FilterChain
from edgegate.tcp.routes import networks

MOST: Final = 20_000
"""Pairs of addresses that are asked about."""

_PORT: Final = 40000
_EVERYWHERE: Final = ("0.0.0.0", "::")
_USUAL: Final = ("192.0.2.1", "2001:db8::1")
"""Addresses of nobody (RFC 5737, RFC 3849), asked about first."""


class ConnectionComparison:
    """Compares filter chains of one port that relay bytes."""

    def __init__(self, pair: PortPair, checker: Checker, findings: Findings) -> None:
        self._pair = pair
        self._checker = checker
        self._findings = findings

    def compare(self, taken: tuple[Treatment, Treatment], question: Question, place: str, host: str) -> None:
        """
        Compare what two chains do with connections that begin so.

        @param host: The pattern of the SNI name, or empty.
        """
        chains = [each for each in taken if isinstance(each, FilterChain)]
        if chains[0].tcp == chains[1].tcp and not self._pair.renamed:
            return
        routes = [route for chain in chains for route in chain.tcp or ()]
        where = f"{place}, {host}" if host else place
        questions = list(islice(self._questions(question, routes), MOST + 1))
        if len(questions) > MOST:
            reason = f"the subnets of its routes make more than {MOST} pairs of addresses, which are too many"
            self._findings.undecided.append(Undecided(where, reason, host))
            return
        told = set()
        for each in questions:
            old, new = self._checker.behaviours(each)
            if old != new and (old, new) not in told:
                told.add((old, new))
                self._findings.differences.append(
                    Difference(
                        Section.CONNECTIONS,
                        where,
                        summary(old),
                        summary(new),
                        between(old, new),
                        host,
                        witness=self._checker.witness(each),
                    )
                )

    def _questions(self, question: Question, routes: list[TCPRoute]) -> Iterator[Question]:
        """Yield a connection for each pair of ranges that both ends may be in."""
        peers = list(_addresses(route.source_subnets for route in routes))
        for local in self._local([route.destination_subnets for route in routes]):
            if isinstance(local, UNIXAddress):
                yield replace(question, local=local, peer=UNIXAddress(""))
                continue
            version = _version(local)
            yield from (
                replace(question, local=local, peer=TCPAddress(peer, _PORT))
                for peer in peers
                if _version(TCPAddress(peer, _PORT)) == version
            )

    def _local(self, subnets: list[tuple[str, ...]]) -> Iterator[TCPAddress | UNIXAddress]:
        """Yield the addresses that clients may have connected to."""
        bind = self._pair.either.bind
        if not isinstance(bind, TCPAddress) or bind.host not in _EVERYWHERE:
            yield bind
            return
        for address in _addresses(subnets):
            if ":" not in address or bind.host == "::":
                yield TCPAddress(address, bind.port)


def _addresses(subnets: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield an address out of each range between two ends of subnets, of each version of IP; the usual ones first."""
    bounds: dict[int, set[int]] = {4: {0}, 6: {0}}
    for each in subnets:
        for network in networks(each):
            first, last = int(network.network_address), int(network.broadcast_address)
            bounds[network.version] |= {first, last + 1}
    for (version, ends), usual in zip(bounds.items(), _USUAL, strict=True):
        made = IPv4Address if version == 4 else IPv6Address
        yield usual
        largest = (1 << made(0).max_prefixlen) - 1
        yield from (str(made(end)) for end in sorted(ends) if end <= largest and (len(ends) > 1))


def _version(address: TCPAddress) -> int:
    return 6 if ":" in address.host else 4
