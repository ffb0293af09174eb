"""A reactor that counts how often it wakes those whom it watches."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor
from twisted.internet.task import deferLater

TURNS = 50
"""Turns of the reactor in which something that spins is woken as often, and something at rest not at all."""


class Watched:
    """Stands for a descriptor, and counts."""

    def __init__(self, counted: CountingReactor, descriptor: Any) -> None:
        self._counted = counted
        self._descriptor = descriptor
        self.fileno = descriptor.fileno
        self.logPrefix = descriptor.logPrefix
        self.connectionLost = descriptor.connectionLost

    def doRead(self) -> Any:
        """Count, and pass it on."""
        self._counted.wakes += 1
        return self._descriptor.doRead()

    def doWrite(self) -> Any:
        """Count, and pass it on."""
        self._counted.wakes += 1
        return self._descriptor.doWrite()


class CountingReactor:
    """
    The part of the reactor that watches descriptors.

    @ivar wakes: How often one was told that it may read or write.
    """

    def __init__(self) -> None:
        self.wakes = 0
        self._watched: dict[int, Watched] = {}

    def _of(self, descriptor: Any) -> Watched:
        return self._watched.setdefault(id(descriptor), Watched(self, descriptor))

    def addReader(self, reader: Any) -> None:
        """See L{IReactorFDSet}, as for the others."""
        reactor.addReader(self._of(reader))  # type: ignore[attr-defined]

    def addWriter(self, writer: Any) -> None:
        reactor.addWriter(self._of(writer))  # type: ignore[attr-defined]

    def removeReader(self, reader: Any) -> None:
        reactor.removeReader(self._of(reader))  # type: ignore[attr-defined]

    def removeWriter(self, writer: Any) -> None:
        reactor.removeWriter(self._of(writer))  # type: ignore[attr-defined]

    async def at_rest(self) -> int:
        """Return how often somebody was woken in some turns in which nothing happens outside."""
        await self.turns(5)
        before = self.wakes
        await self.turns(TURNS)
        return self.wakes - before

    async def turns(self, count: int) -> None:
        """Let it turn."""
        for _ in range(count):
            await deferLater(reactor, 0)  # type: ignore[arg-type]
