"""
Connections that wait for certificates on demand: so many, and fewer of one client for those that are not there yet.

What is in the store is there in milliseconds. Of that one client may ask for much: it may be a proxy, after a restart.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from OpenSSL import SSL
from twisted.logger import Logger

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.on_demand import OnDemand
from edgegate.routing.snapshot import FilterChain
from edgegate.tls.acme.demand.held import Place
from edgegate.tls.context_seeker import NoContext, SetContext

log = Logger(namespace=__name__)

MOST_WAITING = 1024
"""Connections that wait at one time."""

MOST_OF_CLIENT = 16
"""Those of one client that wait for what is to be issued."""


@dataclass(slots=True, eq=False)
class Sought:
    """
    A name whose certificate is looked for.

    @ivar waiting: The connections that wait for it, in order.
    @ivar missing: Whether the store has none.
    """

    on_demand: OnDemand
    certificate: ManagedCertificate
    missing: bool = False
    waiting: dict[Waiting, None] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """That of the certificate."""
        return self.certificate.credential.name

    def places(self) -> frozenset[Place]:
        """Return where the certificate is to be shown."""
        return frozenset((each.listener, each.chain.name, each.chain.tls) for each in self.waiting if each.chain.tls)

    def dismiss(self) -> list[Waiting]:
        """Let those that wait go, and return them."""
        found = list(self.waiting)
        for each in found:
            each.leave()
        return found


@dataclass(slots=True, eq=False)
class Waiting:
    """
    One connection that waits; see L{edgegate.tls.context_seeker.SoughtContext}.

    @ivar stays: Whether it waits for what is to be issued.
    """

    listener: str
    chain: FilterChain
    client: Hashable
    found: SetContext
    sought: Sought
    room: WaitingRoom
    stays: bool = False

    def tell(self, found: SSL.Context | NoContext) -> None:
        """Tell the connection. What that raises is its own affair: others wait for what comes next."""
        try:
            self.found(found)
        except BaseException:
            log.failure("what followed on a look for a certificate failed")

    def leave(self) -> None:
        """Wait no longer."""
        if self in self.sought.waiting:
            del self.sought.waiting[self]
            self.room.left(self)


class WaitingRoom:
    """
    Knows how many wait.

    @ivar waiting: How many do.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._clients: Counter[Hashable] = Counter()

    def has_room(self, client: Hashable, missing: bool) -> bool:
        """
        Whether one more connection of a client may wait.

        @param missing: Whether the store has nothing for the name, so that it would stay.
        """
        return self.waiting < MOST_WAITING and not (missing and self._clients[client] >= MOST_OF_CLIENT)

    def enter(self, sought: Sought, listener: str, chain: FilterChain, client: Hashable, found: SetContext) -> Waiting:
        """Have a connection wait for a name."""
        waiting = Waiting(listener, chain, client, found, sought, self)
        sought.waiting[waiting] = None
        self.waiting += 1
        if sought.missing:
            self._stay(waiting)
        return waiting

    def stay(self, sought: Sought) -> list[Waiting]:
        """The store has nothing for a name. Return the connections that may not wait any longer: they have left."""
        sought.missing = True
        too_many = []
        for each in list(sought.waiting):
            if self._clients[each.client] < MOST_OF_CLIENT:
                self._stay(each)
            else:
                each.leave()
                too_many.append(each)
        return too_many

    def left(self, waiting: Waiting) -> None:
        """A connection waits no longer."""
        self.waiting -= 1
        if waiting.stays:
            self._clients[waiting.client] -= 1
            if not self._clients[waiting.client]:
                del self._clients[waiting.client]

    def _stay(self, waiting: Waiting) -> None:
        waiting.stays = True
        self._clients[waiting.client] += 1
