# Hot path: finds each request's route.
"""The routes of a virtual host as a table: Istio's order stays the law, and many routes cost what a few do."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Generic, TypeVar

from edgegate.model.matching import HTTPMatch, Kind, any_path
from edgegate.routing.matching import Condition, Request, condition, other_condition

T = TypeVar("T")


def first_match(rules: Iterable[tuple[Sequence[HTTPMatch], T]]) -> Callable[[Request], T | None]:
    """
    Return a function that finds the first rule of which any match holds.

    Where there are many, those whose path can't match are not looked at: the
    cost of finding one of a thousand exact paths or prefixes is that of a few.

    @param rules: In order of precedence; a rule without matches holds for every request.
    """
    table: list[tuple[HTTPMatch, T]] = []
    last: T | None = None
    for matches, value in rules:
        if not matches or any(condition(match) is None for match in matches):
            last = value
            break
        table.extend((match, value) for match in matches)
    if not table:
        return lambda request: last
    return _linear(table, last) if len(table) <= _FEW else _Index(table, last).find


_FEW = 6
"""Matches that are faster tried one after the other than found by an index."""


def _linear(table: Iterable[tuple[HTTPMatch, T]], last: T | None) -> Callable[[Request], T | None]:
    conditions = [(holds, value) for match, value in table if (holds := condition(match)) is not None]

    def find(request: Request) -> T | None:
        for holds, value in conditions:
            if holds(request):
                return value
        return last

    return find


_Ranked = list[tuple[int, Condition | None, T]]
"""Rules with their rank and what must hold besides the path, in the order of their ranks."""


class _Index(Generic[T]):
    """Finds the first rule by the path, and tries only those that the path leaves."""

    __slots__ = ("_exact", "_exact_folded", "_last", "_others", "_prefixes", "_prefixes_folded")

    def __init__(self, table: Iterable[tuple[HTTPMatch, T]], last: T | None) -> None:
        self._exact: dict[bytes, _Ranked[T]] = {}
        self._exact_folded: dict[bytes, _Ranked[T]] = {}
        self._prefixes = _Prefixes[T]()
        self._prefixes_folded = _Prefixes[T]()
        self._others: _Ranked[T] = []
        self._last = last
        for rank, (match, value) in enumerate(table):
            self._add(rank, match, value)

    def _add(self, rank: int, match: HTTPMatch, value: T) -> None:
        uri = match.uri
        if uri is None or any_path(uri) or uri.kind not in (Kind.EXACT, Kind.PREFIX):
            self._others.append((rank, condition(match), value))
            return
        path = uri.value.encode().lower() if uri.ignore_case else uri.value.encode()
        if uri.kind is Kind.EXACT:
            ranked = (self._exact_folded if uri.ignore_case else self._exact).setdefault(path, [])
        else:
            ranked = (self._prefixes_folded if uri.ignore_case else self._prefixes).of(path)
        ranked.append((rank, other_condition(match), value))

    def find(self, request: Request) -> T | None:
        """Return the value of the first rule that holds."""
        path = request.path
        best, found = _NO_RANK, self._last
        groups = [self._exact.get(path), *self._prefixes.found(path)]
        if self._exact_folded or self._prefixes_folded:
            folded = path.lower()
            groups += [self._exact_folded.get(folded), *self._prefixes_folded.found(folded)]
        groups.append(self._others)
        for group in groups:
            for rank, holds, value in group or ():
                if rank >= best:
                    break
                if holds is None or holds(request):
                    best, found = rank, value
                    break
        return found


_NO_RANK = 1 << 62


class _Prefixes(Generic[T]):
    """Rules by a prefix of the path; one look-up for each length that a prefix has."""

    __slots__ = ("_by_prefix", "_lengths")

    def __init__(self) -> None:
        self._by_prefix: dict[bytes, _Ranked[T]] = {}
        self._lengths: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self._by_prefix)

    def of(self, prefix: bytes) -> _Ranked[T]:
        """Return the list of a prefix's rules, to add to."""
        if len(prefix) not in self._lengths:
            self._lengths = tuple(sorted((*self._lengths, len(prefix))))
        return self._by_prefix.setdefault(prefix, [])

    def found(self, path: bytes) -> Iterator[_Ranked[T]]:
        """Yield the rules of each prefix that a path has."""
        size = len(path)
        for length in self._lengths:
            if length > size:
                return
            ranked = self._by_prefix.get(path[:length])
            if ranked is not None:
                yield ranked
