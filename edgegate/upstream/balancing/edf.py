# Hot path: chooses for each request where weights differ or change.
"""
Earliest deadline first: turns of endpoints whose weights change all the time (Envoy's C{EdfScheduler}).

Each has a deadline, which lies the farther off the less it weighs; the one
whose deadline is next is taken and gets a new one. With weights that stay the
shares are exact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from heapq import heapify, heapreplace

from edgegate.upstream.endpoint import EndpointState


class EDFScheduler:
    """Endpoints with a weight that is asked for at each of their turns. A step takes logarithmic time."""

    __slots__ = ("_queue", "_weight")

    def __init__(self, endpoints: Sequence[EndpointState], weight: Callable[[EndpointState], float]) -> None:
        """
        @param weight: More than 0.
        """
        self._weight = weight
        self._queue = [(1 / weight(endpoint), order, endpoint) for order, endpoint in enumerate(endpoints)]
        heapify(self._queue)

    def choose(self, key: int | None) -> EndpointState:
        """Return the one whose deadline is next."""
        deadline, order, endpoint = self._queue[0]
        heapreplace(self._queue, (deadline + 1 / self._weight(endpoint), order, endpoint))
        return endpoint
