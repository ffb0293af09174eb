"""All that some lists of routes ask of requests: their axes, and each match as a box."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from edgegate.analysis.automata import expression
from edgegate.analysis.axes import Kept, ListAxis, Numbers, TextAxis, read
from edgegate.analysis.boxes import Box
from edgegate.analysis.fields import FieldAxes
from edgegate.analysis.joined_fields import JoinedAxes
from edgegate.analysis.limits import WORK, Steps
from edgegate.analysis.wire import (
    ANY_PATH,
    ANY_PLAIN_PATH,
    ANY_PLAIN_TARGET,
    ANY_VALUE,
    AUTHORITY,
    METHODS,
    NAME,
    NORMAL_PATH,
    NORMAL_TARGET,
    NORMAL_VALUE,
    PARAMETER,
    PATH,
    PLAIN_PATH,
    TARGET,
    Surroundings,
    letters,
)
from edgegate.model.claims import MARK
from edgegate.model.matching import HTTPMatch, Kind, StringMatch, any_path, text_condition
from edgegate.routing.matching import JOINED

PATH_KEPT: Final = Kept(PATH, ANY_PATH, NORMAL_PATH, lambda text: text[:1] == b"/", b"/", star=True)
_TARGET_KEPT: Final = Kept(TARGET, ANY_PATH, NORMAL_TARGET, lambda text: text[:1] == b"/", b"/", star=True)
_PLAIN_PATH_KEPT: Final = Kept(
    PLAIN_PATH, ANY_PLAIN_PATH, NORMAL_PATH, lambda text: read(ANY_PLAIN_PATH, text), b"/", star=True, searched=True
)
_PLAIN_TARGET_KEPT: Final = Kept(
    TARGET, ANY_PLAIN_TARGET, NORMAL_TARGET, lambda text: read(ANY_PLAIN_TARGET, text), b"/", star=True, searched=True
)
_PARAMETER_KEPT: Final = Kept(PARAMETER, ANY_VALUE, NORMAL_VALUE, lambda text: True, optional=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """
    A condition, and what it is about.

    @ivar about: C{path}, C{method}, C{scheme}, C{authority}, C{target} for path and query, C{header} or C{query}.
    @ivar name: Of the header or the parameter.
    """

    about: str
    match: StringMatch
    holds: bool = True
    name: str = ""


class Never(Exception):
    """A condition that no request satisfies."""


def asked_by(match: HTTPMatch, port: int) -> Iterator[Asked]:
    """
    Yield all that a match asks of requests to a port.

    @raise Never: No request satisfies it.
    """
    if match.port is not None and match.port != port:
        raise Never
    if match.uri is not None and not any_path(match.uri):
        yield Asked("path", match.uri)
    for about, each in (("method", match.method), ("scheme", match.scheme), ("authority", match.authority)):
        if each is not None:
            yield Asked(about, each)
    for name, each in match.headers:
        yield from _asked_of_header(name, each, holds=True)
    for name, each in match.without_headers:
        yield from _asked_of_header(name, each, holds=False)
    for name, each in match.query_params:
        if name.encode().translate(None, _PARAMETER_NAME):
            raise Never
        yield Asked("query", each, name=name)


_PSEUDO: Final = {":method": "method", ":scheme": "scheme", ":authority": "authority", "host": "authority"}
_NAME: Final = letters(NAME)
_PARAMETER_NAME: Final = bytes(set(letters(PARAMETER)) - set(b"="))


def _asked_of_header(name: str, match: StringMatch, holds: bool) -> Iterator[Asked]:
    if name in _PSEUDO:
        yield from _asked(Asked(_PSEUDO[name], match, holds))
    elif name == ":path":
        yield from _asked_of_target(match, holds)
    elif not name.startswith(MARK) and (not name or name.encode("latin-1").translate(None, _NAME)):
        # no request has it: it holds only where it must not, and where an empty value would not hold
        if holds or (match.kind is not Kind.PRESENT and text_condition(match)(b"")):
            raise Never
    else:
        yield Asked("header", match, holds, name)


def _asked(asked: Asked) -> Iterator[Asked]:
    """Yield a condition on a text that is always there."""
    if asked.match.kind is not Kind.PRESENT:
        yield asked
    elif not asked.holds:
        raise Never


def _asked_of_target(match: StringMatch, holds: bool) -> Iterator[Asked]:
    """Yield what a condition on C{:path} asks, which is path and query, of the path alone, too, where that is plain."""
    path, mark, _ = match.value.partition("?")
    if match.kind is Kind.PREFIX and not mark:
        yield Asked("path", match, holds)
        return
    yield from _asked(Asked("target", match, holds))
    if holds and match.kind in (Kind.EXACT, Kind.PREFIX):
        yield Asked("path", replace(match, kind=Kind.EXACT, value=path))


class Space:
    """
    The axes of some matches.

    @ivar full: All values of each axis.
    @ivar constraints: Boxes in which there is no request; what is found out on the way is added to them.
    @ivar steps: What work is left to all that is asked of it.
    """

    def __init__(
        self, matches: Iterable[HTTPMatch], surroundings: Surroundings, most: int = WORK, within: Steps | None = None
    ) -> None:
        """
        @param most: How many steps all that is asked of it may take.
        @param within: What these are a part of.
        @raise TooMuch: There is too much to be told apart.
        """
        self.surroundings = surroundings
        self.steps = Steps(most, within)
        self._numbers = numbers = Numbers(self.steps)
        self.full, self.constraints = numbers.full, numbers.constraints
        given: dict[str, list[Asked]] = {}
        for match in dict.fromkeys(matches):
            try:
                for each in asked_by(match, surroundings.port):
                    given.setdefault(each.about, []).append(each)
            except Never:
                continue
        self.method = ListAxis(METHODS, numbers)
        self.scheme = ListAxis(surroundings.schemes, numbers)
        plain = surroundings.plain_paths
        path_kept = _PLAIN_PATH_KEPT if plain else PATH_KEPT
        target_kept = _PLAIN_TARGET_KEPT if plain else _TARGET_KEPT
        self.path = TextAxis("path", _matches(given.get("path", ())), path_kept, numbers)
        only_options = self.method.full & ~(1 << METHODS.index(b"OPTIONS"))
        self.constraints.append({self.path.number: self.path.star, self.method.number: only_options})
        hosts, targets = given.get("authority"), given.get("target")
        self.authority = (
            TextAxis("authority", _matches(hosts), _authority_kept(surroundings), numbers) if hosts else None
        )
        self.target = TextAxis("target", _matches(targets), target_kept, numbers) if targets else None
        self.queries = {
            name: TextAxis(f"parameter {name}", _matches(found), _PARAMETER_KEPT, numbers)
            for name, found in _by_name(given.get("query", ())).items()
        }
        self.headers: dict[str, FieldAxes | JoinedAxes] = {
            name: self._header(name, found) for name, found in _by_name(given.get("header", ())).items()
        }

    def _header(self, name: str, asked: list[Asked]) -> FieldAxes | JoinedAxes:
        if name.encode("latin-1") not in JOINED:
            return FieldAxes(name, _matches(asked), self._numbers)
        holding = [each.match for each in asked if each.holds]
        return JoinedAxes(name, holding, [each.match for each in asked if not each.holds], self._numbers)

    def box(self, match: HTTPMatch) -> Box | None:
        """Return the requests that satisfy a match, which was among those given; L{None}: there is none."""
        box: dict[int, int] = {}
        try:
            for asked in asked_by(match, self.surroundings.port):
                self._axis(asked).add(box, asked.match, asked.holds)
        except Never:
            return None
        return box if all(box.values()) else None

    def _axis(self, asked: Asked) -> TextAxis | ListAxis | FieldAxes | JoinedAxes:
        if asked.about == "header":
            return self.headers[asked.name]
        if asked.about == "query":
            return self.queries[asked.name]
        texts: dict[str, TextAxis | ListAxis | None] = {
            "path": self.path,
            "method": self.method,
            "scheme": self.scheme,
            "authority": self.authority,
            "target": self.target,
        }
        found = texts[asked.about]
        assert found is not None
        return found


def _authority_kept(surroundings: Surroundings) -> Kept:
    """
    Return what C{Host} can say.

    @raise TooMuch: Never, for patterns in normal form.
    """
    shape = expression(surroundings.authorities())
    return Kept(AUTHORITY, shape, shape, lambda text: read(shape, text), searched=True)


def _matches(asked: Iterable[Asked]) -> list[StringMatch]:
    return [each.match for each in asked]


def _by_name(asked: Iterable[Asked]) -> dict[str, list[Asked]]:
    found: dict[str, list[Asked]] = {}
    for each in asked:
        found.setdefault(each.name, []).append(each)
    return found
