"""All generations of workers that live: the one that serves, and those that it has taken over from."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from time import monotonic

from twisted.internet.defer import Deferred, DeferredList
from twisted.logger import Logger

from edgegate.model.addresses import Address
from edgegate.net.peer import Peer
from edgegate.workers.generation import SILENCE, CannotServe, Generation, Surroundings, Worker
from edgegate.workers.slots import COUNT
from edgegate.workers.zygotes import Zygote

log = Logger(namespace=__name__)

MOST_GENERATIONS = 4
"""Generations that may be left with connections of theirs; the oldest of more are ended."""


class Generations:
    """
    Makes generations, and forgets each when its last worker has ended.

    @ivar current: The one that serves.
    """

    def __init__(self, surroundings: Surroundings, count: int) -> None:
        """
        @param count: How many workers each has.
        """
        self.current: Generation | None = None
        self._surroundings = surroundings
        self._count = count
        self._living: list[Generation] = []
        self._looked = self._since = monotonic()

    @property
    def serving(self) -> list[Worker]:
        """The workers that are ready to serve, in their order."""
        return [] if self.current is None else self.current.serving

    def peers(self) -> Iterator[Peer]:
        """Yield all workers that may tell something."""
        for generation in self._living:
            for worker in generation.workers.values():
                yield worker.peer

    def workers(self) -> list[Worker]:
        """Return all workers that serve, or have connections left."""
        return [worker for each in self._living for worker in each.workers.values() if worker.serving]

    def make(self, zygote: Zygote) -> Generation:
        """
        Return a new generation, which is to be started.

        @raise CannotServe: There are too many already.
        """
        taken = {generation.slots.start for generation in self._living}
        for first in range(0, COUNT - self._count + 1, self._count):
            if first not in taken:
                break
        else:
            raise CannotServe("too many processes are left of files that were served before")
        generation = Generation(self._surroundings, zygote, range(first, first + self._count))
        self._living.append(generation)
        generation.ended.addCallback(lambda _: self._living.remove(generation))
        return generation

    def take_over(self, generation: Generation, gone: tuple[Address, ...]) -> None:
        """
        Have a generation serve that was started. The one before ends with its connections.

        @param gone: What the files bind no longer.
        """
        before, self.current = self.current, generation
        generation.accept()
        if before is not None:
            before.retire(gone)
        left = [each for each in self._living if each.retired]
        for each in left[:-MOST_GENERATIONS]:
            log.info("connections of files that were replaced {count} times are ended", count=MOST_GENERATIONS)
            each.drain(0.0)

    def retire(self, gone: Collection[Address] = ()) -> None:
        """Other processes serve: all end with their connections."""
        for generation in tuple(self._living):
            if not generation.retired:
                generation.retire(tuple(gone))

    def drain(self, seconds: float) -> None:
        """End all; what is under way on them may go on for some time. May be called again to hurry."""
        for generation in tuple(self._living):
            generation.drain(seconds)

    def ended(self) -> Deferred[None]:
        """Return what fires when those that live now have ended."""
        return DeferredList([generation.ended for generation in self._living]).addCallback(lambda _: None)

    def log_to(self) -> None:
        """The access log is another file now."""
        for generation in self._living:
            generation.log_to()

    def kill(self) -> None:
        """End all workers, whatever they do."""
        for generation in tuple(self._living):
            generation.kill()

    def look(self) -> None:
        """Kill a worker that hangs; one at a time: were the machine at fault, all would be killed."""
        now = monotonic()
        if now - self._looked > SILENCE / 2:
            # whoever stopped this process for so long may have stopped the workers
            self._since = now
        self._looked = now
        for generation in tuple(self._living):
            if generation.look(now, self._since):
                return
