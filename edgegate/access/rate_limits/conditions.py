# Hot path: tells which requests a limit counts.
"""Which requests a limit counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edgegate.model.guards.rate_limit import Matched
from edgegate.model.matching import StringMatch, text_condition
from edgegate.routing.matching import Condition, values_of


def condition_of(match: Matched | None) -> Condition | None:
    """Return a function that tells whether a limit counts a request; L{None}: it counts each."""
    if match is None:
        return None
    conditions: list[Condition] = []
    if match.methods:
        conditions.append(_method(_any(match.methods)))
    if match.paths:
        conditions.append(_path(_any(match.paths)))
    if match.not_paths:
        conditions.append(_not(_path(_any(match.not_paths))))
    conditions.extend(_header(name, values) for name, values in match.headers)
    if len(conditions) == 1:
        return conditions[0]
    return (lambda request: all(holds(request) for holds in conditions)) if conditions else None


def _any(matches: Sequence[StringMatch]) -> Callable[[bytes], bool]:
    fits = [text_condition(match) for match in matches]
    if len(fits) == 1:
        return fits[0]
    return lambda text: any(each(text) for each in fits)


def _method(fits: Callable[[bytes], bool]) -> Condition:
    return lambda request: fits(request.method)


def _path(fits: Callable[[bytes], bool]) -> Condition:
    return lambda request: fits(request.path)


def _not(holds: Condition) -> Condition:
    return lambda request: not holds(request)


def _header(name: str, matches: Sequence[StringMatch]) -> Condition:
    values = values_of(name.encode("latin-1"))
    if not matches:
        return lambda request: bool(values(request))
    fits = _any(matches)
    return lambda request: any(fits(value) for value in values(request))
