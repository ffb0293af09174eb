"""What the admin listener shows, asked of workers."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.defer import Deferred, gatherResults, succeed

from edgegate.admin.views import REQUESTS, Row
from edgegate.workers.generation import Worker
from edgegate.workers.messages import Show, ViewRows

OF_EACH = ("endpoints", "overload", REQUESTS)
"""The views that differ from worker to worker: each has its own connections and requests, and its own opinion
of endpoints."""


class NotShown(Exception):
    """A worker can't show a view."""


class WorkerViews:
    """Asks, and waits for the answers."""

    def __init__(self) -> None:
        self._asked: dict[int, tuple[Worker, Deferred[list[Row]]]] = {}
        self._count = 0

    def rows(self, view: str, workers: Sequence[Worker], of: str = "") -> Deferred[list[Row]]:
        """
        Return the rows of a view.

        @param workers: Those that serve now.
        @param of: See L{edgegate.admin.interfaces.Gateway.rows}.
        """
        if view not in OF_EACH or len(workers) == 1:
            return self._ask(workers[0], view, of) if workers else succeed([])
        return gatherResults([self._of_one(worker, view, of) for worker in workers], consumeErrors=True).addCallback(
            lambda found: [row for rows in found for row in rows]
        )

    def shown(self, shown: ViewRows) -> None:
        """A worker has answered."""
        asked = self._asked.pop(shown.number, None)
        if asked is None:
            return
        if isinstance(shown.rows, str):
            asked[1].errback(NotShown(shown.rows))
        else:
            asked[1].callback(shown.rows)

    def lost(self, worker: Worker) -> None:
        """A worker is gone: it will not answer."""
        for number, (asked, answer) in tuple(self._asked.items()):
            if asked is worker:
                del self._asked[number]
                answer.callback([])

    def _ask(self, worker: Worker, view: str, of: str) -> Deferred[list[Row]]:
        self._count += 1
        answer: Deferred[list[Row]] = Deferred()
        self._asked[self._count] = worker, answer
        worker.peer.send(Show(self._count, view, of))
        return answer

    def _of_one(self, worker: Worker, view: str, of: str) -> Deferred[list[Row]]:
        return self._ask(worker, view, of).addCallback(lambda rows: [{"worker": worker.number, **row} for row in rows])
