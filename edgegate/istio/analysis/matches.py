"""
Rules and matches of one VirtualService of which Istio says that they are never reached.

Istio's validation compares the texts of conditions (C{analyzeUnreachableHTTPRules}). What it says of matches that
overlap is not always so, and it does not see all: what is proved has codes of its own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from msgspec import structs

from edgegate.config.document import Path
from edgegate.config.problems import Severity
from edgegate.istio.analysis.finding import Finding
from edgegate.istio.kinds.virtual_service import (
    HTTPMatchRequest,
    HTTPRoute,
    L4MatchAttributes,
    StringMatch,
    TCPRoute,
    TLSMatchAttributes,
    TLSRoute,
    VirtualService,
)
from edgegate.istio.resources import Resource
from edgegate.model import codes

_Match = HTTPMatchRequest | TLSMatchAttributes | L4MatchAttributes
_Route = HTTPRoute | TLSRoute | TCPRoute


@dataclass(frozen=True, slots=True)
class _Prefix:
    """
    A match by the prefix of a path, as Istio codes it: exact values as C{exact:V}, prefixes as C{prefix:V}, the rest as
    nothing.
    """

    path: Path
    prefix: str
    port: int
    method: str
    authority: str
    values: tuple[Mapping[str, str], Mapping[str, str], Mapping[str, str]]

    def covers(self, later: _Prefix) -> bool:
        """
        Whether Istio says that this one takes all that a later one asks for.

        It asks whether this one's values begin with those of the later one, where the reverse would be right.
        """
        if not later.prefix.startswith(self.prefix) or self.prefix == later.prefix or self.port != later.port:
            return False
        if not self.method.startswith(later.method) or not self.authority.startswith(later.authority):
            return False
        return all(
            own.keys() == theirs.keys() and all(value.startswith(theirs[name]) for name, value in own.items())
            for own, theirs in zip(self.values, later.values, strict=True)
        )


def rules(resource: Resource[VirtualService], spec: VirtualService) -> Iterator[Finding]:
    """Yield the rules and the matches that Istio takes for unreachable."""
    kinds: tuple[tuple[str, Sequence[_Route]], ...] = (("http", spec.http), ("tls", spec.tls), ("tcp", spec.tcp))
    for kind, routes in kinds:
        if len(routes) > 1 or any(len(route.match) > 1 for route in routes):
            yield from _Walk(resource, ("spec", kind)).rules(routes)


class _Walk:
    """Looks through the rules of one kind."""

    def __init__(self, resource: Resource[VirtualService], path: Path) -> None:
        self._resource = resource
        self._path = path
        self._known: dict[bytes, Path] = {}
        self._prefixes: list[_Prefix] = []

    def rules(self, routes: Sequence[_Route]) -> Iterator[Finding]:
        """Yield what Istio says of rules, then of matches that overlap."""
        taken: Path | None = None
        for index, route in enumerate(routes):
            path = (*self._path, index)
            if not route.match:
                if taken is not None:
                    yield self._unreachable(path, path, f"the rule at {self._at(taken)} takes everything")
                taken = path
                continue
            if taken is not None:
                for number in range(len(route.match)):
                    where = (*path, "match", number)
                    yield self._unreachable(where, path, f"the rule at {self._at(taken)} takes everything")
                continue
            yield from self._matches(path, route.match)
        yield from self._overlapping()

    def _overlapping(self) -> Iterator[Finding]:
        """Yield matches by prefix that an earlier one covers; of thousands not each is compared with each."""
        earlier: dict[str, list[_Prefix]] = {}
        lengths: set[int] = set()
        for later in self._prefixes:
            for length in lengths:
                shorter = earlier.get(later.prefix[:length], ()) if length < len(later.prefix) else ()
                for first in shorter:
                    if first.covers(later):
                        what = f"the prefix {later.prefix} begins with {first.prefix}"
                        yield self._ineffective(later.path, f"{what}, which the match at {self._at(first.path)} takes")
            earlier.setdefault(later.prefix, []).append(later)
            lengths.add(len(later.prefix))

    def _matches(self, path: Path, matches: Sequence[_Match]) -> Iterator[Finding]:
        same: list[Path] = []
        for index, match in enumerate(matches):
            where = (*path, "match", index)
            # names route nothing
            asked = structs.replace(match, name=None) if isinstance(match, HTTPMatchRequest) and match.name else match
            known = msgspec.json.encode(asked, order="sorted")
            before = self._known.get(known)
            if before is not None:
                same.append(before)
                yield self._ineffective(where, f"the match at {self._at(before)} has the same conditions")
                continue
            self._known[known] = where
            prefix = _prefix(where, match)
            if prefix is not None:
                self._prefixes.append(prefix)
        if len(same) == len(matches):
            yield self._unreachable(path, path, f"its conditions are those of the match at {self._at(same[0])}")

    def _unreachable(self, path: Path, rule: Path, why: str) -> Finding:
        message = f"never reached: {why}"
        return Finding(
            self._resource, path, codes.UNREACHABLE_RULE, message, part=rule, replaces=(codes.UNREACHABLE_ROUTE,)
        )

    def _ineffective(self, path: Path, why: str) -> Finding:
        return Finding(self._resource, path, codes.INEFFECTIVE_MATCH, why, Severity.INFO)

    def _at(self, path: Path) -> str:
        return str(self._resource.document.origin_of(path))


def _prefix(path: Path, match: _Match) -> _Prefix | None:
    """Return what Istio compares of a match with other prefixes; L{None} of one without."""
    if not isinstance(match, HTTPMatchRequest) or match.uri is None or not match.uri.prefix:
        return None
    values = (_coded_all(match.headers), _coded_all(match.query_params), _coded_all(match.without_headers))
    method = "exact:GET" if match.method is None else _coded(match.method)
    authority = "" if match.authority is None else _coded(match.authority)
    return _Prefix(path, match.uri.prefix, match.port or 0, method, authority, values)


def _coded_all(matches: Mapping[str, StringMatch]) -> dict[str, str]:
    return {name: _coded(match) for name, match in matches.items()}


def _coded(match: StringMatch) -> str:
    if match.exact:
        return f"exact:{match.exact}"
    return f"prefix:{match.prefix}" if match.prefix else ""
