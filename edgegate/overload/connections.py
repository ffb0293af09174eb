# Hot path: counts each new connection.
"""
How many connections clients have: in all, of each port, of each client.

There is one count of each, and a worker among several gets its share of the
limits. A connection counts from accept() until its socket is closed, whatever
becomes of it in between. Where a limit is reached connections that lie idle give
way. Where none does new ones wait in the kernel's backlog, all clients' alike;
but who has too many alone is refused, for others wait behind.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Final, Protocol

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger, LogLevel

from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.client_counts import NOBODY, ClientCounts
from edgegate.overload.limits import NO_LIMIT, OverloadLimits

log: Final = Logger(namespace=__name__)

_AGAIN: Final = 0.05
"""Seconds until it is looked again for connections that give way, if nothing has ended meanwhile."""

_SHARE: Final = 64
"""What part of the connections that there may be ends at once: looking through all of them for one would cost more."""

_FEW: Final = 8
"""How many end at once at least, where that is no more than one in as many."""

_SPARED: Final = 20
"""
What part of the time looking for one client's connections may take: all are looked through, and there are many clients.
"""

_KNOWN: Final = 16384
"""Addresses of IPv6 whose networks are remembered: working them out takes longer than all else of a look."""

_QUIET: Final = 10.0
"""Seconds in which it is said once that a limit is reached."""


class Port(Protocol):
    """
    Where connections come in.

    @ivar taken: How many of its connections are open.
    """

    taken: int

    def resume(self) -> None:
        """There may be room: accept again."""


EndIdle = Callable[[int, "Port | None", Hashable], int]
"""Ends so many connections that lie idle, of one port or one client or all; returns how many it found."""


def client_of(peer: Address) -> Hashable:
    """
    Return whose connection it is: that of an address, or of a /64 of IPv6, which one client has as a rule.

    L{None}: nobody's, for who connects to a UNIX socket has none.
    """
    if not isinstance(peer, TCPAddress):
        return None
    host = peer.host
    return _network(host) if ":" in host else host


@lru_cache(maxsize=_KNOWN)
def _network(host: str) -> bytes:
    return IPv6Address(host.partition("%")[0]).packed[:8]


class ConnectionCounts:
    """
    Counts connections, and has idle ones give way.

    @ivar total: All that are open.
    @ivar waits: How often a port waited because of all connections, or because no descriptor was left.
    @ivar port_waits: How often one waited because of its own.
    @ivar refused: Connections that were refused, because their clients had too many.
    @ivar crowded_out: Handshakes that gave way to others of their port.
    """

    __slots__ = (
        "_again",
        "_clients",
        "_clock",
        "_end_idle",
        "_look_after",
        "_looked",
        "_most",
        "_most_of_client",
        "_most_of_port",
        "_most_requests",
        "_said",
        "_waiting",
        "crowded_out",
        "port_waits",
        "refused",
        "total",
        "waits",
    )

    def __init__(self, limits: OverloadLimits, clock: IReactorTime, end_idle: EndIdle) -> None:
        """
        @param limits: None of them L{None}.
        """
        assert limits.connections is not None
        assert limits.client_connections is not None
        assert limits.client_requests is not None
        self._most: int = limits.connections
        self._most_of_port = limits.listener_connections
        self._most_of_client: int = limits.client_connections
        self._most_requests: int = limits.client_requests
        self._clock = clock
        self._end_idle = end_idle
        self._clients: dict[Hashable, ClientCounts] = {}
        self._waiting: dict[Port, None] = {}
        self._again: IDelayedCall | None = None
        self._looked: dict[Port | None, float] = {}
        self._look_after = -_QUIET
        self._said: dict[str, float] = {}
        self.total = self.waits = self.port_waits = self.refused = self.crowded_out = 0

    @property
    def greediest(self) -> int:
        """How many connections the client has that has most."""
        return max((each.connections for each in self._clients.values()), default=0)

    @property
    def most_asking(self) -> int:
        """How many requests are under way of the client that has most."""
        return max((each.requests for each in self._clients.values()), default=0)

    def full(self, port: Port) -> bool:
        """Whether no further connection of a port may be taken."""
        return self.total >= self._most or port.taken >= self._most_of_port

    def has_room(self, port: Port) -> bool:
        """
        Tell whether a port, at which one waits, may accept it.

        If not it is to accept no more until its L{Port.resume}: idle connections have been told to end, where there
        are some.
        """
        if self.total < self._most and port.taken < self._most_of_port:
            return True
        whole = self.total >= self._most
        self._say("in all" if whole else "of a port", self._most if whole else self._most_of_port)
        self.make_room(None if whole else port)
        self.wait(port, whole)
        return False

    def make_room(self, port: Port | None = None) -> None:
        """Have some connections that lie idle end, if there are any; of a port, or else of all."""
        now = self._clock.seconds()
        if now - self._looked.get(port, -_QUIET) < _AGAIN:
            return
        some = self._some(self.total) if port is None else self._some(port.taken)
        if not self._end_idle(some, port, None):
            # there are none, and there won't be many so soon
            self._looked[port] = now

    def wait(self, port: Port, whole: bool = True) -> None:
        """
        A port can't accept at present: have it accept again when a connection is closed, or a little later.

        @param whole: Whether that is because of all connections, not of its own alone.
        """
        if port not in self._waiting:
            self._waiting[port] = None
            if whole:
                self.waits += 1
            else:
                self.port_waits += 1
        if self._again is None:
            self._again = self._clock.callLater(_AGAIN, self._look_again)

    def take(self, port: Port) -> None:
        """A port has accepted one; to be followed by one L{release}."""
        self.total += 1
        port.taken += 1

    def introduce(self, client: Hashable) -> ClientCounts | None:
        """
        It is known whose a connection is; return what its client has, which the socket is to remember. L{None}: it may
        not have this one.
        """
        if client is None or (self._most_of_client >= NO_LIMIT and self._most_requests >= NO_LIMIT):
            return NOBODY
        found = self._clients.get(client)
        if found is None:
            found = self._clients[client] = ClientCounts(client, self._most_requests)
        if found.connections < self._most_of_client:
            found.ending = 0
        elif found.ending or self._has_given(client, found):
            # one that ends within this turn makes room for it
            found.ending -= 1
        else:
            self.refused += 1
            return None
        found.connections += 1
        return found

    def _has_given(self, client: Hashable, found: ClientCounts) -> bool:
        """Have some of a client's own connections end; return whether there are any."""
        self._say("of a client", self._most_of_client)
        now = self._clock.seconds()
        if now - found.looked < _AGAIN or now < self._look_after:
            return False
        found.ending = self._end_idle(self._some(found.connections), None, client)
        if not found.ending:
            found.looked = now
        after = self._clock.seconds()
        self._look_after = after + _SPARED * (after - now)
        return found.ending > 0

    def release(self, port: Port, counts: ClientCounts) -> None:
        """
        A connection is closed.

        @param counts: Of its client, where that was introduced; L{NOBODY}: it was not.
        """
        self.total -= 1
        port.taken -= 1
        if counts is not NOBODY:
            counts.connections -= 1
            if not counts.connections:
                del self._clients[counts.client]
        if self._waiting:
            self._resume()

    def forget(self, port: Port) -> None:
        """A port is closed, and waits for nothing."""
        self._waiting.pop(port, None)
        self._looked.pop(port, None)

    def stop(self) -> None:
        """Leave no timer."""
        self._waiting.clear()
        again, self._again = self._again, None
        if again is not None:
            again.cancel()

    def _resume(self) -> None:
        waiting = list(self._waiting)
        for port in waiting:
            if not self.full(port):
                self._waiting.pop(port, None)
                port.resume()

    def _look_again(self) -> None:
        self._again = None
        # those that find no room wait again
        waiting = list(self._waiting)
        self._waiting.clear()
        for port in waiting:
            port.resume()

    def _some(self, there: int) -> int:
        return max(there // _SHARE, min(_FEW, there // _FEW), 1)

    def _say(self, what: str, most: int) -> None:
        now = self._clock.seconds()
        if now - self._said.get(what, -_QUIET) >= _QUIET:
            self._said[what] = now
            log.emit(
                LogLevel.warn,
                "there are as many connections {what} as there may be, {most}: those that lie idle give way",
                what=what,
                most=most,
            )
