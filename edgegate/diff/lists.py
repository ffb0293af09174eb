"""Comparisons of many pairs of lists of routes: one of those that are alike, and no more work than is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from edgegate.analysis.comparison import Comparison, compare
from edgegate.analysis.limits import Steps
from edgegate.analysis.wire import Surroundings
from edgegate.diff.behaviour import Behaviour
from edgegate.model.matching import HTTPMatch

Rows = Sequence[tuple[tuple[HTTPMatch, ...], Behaviour]]

WORK: Final = 400_000_000
"""Steps of all lists of a port: some minutes. What is left then is not decided."""

_MOST_KNOWN: Final = 1000
"""Comparisons that are remembered, the latest: hosts with the same routes mostly come one after the other."""

_AUTHORITY: Final = (":authority", "host")

_Key = tuple[tuple[bytes, ...], tuple[object, ...], tuple[object, ...], int]


class Lists:
    """Compares the lists of the hosts of one port."""

    def __init__(self, work: int = WORK) -> None:
        self._steps = Steps(work, what="in all hosts together there")
        self._known: dict[_Key, Comparison[Behaviour]] = {}

    def compare(self, old: Rows, new: Rows, surroundings: Surroundings, most: int) -> Comparison[Behaviour]:
        """
        Compare two lists, or take what is known of two like them.

        @param most: How many differences are looked for.
        """
        if any(_asks_for_a_host(match) for rows in (old, new) for matches, _ in rows for match in matches):
            return self._compared(old, new, surroundings, most)
        # hosts that no condition asks for are told apart by what is sent alone
        key = surroundings.schemes, tuple(old), tuple(new), most
        known = self._known.get(key)
        if known is None:
            known = self._compared(old, new, surroundings, most)
            if len(self._known) >= _MOST_KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = known
            return known
        differences = (
            replace(each, request=replace(each.request, authority=surroundings.host)) for each in known.differences
        )
        return Comparison(tuple(differences), known.undecided)

    def _compared(self, old: Rows, new: Rows, surroundings: Surroundings, most: int) -> Comparison[Behaviour]:
        return compare(old, new, surroundings, most, within=self._steps)


def _asks_for_a_host(match: HTTPMatch) -> bool:
    fields = (*match.headers, *match.without_headers)
    return match.authority is not None or any(name in _AUTHORITY for name, _ in fields)
