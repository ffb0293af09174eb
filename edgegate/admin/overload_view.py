"""How near the gateway is to its limits, as rows."""

from __future__ import annotations

from collections.abc import Iterable

from edgegate.admin.views import Row
from edgegate.overload.figures import Figure


def overload(figures: Iterable[Figure]) -> list[Row]:
    """Return a row for each limit."""
    return [{"name": each.name, "value": each.value, "limit": each.bound, "reached": each.reached} for each in figures]
