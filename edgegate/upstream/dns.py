"""
Names of backends, kept resolved in the background.

Queries go to the reactor's name resolver, which asks in threads, so nothing
ever waits for DNS but who must. As Envoy's C{STRICT_DNS} does, a name is asked
again every minute for as long as some cluster watches it, used or not: one
query a minute costs less than a first request that finds stale addresses.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from ipaddress import ip_address
from random import Random

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from twisted.logger import Logger
from zope.interface import implementer

from edgegate.net.wheel import Deadline, TimerWheel

REFRESH = 60.0
"""Seconds from an answer to the next query, give or take a tenth, so that many names do not ask all at once."""

RETRY = 5.0
"""Seconds from a first failure to the next query; doubled with each further one up to L{REFRESH}."""

LOST = 120.0
"""Seconds after which a query is taken for failed: a resolver that breaks down may never say so."""

MAX_ADDRESSES = 256
"""Addresses that are kept of one name."""

log = Logger()


def is_literal(host: str) -> bool:
    """Whether a host is an IP address, which stands for itself."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


# What getaddrinfo can be asked. Others it refuses with an exception in its thread, and the answer would never come.
_ASKABLE = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE | re.ASCII)


class ResolvedName:
    """
    One name and what is known of it.

    @ivar addresses: IPv4 and IPv6 literals of the last good answer, in its order.
    @ivar answered: Whether a first answer, or failure, has come.
    """

    __slots__ = ("_deadline", "_failures", "_query", "_resolver", "_watchers", "addresses", "answered", "name")

    def __init__(self, resolver: Resolver, name: str) -> None:
        self.name = name
        self.addresses: tuple[str, ...] = ()
        self.answered = False
        self._resolver = resolver
        self._watchers: list[Callable[[], None]] = []
        self._deadline = Deadline(resolver.wheel, self._due)
        self._query: _Query | None = None
        self._failures = 0

    def ask(self) -> None:
        """Send a query, unless one is under way. The answer may come before this returns."""
        if self._query is not None:
            return
        if _ASKABLE.fullmatch(self.name) is None:
            self.answered = True
            log.warn("{name} cannot be a host name and is not looked up", name=self.name)  # noqa: G010
            return
        self._deadline.start(LOST)
        self._query = query = _Query(self)
        self._resolver.reactor.nameResolver.resolveHostName(query, self.name)

    def add(self, changed: Callable[[], None]) -> None:
        """Tell C{changed} of a first outcome and of every answer that differs from the one before."""
        self._watchers.append(changed)

    def remove(self, changed: Callable[[], None]) -> bool:
        """Tell C{changed} no more. Answer whether nobody watches any longer; the name is at rest then."""
        self._watchers.remove(changed)
        if not self._watchers:
            self.stop()
        return not self._watchers

    def stop(self) -> None:
        """Ask no more; an answer that still comes is passed over."""
        self._deadline.stop()
        self._query = None

    def complete(self, query: _Query) -> None:
        """Take the outcome of a query; no address at all is a failure, and then the old addresses are kept."""
        if query is not self._query:
            return
        self._query = None
        if query.addresses:
            self._succeeded(tuple(query.addresses))
        else:
            self._failed()

    def _due(self) -> None:
        if self._query is None:
            self.ask()
        else:
            self._query = None
            self._failed()

    def _succeeded(self, addresses: tuple[str, ...]) -> None:
        if self._failures:
            log.info("{name} resolves again", name=self.name)
        self._failures = 0
        self._deadline.start(REFRESH * self._resolver.random.uniform(0.9, 1.1))
        differs = set(addresses) != set(self.addresses)
        if differs:
            self.addresses = addresses
        self._tell(differs)

    def _failed(self) -> None:
        if not self._failures:
            log.warn(  # noqa: G010
                "{name} does not resolve, {count} address(es) are kept", name=self.name, count=len(self.addresses)
            )
        self._deadline.start(min(RETRY * 2 ** min(self._failures, 10), REFRESH))
        self._failures += 1
        self._tell(False)

    def _tell(self, differs: bool) -> None:
        if differs or not self.answered:
            self.answered = True
            for changed in tuple(self._watchers):
                changed()

    def __repr__(self) -> str:
        return f"<ResolvedName {self.name}: {', '.join(self.addresses) or 'no address'}>"


@implementer(IResolutionReceiver)
class _Query:
    """Gathers the addresses of one query."""

    __slots__ = ("_name", "addresses")

    def __init__(self, name: ResolvedName) -> None:
        self._name = name
        self.addresses: list[str] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Nothing to keep: Twisted's threaded resolver cannot cancel."""

    def addressResolved(self, address: IAddress) -> None:
        """Keep an address once."""
        if (
            isinstance(address, IPv4Address | IPv6Address)
            and address.host not in self.addresses
            and len(self.addresses) < MAX_ADDRESSES
        ):
            self.addresses.append(address.host)

    def resolutionComplete(self) -> None:
        """Hand over what came."""
        self._name.complete(self)


class Resolver:
    """
    All names that are watched; those who watch one name share its queries.

    @ivar reactor: Whose C{nameResolver} is asked.
    """

    __slots__ = ("_names", "random", "reactor", "wheel")

    def __init__(self, reactor: IReactorPluggableNameResolver, wheel: TimerWheel, random: Random) -> None:
        self.reactor = reactor
        self.wheel = wheel
        self.random = random
        self._names: dict[str, ResolvedName] = {}

    def watch(self, name: str, changed: Callable[[], None]) -> ResolvedName:
        """
        Keep a name resolved, and call C{changed} without arguments when its addresses change or its first query ended.

        C{changed} is never called before this returns: what is known by then is in the result.
        """
        resolved = self._names.get(name)
        if resolved is None:
            resolved = self._names[name] = ResolvedName(self, name)
            resolved.ask()
        resolved.add(changed)
        return resolved

    def unwatch(self, name: str, changed: Callable[[], None]) -> None:
        """Take back one L{watch}."""
        resolved = self._names.get(name)
        if resolved is not None and resolved.remove(changed):
            del self._names[name]

    def stop(self) -> None:
        """Ask no more and call nobody any more."""
        for name in self._names.values():
            name.stop()
        self._names.clear()
