# Hot path: chooses for each request.
"""
The power of two choices: of two endpoints the one with fewer requests under way (Envoy's C{LEAST_REQUEST}).

Envoy draws both at random, with the chance of drawing one twice. Here the first
is the one whose turn it is and the second is drawn among the others: where
nobody is busy the shares are as even as in turn, where somebody is the load
moves away from there just the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from edgegate.upstream.balancing.edf import EDFScheduler
from edgegate.upstream.balancing.round_robin import turns
from edgegate.upstream.endpoint import EndpointState


class LeastRequest:
    """Endpoints of equal weights, two or more."""

    __slots__ = ("_endpoints", "_others", "_random", "_turn")

    def __init__(self, endpoints: Sequence[EndpointState], random: Random) -> None:
        self._endpoints = endpoints
        self._others = len(endpoints) - 1
        self._random = random.random
        self._turn = turns([1] * len(endpoints)).__next__

    def choose(self, key: int | None) -> EndpointState:
        """Return the less busy of two."""
        turn = self._turn()
        other = int(self._random() * self._others)
        if other >= turn:
            other += 1
        endpoints = self._endpoints
        one, two = endpoints[turn], endpoints[other]
        return two if two.active < one.active else one


def weighted_least_request(
    endpoints: Sequence[EndpointState], weight: Callable[[EndpointState], float]
) -> EDFScheduler:
    """
    Return the chooser for endpoints of different weights.

    As in Envoy each is taken as often as its weight says, divided by the requests that are under way there and one.
    """
    return EDFScheduler(endpoints, lambda endpoint: weight(endpoint) / (endpoint.active + 1))
