"""The live data of a gateway of several workers: each tells what it does, and one of them what the files say."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgegate.admin.live.parts import Part
from edgegate.workers.generation import Worker
from edgegate.workers.messages import BeginLive, EndLive, LivePart


class _Watch:
    """
    Somebody who looks, and the workers that tell it.

    @ivar mapped: The worker that tells what the files say; L{None}: none does yet.
    """

    def __init__(self, take: Callable[[int, Part], None], lost: Callable[[int], None]) -> None:
        self.take = take
        self.lost = lost
        self.workers: list[Worker] = []
        self.mapped: Worker | None = None


class WorkerLive:
    """Has workers tell, those that come meanwhile as well."""

    def __init__(self) -> None:
        self._watches: dict[int, _Watch] = {}
        self._count = 0

    def begin(
        self,
        take: Callable[[int, Part], None],
        lost: Callable[[int], None],
        workers: Sequence[Worker],
        serving: Sequence[Worker],
    ) -> Callable[[], None]:
        """
        Have workers tell what they do; return what ends it.

        @param workers: All that live.
        @param serving: Those of them that serve the files in force.
        """
        self._count += 1
        number = self._count
        self._watches[number] = _Watch(take, lost)
        self.look(workers, serving)

        def end() -> None:
            watch = self._watches.pop(number, None)
            if watch is not None:
                for worker in watch.workers:
                    worker.peer.send(EndLive(number))

        return end

    def look(self, workers: Sequence[Worker], serving: Sequence[Worker]) -> None:
        """Have those tell as well that have come since, and one of those that serve what the files say."""
        for number, watch in tuple(self._watches.items()):
            if serving and watch.mapped not in serving:
                watch.mapped = serving[0]
                if serving[0] in watch.workers:
                    # it has told all but that so far
                    watch.workers.remove(serving[0])
            for worker in workers:
                # one ends where a worker's last words are heard because nothing can be told to it any more
                if number in self._watches and worker not in watch.workers:
                    watch.workers.append(worker)
                    worker.peer.send(BeginLive(number, worker is watch.mapped))

    def told(self, worker: Worker, told: LivePart) -> None:
        """A worker tells."""
        watch = self._watches.get(told.number)
        if watch is not None:
            watch.take(worker.slot, told.part)

    def lost(self, worker: Worker) -> None:
        """A worker is gone."""
        for watch in tuple(self._watches.values()):
            if worker in watch.workers:
                watch.workers.remove(worker)
                watch.lost(worker.slot)
