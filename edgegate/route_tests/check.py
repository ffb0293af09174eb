"""One thing that is expected of an answer, and how it is compared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from edgegate.http.fields import Field
from edgegate.route_tests.outcome import Outcome


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


def text(there: Callable[[Outcome], str], nothing: str) -> Callable[[str, str], Iterator[Check]]:
    """Return what makes the check of a text; empty stands for C{nothing}."""

    def make(key: str, wanted: str) -> Iterator[Check]:
        def look(outcome: Outcome) -> Found:
            found = there(outcome)
            return Found(found == wanted, found or f"{nothing}: {outcome.ending}")

        yield Check(key, wanted or nothing, look)

    return make


def field_of(fields: Iterable[Field], name: str) -> str | None:
    """Return the value of a header, several joined by commas; L{None}: there is none."""
    key = name.lower().encode()
    values = [value.decode("latin-1") for field, value in fields if field == key]
    return ",".join(values) if values else None
