"""
Requests that are worth a look: of each route the last that failed, and the slowest of late.

What is kept has bounds in every direction, and is told by a number whether it is another than before.
"""

from __future__ import annotations

from typing import Any, Final

Example = dict[str, Any]
"""A request, as JSON has it."""

KEPT: Final = 10
"""Requests of each kind, of each route."""

LATELY: Final = 600.0
"""Seconds for which a slow one is shown."""

PAUSE: Final = 0.1
"""Seconds from one failed request of a route that is kept to the next: where all fail, few say the same."""

Told = tuple[str, list[Example], list[Example]]
"""A route's name, its requests that failed, and its slowest."""


class RouteExamples:
    """
    Those of one route.

    @ivar name: The route's; see L{edgegate.observe.live.names.route_id}.
    @ivar changes: How often something was kept.
    @ivar bar: Milliseconds that one must have taken to be among the slowest; negative: any will do.
    """

    __slots__ = ("_failed_at", "bar", "changes", "errors", "name", "slowest")

    def __init__(self, name: str) -> None:
        self.name = name
        self.changes = 0
        self.bar = -1.0
        self.errors: list[Example] = []
        self.slowest: list[tuple[float, float, Example]] = []
        self._failed_at = -PAUSE

    def wants_failed(self, now: float) -> bool:
        """Whether one that failed is to be kept; each that is asked for is kept."""
        return now - self._failed_at >= PAUSE

    def keep_failed(self, example: Example, now: float) -> None:
        """Keep one that failed."""
        self._failed_at = now
        self.errors.append(example)
        del self.errors[:-KEPT]
        self.changes += 1

    def keep_slow(self, milliseconds: float, example: Example, now: float) -> None:
        """Keep one that took longer than L{bar}."""
        self.slowest.append((milliseconds, now, example))
        self.slowest.sort(key=lambda each: -each[0])
        self.changes += 1
        self.forget(now)

    def forget(self, now: float) -> None:
        """Forget those that are too old, and those that are not slow enough."""
        self.slowest = [each for each in self.slowest if now - each[1] <= LATELY][:KEPT]
        self.bar = self.slowest[-1][0] if len(self.slowest) == KEPT else -1.0

    def told(self, now: float) -> Told:
        """Return what is shown: the failed ones, the newest first, and the slowest ones, the slowest first."""
        slowest = [example for _, at, example in self.slowest if now - at <= LATELY]
        return self.name, self.errors[::-1], slowest


def together(told: list[Told]) -> dict[str, list[Example]]:
    """Return what several processes have told of one route, as JSON has it."""
    errors = [each for _, some, _ in told for each in some]
    slowest = [each for _, _, some in told for each in some]
    errors.sort(key=lambda each: str(each["time"]), reverse=True)
    slowest.sort(key=lambda each: -float(each["milliseconds"]))
    return {"errors": errors[:KEPT], "slowest": slowest[:KEPT]}
