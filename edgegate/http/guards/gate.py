# Hot path: each request of a guarded host passes here.
"""
What lets most requests pass a guard without asking its filter.

A filter can hold a request, answer it, and look at the response. Most requests pass
with nothing of that, and whether one does is mostly a question for an engine of
L{edgegate.access} alone. So a filter may have such a question asked first. Where
the answer is no, the filter is asked as if nobody had been before: an answer of no
has counted and changed nothing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import HTTPFilter


class Gate(ABC):
    """Asked before a filter, which is not asked where it lets a request pass."""

    __slots__ = ()

    @abstractmethod
    def passes(self, exchange: Exchange) -> bool:
        """
        Return whether a request passes, and the filter would have nothing to do with its response.

        Then all was counted, noted and changed that the filter would have. Where it raises it has not passed.
        """


Gates = tuple[Gate | None, ...]
"""Those of filters, in their order."""


def gates_of(filters: tuple[HTTPFilter, ...]) -> Gates:
    """Return the gates of filters. One that has one has it as C{gate}."""
    return tuple([getattr(each, "gate", None) for each in filters])


def count_passed(gates: Gates, exchange: Exchange) -> int:
    """Return how many let a request pass, before the first that does not."""
    passed = 0
    try:
        for gate in gates:
            if gate is None or not gate.passes(exchange):
                break
            passed += 1
    except Exception:
        # the filter is asked next: what it raises refuses the request, and is logged
        pass
    return passed
