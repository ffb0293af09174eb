"""
Finding the addresses of one name once: in hosts, from the name servers with the time that they may be relied on, or as
the system does.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Protocol, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import CancelledError, Deferred, DeferredList
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
from edgegate.net.route_probe import has_route
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
        self._waiting: deque[_Lookup] = deque()

    def begin(self, name: str, tell: Tell) -> Cancel:
        """As L{Lookups} says."""
        rules = self._files.rules
        known = rules.known(name)
        if known:
            tell(Answer(known))
            return _nothing
        if rules.is_systems(name) and not (self._only_dns and rules.servers):
            return self._system.begin(name, tell)
        lookup = _Lookup(name, tell, None if self._only_dns else self._system)
        self._waiting.append(lookup)
        self._go_on()
        return lookup.cancel

    def changed(self) -> bool:
        """Whether resolv.conf, nsswitch.conf or hosts says something else than before."""
        return self._files.changed()

    def _go_on(self) -> None:
        while self._waiting and self._under_way < MOST_AT_ONCE:
            lookup = self._waiting.popleft()
            if lookup.over:
                continue
            self._under_way += 1
            search = _Search(self._ask, self._files.rules, self._wheel, self._reaches)
            lookup.start(Deferred.fromCoroutine(search.run(lookup.name))).addBoth(self._one_less)

    def _one_less(self, _: object) -> None:
        self._under_way -= 1
        self._go_on()


def machine_lookups(reactor: object, wheel: TimerWheel, servers: tuple[TCPAddress, ...] = ()) -> DNSLookups:
    """
    Return how this machine finds names.

    @param servers: Asked in place of those in resolv.conf, and of all others.
    """
    ask = DNSExchanges(cast(DNSReactor, reactor), wheel)
    system = SystemLookups(cast(IReactorPluggableNameResolver, reactor))
    return DNSLookups(ask, NameFiles(os.uname().nodename, servers), wheel, system, only_dns=bool(servers))


class _Lookup:
    """A name that name servers are or will be asked for, and then maybe the system."""

    __slots__ = ("_cancel", "_system", "_tell", "name", "over")

    def __init__(self, name: str, tell: Tell, system: Lookups | None) -> None:
        self.name = name
        self.over = False
        self._tell = tell
        self._system = system
        self._cancel: Cancel = _nothing

    def start(self, searching: Deferred[Answer]) -> Deferred[None]:
        """Take what a search finds. The result is there when no server is asked any more."""
        self._cancel = searching.cancel
        return searching.addCallbacks(self._found, _unasked)

    def cancel(self) -> None:
        """Forget it."""
        self.over = True
        self._cancel()

    def _found(self, answer: Answer) -> None:
        self._cancel = _nothing
        if self.over:
            return
        if answer.addresses or self._system is None:
            self._tell(answer)
        else:
            self._cancel = self._system.begin(self.name, self._tell)


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
        asked = {kind: Deferred.fromCoroutine(self._follow(name, kind)) for kind in (dns.A, dns.AAAA)}
        found: dict[int, Records] = {}

        def give_up() -> None:
            for each in asked.values():
                each.cancel()

        hurry = Deadline(self._wheel, give_up)

        def keep(records: Records, kind: int) -> None:
            found[kind] = records
            if records.verdict is Verdict.FOUND and len(found) == 1:
                hurry.start(GRACE)

        try:
            await DeferredList([each.addCallbacks(keep, _unasked, (kind,)) for kind, each in asked.items()])
        finally:
            hurry.end()
        broken = Records(Verdict.BROKEN)
        records = {kind: found.get(kind, broken) for kind in asked}
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


def _unasked(failure: Failure) -> None:
    """A question was given up; anything else is an error of this program, and as good as no answer."""
    if failure.check(CancelledError) is None:
        log.failure("a question to name servers failed", failure)


def _nothing() -> None:
    pass
