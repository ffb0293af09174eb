"""
Finding the addresses of one name once: in hosts, from the name servers with the time that they may be relied on, or as
the system does.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.logger import Logger
from twisted.names import dns
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.model.addresses import TCPAddress
from edgegate.net.sockets import has_route
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.dns.answers import MAX_ADDRESSES, MAX_CHAIN, Records, Verdict, is_askable, read_message
from edgegate.upstream.dns.exchange import Ask, DNSExchanges, DNSReactor, NoAnswer
from edgegate.upstream.dns.name_files import NameFiles, NameRules

MOST_AT_ONCE = 64
"""Names that name servers are asked for at one time; each needs two sockets."""

MOST_CALLS = 3
"""Calls of the system's resolver for one name that are not answered yet."""

GRACE = 1.0
"""Seconds that an answer of one kind waits for the other: there are servers that never answer for IPv6."""

log = Logger(namespace=__name__)


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What a look-up found.

    @ivar addresses: IPv4 and IPv6 literals, each once, those of a kind that can be reached first; none: it failed.
    @ivar ttl: Seconds that they may be relied on; L{None} where nobody says.
    @ivar missing: Kinds (C{dns.A}, C{dns.AAAA}) that nothing is known of, as their query failed.
    """

    addresses: tuple[str, ...] = ()
    ttl: float | None = None
    missing: frozenset[int] = frozenset()


T = TypeVar("T")

Tell = Callable[[Answer], None]
Cancel = Callable[[], object]


class Lookups(Protocol):
    """Finds names."""

    def begin(self, name: str, tell: Tell) -> Cancel:
        """
        Look a name up, and tell of the outcome once: maybe before this returns, maybe never.

        @return: Forgets it; may be called at any time.
        """

    def changed(self) -> bool:
        """Look whether names may be found in another way from now on."""


def find(lookups: Lookups, name: str) -> Deferred[Answer]:
    """Look a name up. The result fires with the answer, before this returns or later, and may be cancelled."""

    def tell(answer: Answer) -> None:
        if not found.called:
            found.callback(answer)

    def cancel(_: object) -> None:
        forget()

    found: Deferred[Answer] = Deferred(cancel)
    forget = lookups.begin(name, tell)
    return found


class SystemLookups:
    """
    As the system does: by the reactor's own resolver, which asks C{getaddrinfo} in threads. It knows no times.

    Such a call can't be given up. Where several for one name are not answered, whoever asks for it waits for the latest
    of them, so that they do not take up all threads.
    """

    __slots__ = ("_calls", "_reactor")

    def __init__(self, reactor: IReactorPluggableNameResolver) -> None:
        self._reactor = reactor
        self._calls: dict[str, list[_Receiver]] = {}

    def begin(self, name: str, tell: Tell) -> Cancel:
        """As L{Lookups} says."""
        calls = self._calls.setdefault(name, [])
        if len(calls) >= MOST_CALLS:
            return calls[-1].add(tell)
        receiver = _Receiver(partial(self._ended, name))
        forget = receiver.add(tell)
        calls.append(receiver)
        self._reactor.nameResolver.resolveHostName(receiver, name)
        return forget

    def _ended(self, name: str, receiver: _Receiver) -> None:
        calls = self._calls.get(name, [])
        if receiver in calls:
            calls.remove(receiver)
        if not calls:
            self._calls.pop(name, None)

    def changed(self) -> bool:
        """The system looks for itself."""
        return False


class DNSLookups:
    """
    By hosts and DNS, as far as the files of the machine say so, else as the system does.

    Where name servers are given, nobody else is asked: others may know other addresses of a name (split DNS).
    """

    __slots__ = ("_ask", "_files", "_only_dns", "_reaches", "_system", "_under_way", "_waiting", "_wheel")

    def __init__(
        self,
        ask: Ask,
        files: NameFiles,
        wheel: TimerWheel,
        system: Lookups,
        only_dns: bool = False,
        reaches: Callable[[str], bool] = has_route,
    ) -> None:
        """
        @param system: Asked for what DNS does not know, unless C{only_dns}.
        @param reaches: Whether there is a way to an address: addresses of a kind that is not reached come last.
        """
        self._ask = ask
        self._files = files
        self._wheel = wheel
        self._system = system
        self._only_dns = only_dns
        self._reaches = reaches
        self._under_way = 0
        self._waiting: deque[tuple[Deferred[None], Deferred[None]]] = deque()

    def begin(self, name: str, tell: Tell) -> Cancel:
        """As L{Lookups} says."""
        rules = self._files.rules
        known = rules.known(name)
        if known:
            tell(Answer(known))
            return _nothing
        if rules.is_systems(name) and not (self._only_dns and rules.servers):
            return self._system.begin(name, tell)
        turn: Deferred[None] = Deferred()
        searched: Deferred[None] = Deferred()
        finding = Deferred.fromCoroutine(self._find(name, turn, searched))
        finding.addCallback(tell).addErrback(given_up)
        self._waiting.append((turn, searched))
        if self._under_way < MOST_AT_ONCE:
            Deferred.fromCoroutine(self._go_on())
        return finding.cancel

    def changed(self) -> bool:
        """Whether resolv.conf, nsswitch.conf or hosts says something else than before."""
        return self._files.changed()

    async def _find(self, name: str, turn: Deferred[None], searched: Deferred[None]) -> Answer:
        """Ask the name servers when it is one's turn, and then maybe the system, which has limits of its own."""
        await turn
        searching = Deferred.fromCoroutine(_Search(self._ask, self._files.rules, self._wheel, self._reaches).run(name))
        searching.addBoth(_told, searched)
        answer = await searching
        if answer.addresses or self._only_dns:
            return answer
        return await find(self._system, name)

    async def _go_on(self) -> None:
        """Let one after the other have its turn: in a loop, or names that fail at once would nest without end."""
        self._under_way += 1
        while self._waiting:
            turn, searched = self._waiting.popleft()
            if not turn.called:
                turn.callback(None)
                await searched
        self._under_way -= 1


def machine_lookups(reactor: object, wheel: TimerWheel, servers: tuple[TCPAddress, ...] = ()) -> DNSLookups:
    """
    Return how this machine finds names.

    @param servers: Asked in place of those in resolv.conf, and of all others.
    """
    ask = DNSExchanges(cast(DNSReactor, reactor), wheel)
    system = SystemLookups(cast(IReactorPluggableNameResolver, reactor))
    return DNSLookups(ask, NameFiles(os.uname().nodename, servers), wheel, system, only_dns=bool(servers))


class _Search:
    """Asks the servers for the names that a name may stand for, until one of them exists."""

    __slots__ = ("_ask", "_reaches", "_rules", "_wheel")

    def __init__(self, ask: Ask, rules: NameRules, wheel: TimerWheel, reaches: Callable[[str], bool]) -> None:
        self._ask = ask
        self._rules = rules
        self._wheel = wheel
        self._reaches = reaches

    async def run(self, name: str) -> Answer:
        """
        Find a name. As in the C library, what no server could tell ends the search, or a short name would come to mean
        something else while a server is down.
        """
        for candidate in filter(is_askable, self._rules.candidates(name)):
            answer, absent = await self._both(candidate)
            if answer.addresses or not absent:
                return answer
        return Answer()

    async def _both(self, name: str) -> tuple[Answer, bool]:
        """Ask for both kinds of addresses; return what was found, and whether it is sure that there are none."""
        records = dict.fromkeys((dns.A, dns.AAAA), Records(Verdict.BROKEN))
        missed = set(records)
        enough: Deferred[None] = Deferred()
        hurry = Deadline(self._wheel, partial(enough.callback, None))

        def heard(found: Records | None, kind: int) -> None:
            missed.remove(kind)
            records[kind] = found or records[kind]
            if enough.called:
                return
            if not missed:
                enough.callback(None)
            elif records[kind].verdict is Verdict.FOUND:
                hurry.start(GRACE)

        def over(result: T) -> T:
            hurry.end()
            for each in asked:
                each.cancel()
            return result

        asked = [Deferred.fromCoroutine(self._follow(name, kind)) for kind in records]
        for kind, each in zip(records, asked, strict=True):
            each.addErrback(given_up).addCallback(heard, kind)
        await enough.addBoth(over)
        return self._joined(records)

    def _joined(self, records: Mapping[int, Records]) -> tuple[Answer, bool]:
        """Return what two answers say together."""
        good = [each for each in records.values() if each.verdict is Verdict.FOUND]
        if len(good) > 1:
            good.sort(key=lambda each: not self._reaches(each.addresses[0]))
        addresses = tuple(address for each in good for address in each.addresses)[:MAX_ADDRESSES]
        missing = frozenset(kind for kind, each in records.items() if each.verdict is Verdict.BROKEN)
        return Answer(addresses, min((each.ttl for each in good), default=None), missing), not missing

    async def _follow(self, name: str, kind: int) -> Records:
        """Ask for one kind of addresses, and for what the name is an alias of."""
        ttl: int | None = None
        for _ in range(MAX_CHAIN):
            records = await self._servers(name, kind)
            ttl = records.ttl if ttl is None else min(ttl, records.ttl)
            if records.verdict is not Verdict.ALIAS:
                return Records(records.verdict, records.addresses, ttl)
            name = records.alias
            if not is_askable(name):
                break
        return Records(Verdict.BROKEN)

    async def _servers(self, name: str, kind: int) -> Records:
        """Ask one server after the other until one can tell; each round is twice as patient as the one before."""
        rules = self._rules
        for attempt in range(rules.attempts):
            for server in rules.servers:
                try:
                    message = await self._ask(server, name, kind, rules.timeout * 2**attempt)
                except NoAnswer:
                    continue
                records = read_message(message, kind)
                if records.verdict is not Verdict.BROKEN:
                    return records
        return Records(Verdict.BROKEN)


@implementer(IResolutionReceiver)
class _Receiver:
    """Gathers the addresses that the system knows."""

    __slots__ = ("_addresses", "_ended", "_tells")

    def __init__(self, ended: Callable[[_Receiver], None]) -> None:
        """
        @param ended: Called when all came, before those who wait are told.
        """
        self._ended = ended
        self._tells: list[Tell] = []
        self._addresses: dict[str, None] = {}

    def add(self, tell: Tell) -> Cancel:
        """Tell one more of what comes; return what forgets it."""
        self._tells.append(tell)

        def forget() -> None:
            if tell in self._tells:
                self._tells.remove(tell)

        return forget

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Nothing to keep: Twisted's threaded resolver cannot cancel."""

    def addressResolved(self, address: IAddress) -> None:
        """Keep an address once."""
        if isinstance(address, IPv4Address | IPv6Address) and len(self._addresses) < MAX_ADDRESSES:
            self._addresses[address.host] = None

    def resolutionComplete(self) -> None:
        """Hand over what came."""
        self._ended(self)
        tells, self._tells = self._tells, []
        for tell in tells:
            tell(Answer(tuple(self._addresses)))


def given_up(failure: Failure) -> None:
    """Nobody wants the answer any more; any other failure is an error of this program, and as good as no answer."""
    if failure.check(CancelledError) is None:
        log.failure("a question to name servers failed", failure)


def _told(result: T, another: Deferred[None]) -> T:
    """Let another who waits know that there is a result."""
    another.callback(None)
    return result


def _nothing() -> None:
    pass
