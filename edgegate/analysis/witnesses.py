"""From a box to a request that is in it."""

from __future__ import annotations

from edgegate.analysis.automata import Automaton
from edgegate.analysis.axes import BeforeQuestionMark, TextAxis
from edgegate.analysis.boxes import Box
from edgegate.analysis.fields import FieldAxes
from edgegate.analysis.limits import TooMuch
from edgegate.analysis.spaces import Space
from edgegate.analysis.wire import STAR, Witness
from edgegate.routing.matching import first_params


class _Empty(Exception):
    """There is no request in a box."""

    def __init__(self, box: Box) -> None:
        super().__init__()
        self.box = box


def witness(space: Space, box: Box) -> Witness | Box:
    """
    Return a request that is in a box; where there is none, a wider box that holds none.

    @raise TooMuch: It is not decided which.
    """
    try:
        path, query = _target(space, box)
        authority = _authority(space, box)
        fields = tuple(_fields(space, box))
    except _Empty as empty:
        return empty.box
    method, scheme = space.method.first(box), space.scheme.first(box)
    return Witness(method, path, query, authority, scheme, space.surroundings.port, fields)


def _value(axis: TextAxis, box: Box) -> bytes | None:
    value = axis.value(box)
    if isinstance(value, dict):
        raise _Empty(value)
    return value


def _authority(space: Space, box: Box) -> bytes:
    usual, axis = space.surroundings.host, space.authority
    if axis is None or not axis.narrows(box) or axis.fits(usual, box):
        return usual
    return _value(axis, box) or b""


def _fields(space: Space, box: Box) -> list[tuple[bytes, bytes]]:
    found: list[tuple[bytes, bytes]] = []
    for name, axes in space.headers.items():
        key = name.encode("latin-1")
        if isinstance(axes, FieldAxes):
            values = axes.values(box)
            if isinstance(values, dict):
                raise _Empty(values)
            found.extend((key, value) for value in values)
        else:
            whole = axes.value(box)
            found.extend([] if whole is None else [(key, whole)])
    return found


def _target(space: Space, box: Box) -> tuple[bytes, bytes]:
    """Return a path and a query."""
    path = _value(space.path, box) or b"/"
    values = {name.encode(): _value(axis, box) for name, axis in space.queries.items() if axis.narrows(box)}
    query = b"&".join(b"%b=%b" % (name, value) for name, value in values.items() if value is not None)
    axis = space.target
    if axis is None or not axis.narrows(box):
        return path, _checked(space, box, query)
    for target in _targets(space, axis, box, path, query):
        if axis.fits(target, box):
            path, _, query = target.partition(b"?")
            return path, _checked(space, box, query)
    raise TooMuch("what :path asks for and what the parameters of the query do")


def _targets(space: Space, axis: TextAxis, box: Box, path: bytes, query: bytes) -> list[bytes]:
    """Return targets that may do, the shortest first: they have the path and all that C{:path} asks for."""
    whole = path + b"?" + query if query else path
    if axis.fits(whole, box):
        return [whole]
    mask = box.get(space.path.number, space.path.full)
    if path == STAR:
        raise _Empty({**space.path.of(box), space.path.number: space.path.star, **axis.of(box)})
    before: list[tuple[Automaton, bool]] = [
        (BeforeQuestionMark(reader), holds) for reader, holds in space.path.readers(box)
    ]
    found = axis.value(box, before)
    if isinstance(found, dict):
        raise _Empty({**space.path.of(box), space.path.number: mask & ~space.path.star, **found})
    found = found or b""
    mark = b"&" if b"?" in found else b"?"
    return [found + mark + query, found] if query else [found]


def _checked(space: Space, box: Box, query: bytes) -> bytes:
    """Return a query, all of whose parameters are as they should be."""
    given = first_params(query)
    if query == b"" and any(name == "" for name in space.queries):
        raise TooMuch("a parameter without a name")
    for name, axis in space.queries.items():
        if axis.narrows(box) and not axis.fits(given.get(name.encode()), box):
            raise TooMuch(f"what is asked of {axis.what}")
    return query
