"""
Names of backends, kept resolved in the background.

Nothing ever waits for DNS but who must. As Envoy's C{STRICT_DNS} does with
C{respect_dns_ttl}, which Istio sets, a name is asked again whenever its answer
has grown old, for as long as some cluster watches it, used or not: that costs
less than a first request that finds stale addresses.

An answer without addresses changes nothing. Envoy drops the endpoints of a
C{STRICT_DNS} cluster when a server says that the name does not exist, and keeps
them when no server answers. Here they are kept then too, as servers in trouble
are known to say so; who has gone for good is told by health checks.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.names import dns

from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.dns.answers import MAX_ADDRESSES, is_askable
from edgegate.upstream.dns.lookups import Answer, Lookups, find, given_up

REFRESH = 60.0
"""
Seconds from an answer that does not tell how long it may be relied on to the next query, give or take a tenth, so that
many names do not ask all at once.
"""

LEAST_TTL = 1.0
"""Seconds that an answer is relied on at least, whatever it says."""

MOST_TTL = 300.0
"""Seconds after which an answer is asked for again at the latest."""

RETRY = 5.0
"""
Seconds from a first failure to the next query, give or take a tenth; doubled with each further one up to L{REFRESH}.
"""

LOOK = 5.0
"""Seconds between two looks at the files that say how names are found."""

LOST = 120.0
"""Seconds after which a query is taken for failed: a resolver that breaks down may never say so."""

log = Logger(namespace=__name__)


class ResolvedName:
    """
    One name and what is known of it.

    @ivar addresses: IPv4 and IPv6 literals of the last good answer, in the order of the first one that had just these.
    @ivar first: The first address of the last good answer, as name servers rotate them; empty before there is one.
    @ivar answered: Whether a first answer, or failure, has come.
    @ivar quiet: Whether nobody is told how it does: clients have named it, who may name what they like.
    """

    __slots__ = (
        "_deadline",
        "_failures",
        "_query",
        "_resolver",
        "_watchers",
        "addresses",
        "answered",
        "first",
        "name",
        "quiet",
    )

    def __init__(self, resolver: Resolver, name: str, quiet: bool = False) -> None:
        self.name = name
        self.quiet = quiet
        self.addresses: tuple[str, ...] = ()
        self.first = ""
        self.answered = False
        self._resolver = resolver
        self._watchers: list[Callable[[], None]] = []
        self._deadline = Deadline(resolver.wheel, self._due)
        self._query: Deferred[Answer] | None = None
        self._failures = 0

    def ask(self) -> None:
        """Send a query; one that is under way is given up. The answer may come before this returns."""
        self._give_up()
        if not is_askable(self.name):
            self.answered = True
            log.warn("{name} cannot be a host name and is not looked up", name=self.name)  # noqa: G010
            return
        self._deadline.start(LOST)
        self._query = query = find(self._resolver.lookups, self.name)
        query.addCallback(self._complete).addErrback(given_up)

    def add(self, changed: Callable[[], None]) -> None:
        """Tell C{changed} of a first outcome, and of every answer with other addresses or another first one."""
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
        self._give_up()

    def _give_up(self) -> bool:
        """Want no answer to the query under way; return whether there was one."""
        query, self._query = self._query, None
        if query is not None:
            query.cancel()
        return query is not None

    def _complete(self, answer: Answer) -> None:
        """Take the outcome of the query under way."""
        self._query = None
        if answer.addresses:
            self._succeeded(answer)
        else:
            self._failed()

    def _due(self) -> None:
        if self._give_up():
            self._failed()
        else:
            self.ask()

    def _succeeded(self, answer: Answer) -> None:
        if self._failures and not self.quiet:
            log.info("{name} resolves again", name=self.name)
        self._failures = 0
        if answer.ttl is None:
            seconds = REFRESH * self._resolver.random.uniform(0.9, 1.1)
        else:
            # a little late, as a name server that remembers an answer would only repeat it before
            seconds = min(max(answer.ttl, LEAST_TTL), MOST_TTL) * self._resolver.random.uniform(1.0, 1.1)
        self._deadline.start(seconds)
        # what nothing was heard of is as it was
        kept = (each for each in self.addresses if (dns.AAAA if ":" in each else dns.A) in answer.missing)
        addresses = tuple(dict.fromkeys((*answer.addresses, *kept)))[:MAX_ADDRESSES]
        first, self.first = self.first, addresses[0]
        if set(addresses) != set(self.addresses):
            self.addresses = addresses
            self._tell(True)
        else:
            self._tell(first != self.first)

    def _failed(self) -> None:
        """No address at all is a failure, and then the old addresses are kept."""
        if not self._failures and not self.quiet:
            log.warn(  # noqa: G010
                "{name} does not resolve, {count} address(es) are kept", name=self.name, count=len(self.addresses)
            )
        wait = min(RETRY * 2 ** min(self._failures, 10), REFRESH)
        self._deadline.start(wait * self._resolver.random.uniform(0.9, 1.1))
        self._failures += 1
        self._tell(False)

    def _tell(self, differs: bool) -> None:
        if differs or not self.answered:
            self.answered = True
            for changed in tuple(self._watchers):
                try:
                    changed()
                except Exception:
                    # each is a cluster of its own, which must not take the others with it
                    log.failure("a cluster failed to take over the addresses of {name}", name=self.name)

    def __repr__(self) -> str:
        return f"<ResolvedName {self.name}: {', '.join(self.addresses) or 'no address'}>"


class Resolver:
    """
    All names that are watched; those who watch one name share its queries.

    @ivar lookups: Finds them.
    """

    __slots__ = ("_look", "_names", "lookups", "random", "wheel")

    def __init__(self, lookups: Lookups, wheel: TimerWheel, random: Random) -> None:
        self.lookups = lookups
        self.wheel = wheel
        self.random = random
        self._names: dict[str, ResolvedName] = {}
        self._look = Deadline(wheel, self._looked)

    def watch(self, name: str, changed: Callable[[], None], quiet: bool = False) -> ResolvedName:
        """
        Keep a name resolved, and call C{changed} without arguments when its addresses, or the first of them, change or
        its first query ended.

        C{changed} is never called before this returns: what is known by then is in the result.

        @param quiet: How it does need not be logged.
        """
        resolved = self._names.get(name)
        if resolved is None:
            if not self._names:
                self.lookups.changed()
                self._look.start(LOOK)
            resolved = self._names[name] = ResolvedName(self, name, quiet)
            resolved.ask()
        resolved.quiet = resolved.quiet and quiet
        resolved.add(changed)
        return resolved

    def unwatch(self, name: str, changed: Callable[[], None]) -> None:
        """Take back one L{watch}."""
        resolved = self._names.get(name)
        if resolved is not None and resolved.remove(changed):
            del self._names[name]
            if not self._names:
                self._look.stop()

    def stop(self) -> None:
        """Ask no more and call nobody any more."""
        self._look.stop()
        for name in self._names.values():
            name.stop()
        self._names.clear()

    def _looked(self) -> None:
        """Ask for all names anew when they may be found in another way now."""
        self._look.start(LOOK)
        if self.lookups.changed():
            for name in tuple(self._names.values()):
                name.ask()
