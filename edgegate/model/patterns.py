"""An index of host patterns that finds those which have names in common with another one."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Generic, TypeVar

from edgegate.model.hosts import is_partial, subset_of

T = TypeVar("T")


def wider(pattern: str, partial: Collection[str] = ()) -> Iterator[str]:
    """
    Yield a pattern in normal form, then every pattern that covers it, narrowest first.

    @param partial: The patterns of C{*-v1.example.com}'s kind that there are: those that could be are too many.
    """
    above = [each for each in partial if each != pattern and subset_of(pattern, each)]
    if above:
        yield pattern
        yield from sorted({*above, *_below_dots(pattern)}, key=len, reverse=True)
        return
    yield pattern
    yield from _below_dots(pattern)


def _below_dots(pattern: str) -> Iterator[str]:
    if pattern == "*":
        return
    at = pattern.find(".", 2 if pattern.startswith("*.") else 1)
    while at != -1:
        yield "*" + pattern[at:]
        at = pattern.find(".", at + 1)
    yield "*"


class PatternIndex(Generic[T]):
    """
    Patterns in normal form with values; one pattern may have several.

    A look-up costs one step per label, one per pattern whose wildcard stands for a part of a label, and one per
    pattern found; that of such a pattern itself one for each that there is.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[T]] = {}
        self._below: dict[str, list[str]] = {}
        self._partial: list[str] = []

    def add(self, pattern: str, value: T) -> None:
        """Add a value."""
        if pattern not in self._values:
            self._values[pattern] = []
            if is_partial(pattern):
                self._partial.append(pattern)
            for above in wider(pattern):
                if above != pattern:
                    self._below.setdefault(above, []).append(pattern)
        self._values[pattern].append(value)

    def covering(self, pattern: str) -> Iterator[tuple[str, T]]:
        """Yield every pattern that covers this one, narrowest first, with its values."""
        for above in wider(pattern, self._partial):
            for value in self._values.get(above, ()):
                yield above, value

    def below(self, pattern: str) -> Iterator[tuple[str, T]]:
        """Yield every narrower pattern that this one covers, with its values."""
        names: Collection[str] = self._below.get(pattern, ())
        if is_partial(pattern):
            names = [name for name in self._values if name != pattern and subset_of(name, pattern)]
        for narrower in names:
            for value in self._values[narrower]:
                yield narrower, value

    def intersecting(self, pattern: str) -> Iterator[tuple[str, T]]:
        """Yield the intersection with every pattern that has names in common with this one, and the values."""
        for _, value in self.covering(pattern):
            yield pattern, value
        yield from self.below(pattern)
