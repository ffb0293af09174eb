"""Checks of where a request goes: route, place, destinations, shares, mirrors."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from edgegate.model.origin import Origin
from edgegate.route_tests.check import Check, Found
from edgegate.route_tests.destinations import Destination, of_cluster, shares_shown, shown
from edgegate.route_tests.outcome import Outcome


def at(key: str, wanted: str) -> Iterator[Check]:
    """Where the route is said."""
    holds = _place(wanted)

    def look(outcome: Outcome) -> Found:
        origin = outcome.origin
        if origin is None:
            return Found(False, f"no route: {outcome.ending}")
        return Found(holds(origin), f"{origin.resource} ({origin})" if " " in wanted else str(origin))

    yield Check(key, wanted, look)


def _place(wanted: str) -> Callable[[Origin], bool]:
    """
    Return what tells whether a route stands at a place.

    @raise ValueError: It is no place.
    """
    if " " in wanted:
        kind, _, name = wanted.partition(" ")
        full = f"{kind} {name if '/' in name else f'default/{name}'}"
        return lambda origin: origin.resource == full
    found = re.fullmatch(r"(.+):([0-9]+)", wanted)
    if found is not None:
        file, line = found[1], int(found[2])
        return lambda origin: (origin.file, origin.line) == (file, line)
    if not wanted:
        raise ValueError("name a file, FILE:LINE, or a resource such as VirtualService shop/cart")
    return lambda origin: origin.file == wanted


def to(key: str, wanted: str) -> Iterator[Check]:
    """The only destination."""
    destination = Destination.parse(wanted) if wanted else None

    def look(outcome: Outcome) -> Found:
        found = outcome.shares
        there = shares_shown(found) if len(found) > 1 else shares_shown(found).removesuffix(" 100 %")
        if destination is None:
            return Found(not found, there)
        holds = bool(found) and all(map(destination.matches, found))
        return Found(holds, there if found else f"{there}: {outcome.ending}")

    yield Check(key, wanted or "no backend", look)


def share(key: str, wanted: dict[str, float]) -> Iterator[Check]:
    """The shares of destinations."""
    for name, percent in wanted.items():
        if not 0 <= percent <= 100:
            raise ValueError(f"{name}: a share is between 0 and 100 percent")
        yield Check(f"{key}.{name}", f"{percent:g} %", _share_of(name, Destination.parse(name), percent))


def _share_of(name: str, destination: Destination, percent: float) -> Callable[[Outcome], Found]:
    def look(outcome: Outcome) -> Found:
        there = outcome.shares
        own = [part for cluster, part in there.items() if of_cluster(cluster).subset == name]
        found = sum(own or [part for cluster, part in there.items() if destination.matches(cluster)])
        whole = shares_shown(there) if there else f"no backend: {outcome.ending}"
        return Found(abs(found - percent) < NEARLY, f"{found:.4g} % ({whole})")

    return look


NEARLY = 0.05
"""Percent that make no difference: a third is 33.3."""


def mirrors(key: str, wanted: tuple[str, ...]) -> Iterator[Check]:
    """The destinations of copies."""
    named = [Destination.parse(each) for each in wanted]

    def look(outcome: Outcome) -> Found:
        there = outcome.mirrors
        all_named = all(any(each.matches(cluster) for each in named) for cluster in there)
        all_there = all(any(each.matches(cluster) for cluster in there) for each in named)
        return Found(all_named and all_there, ", ".join(map(shown, there)) or "none")

    yield Check(key, ", ".join(wanted) or "none", look)
