"""The taps of a gateway of several workers: each is told to show its requests."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from edgegate.observe.log_tap import Wanted
from edgegate.observe.tap import LOST, Tapped
from edgegate.workers.generation import Worker
from edgegate.workers.messages import BeginTap, EndTap, TappedRequest


@dataclass(slots=True)
class _Tap:
    """One, and the workers that it was begun at."""

    wanted: Wanted
    show: Callable[[Tapped], None]
    workers: list[Worker] = field(default_factory=list)


class WorkerTaps:
    """Begins and ends them, at workers that come meanwhile as well."""

    def __init__(self) -> None:
        self._taps: dict[int, _Tap] = {}
        self._count = 0

    def begin(self, wanted: Wanted, show: Callable[[Tapped], None], workers: Iterable[Worker]) -> Callable[[], None]:
        """Have workers show what passes; return what ends it."""
        self._count += 1
        number = self._count
        self._taps[number] = _Tap(wanted, show)
        self.look(workers)

        def end() -> None:
            tap = self._taps.pop(number, None)
            if tap is not None:
                for worker in tap.workers:
                    worker.peer.send(EndTap(number))

        return end

    def look(self, workers: Iterable[Worker]) -> None:
        """Have those show them as well that have come since."""
        if not self._taps:
            return
        for worker in workers:
            # one ends where a worker's last words are heard because nothing can be told to it any more
            for number, tap in tuple(self._taps.items()):
                if number in self._taps and worker not in tap.workers:
                    tap.workers.append(worker)
                    worker.peer.send(BeginTap(number, tap.wanted))

    def seen(self, worker: Worker, seen: TappedRequest) -> None:
        """A worker shows a request."""
        tap = self._taps.get(seen.number)
        if tap is not None:
            tapped: Tapped = {"worker": worker.number, **seen.tapped}
            if seen.lost:
                # some may have been lost before the worker could have told of them
                before = tapped.get(LOST)
                tapped[LOST] = seen.lost + (before if isinstance(before, int) else 0)
            tap.show(tapped)

    def lost(self, worker: Worker) -> None:
        """A worker is gone."""
        for tap in self._taps.values():
            if worker in tap.workers:
                tap.workers.remove(worker)
