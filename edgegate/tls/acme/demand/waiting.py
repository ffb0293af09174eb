"""Connections that wait for certificates on demand: so many, and fewer of one client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable
from dataclasses import dataclass, field

from edgegate.model.certificates import ManagedCertificate
from edgegate.model.on_demand import OnDemand
from edgegate.routing.snapshot import FilterChain
from edgegate.tls.acme.demand.held import Place
from edgegate.tls.context_seeker import SetContext

MOST_WAITING = 1024
"""Connections that wait at one time."""

MOST_OF_CLIENT = 16
"""Those of one client."""


@dataclass(slots=True, eq=False)
class Sought:
    """
    A name whose certificate is looked for.

    @ivar waiting: The connections that wait for it, in order.
    """

    on_demand: OnDemand
    certificate: ManagedCertificate
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
    """One connection that waits; see L{edgegate.tls.context_seeker.SoughtContext}."""

    listener: str
    chain: FilterChain
    client: Hashable
    found: SetContext
    sought: Sought
    room: WaitingRoom

    def leave(self) -> None:
        """Wait no longer."""
        if self in self.sought.waiting:
            del self.sought.waiting[self]
            self.room.left(self.client)


class WaitingRoom:
    """
    Knows how many wait.

    @ivar waiting: How many do.
    """

    def __init__(self) -> None:
        self.waiting = 0
        self._clients: Counter[Hashable] = Counter()

    def has_room(self, client: Hashable) -> bool:
        """Whether one more connection of a client may wait."""
        return self.waiting < MOST_WAITING and self._clients[client] < MOST_OF_CLIENT

    def enter(self, sought: Sought, listener: str, chain: FilterChain, client: Hashable, found: SetContext) -> Waiting:
        """Have a connection wait for a name."""
        waiting = Waiting(listener, chain, client, found, sought, self)
        sought.waiting[waiting] = None
        self.waiting += 1
        self._clients[client] += 1
        return waiting

    def left(self, client: Hashable) -> None:
        """A connection waits no longer."""
        self.waiting -= 1
        self._clients[client] -= 1
        if not self._clients[client]:
            del self._clients[client]
