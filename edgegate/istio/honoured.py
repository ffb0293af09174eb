"""
What is honoured of Istio's API: told to whoever gives a field that is not, and to the documentation.

The notes themselves stand at the fields, in L{edgegate.istio.kinds}.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import Enum
from functools import cache
from typing import Any, NamedTuple

from msgspec import Struct, inspect

from edgegate.config.document import Path
from edgegate.istio.kinds.base import Duration, Note, Spec

Report = Callable[[Path, str], None]


def not_honoured(spec: Spec, path: Path, report: Report) -> None:
    """
    Report all fields that are given but not honoured, outermost only.

    @param path: Where C{spec} stands in its document.
    """
    for attribute, name, note, nested in _plan(type(spec)):
        value = getattr(spec, attribute)
        if value is None or value is False or (not value and isinstance(value, tuple | dict | str)):
            continue
        message = _message(note, value) if note is not None else ""
        if message:
            report((*path, name), message)
        elif nested:
            for at, each in _structs(value):
                not_honoured(each, (*path, name, *at), report)


class Field(NamedTuple):
    """
    A field of a kind, as the documentation shows it.

    @ivar path: Such as C{servers[].tls.mode}.
    @ivar type: What it holds, such as C{list of strings}; a choice is its words with commas between them.
    """

    path: str
    note: Note | None
    type: str
    required: bool


def fields(struct: type[Struct], prefix: str = "") -> Iterator[Field]:
    """
    Yield every field of a struct.

    Fields within one that is not honoured at all are left out. The documentation's tables are made of it.
    """
    for each in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
        note, type_ = _unwrap(each.type)
        path = f"{prefix}{each.encode_name}"
        yield Field(path, note, _named(type_), each.required)
        inner, suffix = _inner(type_)
        if isinstance(inner, inspect.StructType) and not (note is not None and note.message):
            yield from fields(inner.cls, f"{path}{suffix}.")


_NAMES: dict[type[inspect.Type], str] = {
    inspect.StrType: "string",
    inspect.IntType: "integer",
    inspect.FloatType: "number",
    inspect.BoolType: "boolean",
    inspect.StructType: "object",
}


def _named(type_: inspect.Type) -> str:
    """Return a type in words."""
    inner, suffix = _inner(type_)
    if suffix:
        return f"{'list of' if suffix == '[]' else 'map to'} {_NAMES.get(type(inner), 'value')}s"
    if isinstance(type_, inspect.EnumType):
        return ", ".join(each.value for each in type_.cls)
    if isinstance(type_, inspect.CustomType):
        return "duration" if issubclass(type_.cls, Duration) else "base64"
    return _NAMES.get(type(type_), "value")


def _message(note: Note, value: object) -> str:
    if not note.values:
        return note.message
    return dict(note.values).get(str(value.value) if isinstance(value, Enum) else str(value), "")


def _structs(value: Any) -> Iterator[tuple[Path, Spec]]:
    if isinstance(value, Spec):
        yield (), value
    elif isinstance(value, tuple):
        for index, each in enumerate(value):
            yield (index,), each
    else:
        for key, each in value.items():
            yield (key,), each


@cache
def _plan(struct: type[Spec]) -> tuple[tuple[str, str, Note | None, bool], ...]:
    """Return the fields to look at: Python name, JSON name, note, and whether there are structs within."""
    found = []
    for each in inspect.type_info(struct).fields:  # type: ignore[attr-defined]
        note, type_ = _unwrap(each.type)
        nested = isinstance(_inner(type_)[0], inspect.StructType)
        if note is not None or (nested and any(_plan(_inner(type_)[0].cls))):  # type: ignore[attr-defined]
            found.append((each.name, each.encode_name, note, nested))
    return tuple(found)


def _unwrap(info: inspect.Type) -> tuple[Note | None, inspect.Type]:
    """Return the note of a field, and its type when it is given."""
    note = None
    while isinstance(info, inspect.Metadata):
        note = (info.extra or {}).get("note", note)
        info = info.type
    if isinstance(info, inspect.UnionType):
        info = next(each for each in info.types if not isinstance(each, inspect.NoneType))
    return note, info


def _inner(info: inspect.Type) -> tuple[inspect.Type, str]:
    """Return what a list or map holds, or else the type itself, and how a path shows it."""
    if isinstance(info, inspect.VarTupleType):
        return _unwrap(info.item_type)[1], "[]"
    if isinstance(info, inspect.DictType):
        return _unwrap(info.value_type)[1], ".*"
    return info, ""
