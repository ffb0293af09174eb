"""An index of host patterns that finds those which have names in common with another one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


def wider(pattern: str) -> Iterator[str]:
    """Yield a pattern in normal form, then every pattern that covers it, narrowest first."""
    yield pattern
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

    A look-up costs one step per label and one per pattern found.
    """

    def __init__(self) -> None:
        self._values: dict[str, list[T]] = {}
        self._below: dict[str, list[str]] = {}

    def add(self, pattern: str, value: T) -> None:
        """Add a value."""
        if pattern not in self._values:
            self._values[pattern] = []
            for above in wider(pattern):
                if above != pattern:
                    self._below.setdefault(above, []).append(pattern)
        self._values[pattern].append(value)

    def covering(self, pattern: str) -> Iterator[tuple[str, T]]:
        """Yield every pattern that covers this one, narrowest first, with its values."""
        for above in wider(pattern):
            for value in self._values.get(above, ()):
                yield above, value

    def below(self, pattern: str) -> Iterator[tuple[str, T]]:
        """Yield every narrower pattern that this one covers, with its values."""
        for narrower in self._below.get(pattern, ()):
            for value in self._values[narrower]:
                yield narrower, value

    def intersecting(self, pattern: str) -> Iterator[tuple[str, T]]:
        """Yield the intersection with every pattern that has names in common with this one, and the values."""
        for _, value in self.covering(pattern):
            yield pattern, value
        yield from self.below(pattern)
