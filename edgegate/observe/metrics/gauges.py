# Compiled: its values are written by the hundred thousand.
"""What is looked at when somebody asks, of one process or of several together."""

from __future__ import annotations

from collections.abc import Sequence

from edgegate.observe.metrics.families import READ, Kind, Merge

Numbers = Sequence[float | None]
"""As a kind's families say; L{None}: there is nothing to tell."""

Row = tuple[str, tuple[str, ...], Numbers]
"""A kind's name, the labels, the numbers."""

_KINDS = {kind.name: kind for kind in READ}


class Gauges:
    """Rows, of which those with the same labels are made one as their families say."""

    def __init__(self) -> None:
        self._rows: dict[str, dict[tuple[str, ...], list[float | None]]] = {name: {} for name in _KINDS}

    def put(self, row: Row) -> None:
        """Take what one process has told."""
        name, labels, numbers = row
        rows = self._rows[name]
        found = rows.get(labels)
        if found is None:
            rows[labels] = list(numbers)
            return
        kind = _KINDS[name]
        most = bool(labels) and labels[0] in kind.most
        for family in kind.families:
            place = family.offset
            found[place] = _together(found[place], numbers[place], Merge.MOST if most else family.merge)

    def of(self, kind: Kind) -> list[tuple[tuple[str, ...], Numbers]]:
        """Return the labels and the numbers of a kind."""
        return list(self._rows[kind.name].items())


def _together(one: float | None, other: float | None, merge: Merge) -> float | None:
    if one is None or other is None:
        return other if one is None else one
    if merge is Merge.SUM:
        return one + other
    return max(one, other) if merge is Merge.MOST else min(one, other)
