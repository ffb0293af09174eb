"""What is compared of an answer: one check for each key of C{expect}."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from edgegate.config.document import Path
from edgegate.model.origin import Origin
from edgegate.route_tests.destinations import Destination, of_cluster, shares_shown
from edgegate.route_tests.kinds import Expectation, Expected
from edgegate.route_tests.outcome import BACKEND, Outcome


class Found(NamedTuple):
    """
    What a check has found.

    @ivar holds: Whether it is what was expected.
    @ivar there: What is there, in words.
    """

    holds: bool
    there: str


@dataclass(frozen=True, slots=True)
class Check:
    """
    One thing that is expected, or is not.

    @ivar key: As the file calls it: C{to}, C{share.stable}, C{not.route}.
    @ivar wanted: In words.
    @ivar negative: Whether it must not be so.
    """

    key: str
    wanted: str
    look: Callable[[Outcome], Found]
    negative: bool = False

    def miss(self, outcome: Outcome) -> Miss | None:
        """Return how an outcome differs from what is expected; L{None}: it does not."""
        holds, there = self.look(outcome)
        if holds is not self.negative:
            return None
        return Miss(self.key, f"anything but {self.wanted}" if self.negative else self.wanted, there)


class Miss(NamedTuple):
    """What is otherwise than expected: the key, what was wanted and what is there."""

    key: str
    wanted: str
    there: str


class BadExpectation(ValueError):
    """
    An expectation says what can't be.

    @ivar path: Of the key within C{expect}.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def checks_of(expected: Expected) -> tuple[Check, ...]:
    """
    Return what is to be compared.

    @raise BadExpectation: A value is none that could be there.
    """
    checks = list(_checks(expected, ()))
    if expected.none_of is not None:
        for each in _checks(expected.none_of, ("not",)):
            checks.append(replace(each, key=f"not.{each.key}", negative=True))
    return tuple(checks)


def _checks(expected: Expectation, path: Path) -> Iterator[Check]:
    for key, make in _KEYS.items():
        wanted = getattr(expected, key)
        if wanted is None:
            continue
        try:
            yield from make(key, wanted)
        except ValueError as error:
            raise BadExpectation((*path, key), str(error)) from None


def _text(there: Callable[[Outcome], str], nothing: str) -> Callable[[str, str], Iterator[Check]]:
    """Return what makes the check of a text; empty stands for C{nothing}."""

    def make(key: str, wanted: str) -> Iterator[Check]:
        def look(outcome: Outcome) -> Found:
            found = there(outcome)
            return Found(found == wanted, found or f"{nothing}: {outcome.ending}")

        yield Check(key, wanted or nothing, look)

    return make


def _at(key: str, wanted: str) -> Iterator[Check]:
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


def _to(key: str, wanted: str) -> Iterator[Check]:
    destination = Destination.parse(wanted) if wanted else None

    def look(outcome: Outcome) -> Found:
        found = outcome.shares
        there = shares_shown(found) if len(found) > 1 else shares_shown(found).removesuffix(" 100 %")
        if destination is None:
            return Found(not found, there)
        holds = bool(found) and all(map(destination.matches, found))
        return Found(holds, there if found else f"{there}: {outcome.ending}")

    yield Check(key, wanted or "no backend", look)


def _share(key: str, wanted: dict[str, float]) -> Iterator[Check]:
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
        return Found(abs(found - percent) < _NEARLY, f"{found:.4g} % ({whole})")

    return look


_NEARLY = 0.05
"""Percent that make no difference: a third is 33.3."""


def _timeout(key: str, wanted: float) -> Iterator[Check]:
    def look(outcome: Outcome) -> Found:
        there = outcome.timeout
        return Found(there == wanted, f"no route: {outcome.ending}" if there is None else _seconds(there))

    yield Check(key, _seconds(wanted), look)


def _seconds(time: float) -> str:
    return "none" if math.isinf(time) else f"{time:g}s"


def _status(key: str, wanted: int) -> Iterator[Check]:
    def look(outcome: Outcome) -> Found:
        there = outcome.status
        if there is None:
            return Found(False, f"no answer: {outcome.ending}")
        return Found(there == wanted, _status_shown(there) if there == BACKEND else f"{there}: {outcome.ending}")

    yield Check(key, _status_shown(wanted), look)


def _status_shown(status: int) -> str:
    return "the backend's" if status == BACKEND else str(status)


def _body(key: str, wanted: str) -> Iterator[Check]:
    def look(outcome: Outcome) -> Found:
        there = outcome.body
        return Found(there == wanted, f"none by the files: {outcome.ending}" if there is None else repr(there))

    yield Check(key, repr(wanted), look)


def _misdirected(key: str, wanted: bool) -> Iterator[Check]:
    def look(outcome: Outcome) -> Found:
        there = outcome.misdirected
        return Found(there is wanted, "421" if there else outcome.ending)

    yield Check(key, "421" if wanted else "not 421", look)


def _tls(key: str, wanted: str) -> Iterator[Check]:
    if wanted not in ("refused", "accepted"):
        raise ValueError("it is either refused or accepted")

    def look(outcome: Outcome) -> Found:
        there = outcome.tls
        return Found(there == wanted, f"{there or 'no TLS'}: {outcome.ending}")

    yield Check(key, wanted, look)


_KEYS: dict[str, Callable[[str, Any], Iterator[Check]]] = {
    "route": _text(lambda outcome: outcome.route_name, "no route"),
    "at": _at,
    "domain": _text(lambda outcome: outcome.domain, "no virtual host"),
    "to": _to,
    "share": _share,
    "timeout": _timeout,
    "status": _status,
    "flag": _text(lambda outcome: outcome.flag, "no flag"),
    "body": _body,
    "misdirected": _misdirected,
    "tls": _tls,
}
"""What makes the checks of each key of C{expect}, by the key; in the order in which a miss is told."""
