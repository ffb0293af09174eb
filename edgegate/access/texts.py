# Hot path: compares what requests say.
"""The forms that values of rules have: C{*}, C{*suffix}, C{prefix*} and the text itself, of many values at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Pattern(Protocol):
    """Matches whole texts."""

    def fullmatch(self, text: bytes, /) -> object: ...


class Texts:
    """
    Texts that fit: by themselves, by how they begin or end, or by an expression (Istio's C{authz/matcher/string.go}).

    A C{*} elsewhere than in front or behind is a character; of two the one behind is one.

    @ivar exact: Those that fit by themselves.
    @ivar prefixes: How texts begin that fit.
    @ivar plain: Whether nothing else fits, but for what an expression matches.
    """

    __slots__ = ("_any", "_not_empty", "_patterns", "_suffixes", "exact", "plain", "prefixes")

    def __init__(
        self,
        values: Iterable[bytes],
        patterns: Iterable[Pattern] = (),
        empty: bool = False,
        literal: Iterable[bytes] = (),
    ) -> None:
        """
        @param patterns: Expressions that match a text that fits, whole.
        @param empty: Whether C{*} stands for an empty text, too.
        @param literal: Texts in which a C{*} is a character, wherever it stands.
        """
        exact: list[bytes] = [*literal]
        prefixes: list[bytes] = []
        suffixes: list[bytes] = []
        self._any = self._not_empty = False
        for value in values:
            if value == b"*":
                self._any = self._any or empty
                self._not_empty = True
            elif value[:1] == b"*":
                suffixes.append(value[1:])
            elif value[-1:] == b"*":
                prefixes.append(value[:-1])
            else:
                exact.append(value)
        self.exact: frozenset[bytes] = frozenset(exact)
        self.prefixes: tuple[bytes, ...] = tuple(prefixes)
        self._suffixes: tuple[bytes, ...] = tuple(suffixes)
        self._patterns: tuple[Pattern, ...] = tuple(patterns)
        self.plain: bool = not (suffixes or self._not_empty)

    def fits(self, text: bytes) -> bool:
        """Whether a text is one of them."""
        if text in self.exact or self._any or (self._not_empty and len(text) > 0):
            return True
        if self.prefixes and text.startswith(self.prefixes):
            return True
        if self._suffixes and text.endswith(self._suffixes):
            return True
        return any(pattern.fullmatch(text) is not None for pattern in self._patterns)
