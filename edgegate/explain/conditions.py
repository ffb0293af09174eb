"""
The conditions of a route, one by one: what each asks for, what is there, and whether it holds.

A second interpreter of the values that L{edgegate.routing.matching} makes functions of: those can't say which of them
failed. That both agree is tested with made-up requests, and looked at again whenever something is explained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgegate.model.claims import MARK
from edgegate.model.matching import HTTPMatch, Kind, StringMatch, any_path, text_condition
from edgegate.routing.matching import JOINED, Request, first_params, values_of

_PATH_WORDS = {Kind.EXACT: "exactly {}", Kind.PREFIX: "begins with {}", Kind.REGEX: "matches {}"}


@dataclass(frozen=True, slots=True)
class Tested:
    """
    One condition, tried on a request.

    @ivar what: What it looks at, by Istio's names: C{uri}, C{method}, C{headers[x-user]}, C{withoutHeaders[x-user]}.
    @ivar wanted: The condition on its value; L{None} for a port.
    @ivar wanted_port: The port that is asked for.
    @ivar there: The values that are there; none: it is not there at all.
    """

    what: str
    wanted: StringMatch | None
    there: tuple[bytes, ...]
    holds: bool
    wanted_port: int | None = None

    @property
    def wish(self) -> str:
        """The condition in words."""
        if self.wanted is None:
            return f"is {self.wanted_port}"
        return words(self.wanted)


def words(match: StringMatch) -> str:
    """Return a condition on a text in words."""
    if match.kind is Kind.PRESENT:
        return "is there"
    case = ", whatever its case" if match.ignore_case else ""
    return _PATH_WORDS[match.kind].format(repr(match.value)) + case


def tried(match: HTTPMatch, request: Request) -> Iterator[Tested]:
    """
    Yield the conditions of a match in the order in which they are tried, up to the first that fails.

    The match holds where the last one does, or where there is none.
    """
    for each in _conditions(match, request):
        yield each
        if not each.holds:
            return


def held(match: HTTPMatch, request: Request) -> bool:
    """Whether all conditions of a match hold."""
    return all(each.holds for each in _conditions(match, request))


def _conditions(match: HTTPMatch, request: Request) -> Iterator[Tested]:
    if match.uri is not None:
        path = request.path
        yield Tested("uri", match.uri, (path,), any_path(match.uri) or text_condition(match.uri)(path))
    if match.port is not None:
        port = request.port
        yield Tested("port", None, (b"%d" % port,), port == match.port, match.port)
    for name, wanted, there in (
        ("method", match.method, request.method),
        ("scheme", match.scheme, request.scheme),
        ("authority", match.authority, request.authority),
    ):
        if wanted is not None:
            yield Tested(name, wanted, (there,), text_condition(wanted)(there))
    for name, wanted in match.headers:
        values = tuple(values_of(name.encode("latin-1"))(request))
        yield Tested(f"headers[{name}]", wanted, values, _header_holds(name, wanted, values))
    for name, wanted in match.without_headers:
        values = tuple(values_of(name.encode("latin-1"))(request))
        yield Tested(f"withoutHeaders[{name}]", wanted, values, not _any_holds(name, wanted, values))
    if match.query_params:
        given = first_params(request.query)
        for name, wanted in match.query_params:
            value = given.get(name.encode())
            holds = value is not None and text_condition(wanted)(value)
            yield Tested(f"queryParams[{name}]", wanted, () if value is None else (value,), holds)


def _header_holds(name: str, wanted: StringMatch, values: tuple[bytes, ...]) -> bool:
    """Whether a header is as it should be: any of its fields, or all of them as one value where they are one."""
    holds = text_condition(wanted)
    between = JOINED.get(name.encode("latin-1"))
    if between is None:
        return any(map(holds, values))
    return bool(values) and holds(between.join(values))


def _any_holds(name: str, wanted: StringMatch, values: tuple[bytes, ...]) -> bool:
    """Whether a header is as it should not be; to a condition on its value one that is missing is empty."""
    if wanted.kind is Kind.PRESENT:
        return bool(values)
    holds: Callable[[bytes], bool] = text_condition(wanted)
    given = values or (() if name.startswith(MARK) else (b"",))
    between = JOINED.get(name.encode("latin-1"))
    return any(map(holds, given)) or (between is not None and len(given) > 1 and holds(between.join(given)))
