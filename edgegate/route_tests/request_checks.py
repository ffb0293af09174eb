"""Checks of what becomes of a request on its way to a backend: its path and headers, and how the route treats it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from edgegate.explain.effects import Sent
from edgegate.route_tests.check import Check, Found, field_of
from edgegate.route_tests.outcome import Outcome


def of_sent(what: Callable[[Sent, str], str | None], nothing: str) -> Callable[[str, str], Iterator[Check]]:
    """
    Return what makes the check of a text in what the backends get, all of them.

    @param what: Returns it, by what is sent and what is wanted; L{None}: it is not there.
    """

    def make(key: str, wanted: str) -> Iterator[Check]:
        def look(outcome: Outcome) -> Found:
            there = [what(sent, wanted) for sent in outcome.sent]
            if not there:
                return Found(False, f"no request to a backend: {outcome.ending}")
            different = next((each for each in there if each != wanted), wanted)
            return Found(different == wanted, nothing if different is None else different)

        yield Check(key, wanted, look)

    return make


def path(sent: Sent, wanted: str) -> str:
    """Return the path that a backend gets, with its query where one is wanted."""
    target = sent.target.decode("latin-1")
    return target if "?" in wanted else target.partition("?")[0]


def sets(key: str, wanted: dict[str, str]) -> Iterator[Check]:
    """Headers that the backends get."""
    for name, value in wanted.items():

        def field(sent: Sent, _: str, name: str = name) -> str | None:
            return field_of(sent.fields, name)

        yield from of_sent(field, "not there")(f"{key}.{name}", value)


def removes(key: str, wanted: tuple[str, ...]) -> Iterator[Check]:
    """Headers that the backends do not get."""
    for name in wanted:

        def look(outcome: Outcome, name: str = name) -> Found:
            sent = outcome.sent
            if not sent:
                return Found(False, f"no request to a backend: {outcome.ending}")
            there = next((value for each in sent if (value := field_of(each.fields, name)) is not None), None)
            return Found(there is None, "not there" if there is None else repr(there))

        yield Check(f"{key}.{name}", "not there", look)


def timeout(key: str, wanted: float) -> Iterator[Check]:
    """The route's timeout."""

    def look(outcome: Outcome) -> Found:
        there = outcome.timeout
        return Found(there == wanted, f"no route: {outcome.ending}" if there is None else _seconds(there))

    yield Check(key, _seconds(wanted), look)


def _seconds(time: float) -> str:
    return "none" if math.isinf(time) else f"{time:g}s"


def retries(key: str, wanted: int) -> Iterator[Check]:
    """How often the request is tried again."""

    def look(outcome: Outcome) -> Found:
        there = outcome.retries
        return Found(there == wanted, f"no route: {outcome.ending}" if there is None else str(there))

    yield Check(key, str(wanted), look)


def delay(key: str, wanted: float) -> Iterator[Check]:
    """How long the route holds requests."""

    def look(outcome: Outcome) -> Found:
        made = None if outcome.faults is None else outcome.faults.delay
        if made is None:
            return Found(math.isinf(wanted), f"none: {outcome.ending}")
        return Found(made.seconds == wanted, f"{_seconds(made.seconds)}{_some(made.share)}")

    yield Check(key, _seconds(wanted), look)


def abort(key: str, wanted: int) -> Iterator[Check]:
    """What the route answers on purpose."""

    def look(outcome: Outcome) -> Found:
        made = None if outcome.faults is None else outcome.faults.abort
        if made is None:
            return Found(wanted == 0, f"none: {outcome.ending}")
        return Found(made.status == wanted, f"{made.status}{_some(made.share)}")

    yield Check(key, str(wanted) if wanted else "none", look)


def _some(share: float) -> str:
    return "" if share >= 1 else f" for {share * 100:g} %"
