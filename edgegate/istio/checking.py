"""
Find everything in a document's value that its struct does not allow.

msgspec stops at the first mistake. This walk, driven by what msgspec knows of
the structs, finds all, and returns the value as it was probably meant: misspelt
names replaced by the ones that they resemble, what can't be used left out. So
later passes can look at the rest, and report more, not the same again.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NamedTuple

from msgspec import inspect

from edgegate.config.document import Document, Path, format_path, snake_case
from edgegate.config.problems import Problems, Role
from edgegate.config.values import MAX_SHOWN, closest, describe, quoted, show, type_name
from edgegate.istio.kinds.base import Duration

DROPPED: Any = object()
"""Stands for a value that can't be used."""

_REFERRED = {
    "DestinationRule": ("host", "subsets"),
    "EndpointSlice": ("metadata", "ports", "endpoints"),
    "Endpoints": ("subsets",),
    "Secret": ("data", "stringData"),
    "Service": ("ports", "externalName"),
    "ServiceEntry": ("hosts", "ports"),
    "WorkloadEntry": ("labels",),
}
"""By kind the fields that others refer to: where part of one is lost, so may be what they name."""

_SYNONYMS = {
    "address": ("host",),
    "backend": ("destination",),
    "host": ("address",),
    "ip": ("address",),
    "path": ("uri",),
    "service": ("host",),
    "url": ("uri",),
}
"""What others call some fields."""

_PORT = re.compile(r"[0-9]{1,5}")


class _Object(NamedTuple):
    """
    An object that is looked into.

    @ivar fields: The names of what it may have, by spelling.
    @ivar inner: The names that objects in its fields may have, by field.
    """

    path: Path
    fields: Mapping[str, str]
    inner: Mapping[str, frozenset[str]]


@dataclass(slots=True)
class Check:
    """
    One walk.

    @ivar confidential: No value may be shown in a message.
    @ivar broken: Where something was left out.
    @ivar kept: For lists of which items were left out: the indexes of the others.
    @ivar misspelt: The keys that were taken for others, by the paths that they should have.
    @ivar around: The objects that are looked into, outer ones first.
    """

    document: Document
    problems: Problems
    confidential: bool = False
    broken: list[Path] = field(default_factory=list)
    kept: dict[Path, tuple[int, ...]] = field(default_factory=dict)
    misspelt: dict[Path, str] = field(default_factory=dict)
    around: list[_Object] = field(default_factory=list)

    def reject(self, path: Path, message: str, meant: Any = DROPPED) -> Any:
        """
        Report an error in a value, and return what was probably meant.

        Where nothing is known of that, the value is left out.
        """
        if meant is not DROPPED:
            self.document.error(self.problems, path, message)
            return meant
        self.document.error(self.problems, path, message, self.lose(path))
        return DROPPED

    def lose(self, path: Path) -> Role:
        """Take note that a value is left out, and return what an error that says so has to do with others."""
        self.broken.append(path)
        within = path[1:] if path[:1] == ("spec",) else path
        referred = _REFERRED.get(self.document.kind, ())
        hides = bool(referred) and (not within or within[0] in referred)
        return Role.CAUSE if hides else Role.ITSELF

    def mismatch(self, path: Path, expected: str, value: object, meant: Any = DROPPED) -> Any:
        """Report a value of the wrong type, and return what was probably meant."""
        got = type_name(value) if self.confidential else describe(value)
        hint = "" if self.confidential else _remedy(expected, value)
        return self.reject(path, f"expected {expected}, got {got}{hint}", meant)


def _remedy(expected: str, value: object) -> str:
    """Return what to write instead of a value of the wrong type, as far as that can be told."""
    if expected == "string":
        return quoted(value)
    if expected == "array":
        one = isinstance(value, str | int | float)
        return f": write it as a list, [{value}]" if one and len(str(value)) < MAX_SHOWN else _LISTED
    unquoted = _UNQUOTED.get(expected)
    if isinstance(value, str) and unquoted is not None and unquoted.fullmatch(value):
        return ": without quotes"
    return ": without the dash or brackets" if expected == "object" and isinstance(value, list) else ""


_UNQUOTED = {"integer": _PORT, "number": _PORT, "boolean": re.compile("true|false")}
_LISTED = ": each item of a list begins with -"

Shape = Callable[[Check, object, Path], Any]
"""Checks a value that is not null, and returns what can be used of it, or L{DROPPED}."""


@cache
def shape_of(type_: Any) -> Shape:
    """Return the check of a type: a struct's class, or anything that a field of one can be."""
    return _shape(inspect.type_info(type_))


def _shape(info: Any) -> Shape:
    return _BUILDERS[type(info)](info)


def _union(info: inspect.UnionType) -> Shape:
    types = tuple(each for each in info.types if not isinstance(each, inspect.NoneType))
    if len(types) == 1:
        return _shape(types[0])
    lists = [_shape(each) for each in types if isinstance(each, inspect.VarTupleType)]
    if lists:
        return _one_or_several(lists[0])

    def check(walk: Check, value: object, path: Path) -> Any:
        if isinstance(value, int | str) and not isinstance(value, bool):
            return value
        return walk.mismatch(path, "integer or string", value)

    return check


def _one_or_several(several: Shape) -> Shape:
    """Return the check of a string, or of a list of them."""

    def check(walk: Check, value: object, path: Path) -> Any:
        if isinstance(value, list):
            return several(walk, value, path)
        if isinstance(value, str):
            return value
        return walk.mismatch(path, "string", value)

    return check


def _struct(info: inspect.StructType) -> Shape:
    fields = {each.encode_name: _shape(each.type) for each in info.fields}
    spellings = {spelling: name for name in fields for spelling in (snake_case(name), name)}
    required = [each.encode_name for each in info.fields if each.required]
    python_names = {each.name: each.encode_name for each in info.fields}
    exclusive = [python_names[name] for name in getattr(info.cls, "one_of", ())]
    inner = {each.encode_name: names for each in info.fields if (names := _names_within(each.type))}

    def check(walk: Check, value: object, path: Path) -> Any:
        if not isinstance(value, dict):
            return walk.mismatch(path, "object" if walk.confidential else _meant_by(fields, value), value)
        usable: dict[str, Any] = {}
        seen: set[str] = set()
        walk.around.append(_Object(path, spellings, inner))
        for key, item in value.items():
            name = spellings.get(key) or _misspelt(walk, key, value, fields)
            if name is None or item is None:
                continue
            if name in seen:
                walk.document.error(walk.problems, (*path, key), f"given twice, as {name} and {snake_case(name)}")
                continue
            seen.add(name)
            checked = fields[name](walk, item, (*path, key))
            if checked is not DROPPED:
                usable[name] = checked
        walk.around.pop()
        for name in required:
            if name not in seen:
                walk.reject((*path, name), "missing")
        given = [name for name in exclusive if name in seen]
        for extra in given[1:]:
            walk.document.error(walk.problems, path, f"only one of {' and '.join(given)} may be given")
            usable.pop(extra, None)
        return usable if all(name in usable for name in required) else DROPPED

    return check


def _meant_by(fields: Mapping[str, Shape], value: object) -> str:
    """Return what is expected in place of a scalar: an object, where a field of it is what was probably meant."""
    known = _SCALARS.get(type(value), ())
    name = next((name for name in known if name in fields), None)
    if name is None or len(str(value)) > MAX_SHOWN:
        return "object"
    return f"object such as {{{name}: {json.dumps(value, ensure_ascii=False)}}}"


_SCALARS = {
    int: ("number", "attempts", "value"),
    str: ("exact", "host", "address", "uri", "simple", "string"),
}
"""Fields that may be meant by a number or a string where the object that has them should be."""


def _misspelt(walk: Check, key: str, value: Mapping[str, Any], fields: Mapping[str, Shape]) -> str | None:
    """Report an unknown field, and return the one that was probably meant, if it is not there already."""
    path = (*walk.around[-1].path, key)
    close = closest(key, fields) or next((name for name in _SYNONYMS.get(key, ()) if name in fields), None)
    if close is None:
        where, hint = _elsewhere(walk.around, key)
        roles = [walk.lose(place) for place in where]
        walk.document.error(
            walk.problems, path, f"unknown field{hint}", Role.CAUSE if Role.CAUSE in roles else Role.ITSELF
        )
        return None
    walk.document.error(walk.problems, path, f'unknown field; did you mean "{close}"?')
    if close in value or snake_case(close) in value:
        return None
    meant = (*path[:-1], close)
    walk.misspelt[meant] = key
    return close


def _elsewhere(around: Sequence[_Object], key: str) -> tuple[list[Path], str]:
    """Return where an unknown field belongs, by the objects around it, and what to say of that; often nothing."""
    here = around[-1]
    for above in reversed(around[:-1]):
        if key in above.fields:
            place = format_path(above.path) or "the document itself"
            hint = f": it belongs further out, in {place}: is the indentation right?"
            return [(*above.path, above.fields[key])], hint
    for each, words in ((here, "further in, in"), (around[0], "in")):
        names = [name for name, names in each.inner.items() if key in names]
        if 0 < len(names) <= _FEW:
            paths: list[Path] = [(*each.path, name) for name in names]
            return [(*path, key) for path in paths], f": it belongs {words} {' or '.join(map(format_path, paths))}"
    return [], ""


def _names_within(info: Any) -> frozenset[str]:
    """Return the names of fields of the objects that a field holds, or a list in it; none where it holds others."""
    if isinstance(info, inspect.Metadata):
        return _names_within(info.type)
    if isinstance(info, inspect.UnionType):
        return frozenset().union(*(_names_within(each) for each in info.types))
    if isinstance(info, inspect.VarTupleType):
        return _names_within(info.item_type)
    return frozenset(each.encode_name for each in info.fields) if isinstance(info, inspect.StructType) else frozenset()


_FEW = 2
"""Places that one field may be meant for: of more nobody can tell which."""


def _array(info: inspect.VarTupleType) -> Shape:
    item_shape = _shape(info.item_type)

    def check(walk: Check, value: object, path: Path) -> Any:
        if not isinstance(value, list):
            return walk.mismatch(path, "array", value)
        checked = [
            item_shape(walk, item, (*path, index)) if item is not None else walk.reject((*path, index), "null item")
            for index, item in enumerate(value)
        ]
        usable = [item for item in checked if item is not DROPPED]
        if len(usable) < len(value):
            walk.kept[path] = tuple(index for index, item in enumerate(checked) if item is not DROPPED)
        return usable

    return check


def _map(info: inspect.DictType) -> Shape:
    item_shape = _shape(info.value_type)

    def check(walk: Check, value: object, path: Path) -> Any:
        if not isinstance(value, dict):
            return walk.mismatch(path, "object", value)
        checked = {
            key: item_shape(walk, item, (*path, key)) if item is not None else walk.reject((*path, key), "null value")
            for key, item in value.items()
        }
        return {key: item for key, item in checked.items() if item is not DROPPED}

    return check


def _enumeration(info: inspect.EnumType) -> Shape:
    words = tuple(str(each.value) for each in info.cls)

    def check(walk: Check, value: object, path: Path) -> Any:
        if not isinstance(value, str):
            return walk.mismatch(path, "string", value)
        if value in words:
            return value
        close = closest(value, words)
        hint = f'; did you mean "{close}"?' if close else ""
        return walk.reject(path, f"{show(value)} is none of {', '.join(words)}{hint}", close or DROPPED)

    return check


def _custom(info: Any) -> Shape:
    parse: Callable[[str], Any] = info.cls.parse
    timed = issubclass(info.cls, Duration)

    def check(walk: Check, value: object, path: Path) -> Any:
        if not isinstance(value, str):
            number = timed and isinstance(value, int | float) and not isinstance(value, bool)
            return walk.mismatch(path, f"duration such as {value}s" if number else "string", value)
        try:
            parse(value)
        except ValueError as error:
            said = "" if walk.confidential else f", got {show(value)}"
            return walk.reject(path, f"{error}{said}")
        return value

    return check


def _integer(info: inspect.IntType) -> Shape:
    least, most = info.ge, info.le

    def check(walk: Check, value: object, path: Path) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            meant = int(value) if isinstance(value, str) and _PORT.fullmatch(value) else DROPPED
            return walk.mismatch(path, "integer", value, meant)
        if (least is not None and value < least) or (most is not None and value > most):
            return walk.reject(path, f"{show(value)} is not between {least} and {most}")
        return value

    return check


def _simple(expected: str, *types: type) -> Callable[[Any], Shape]:
    def check(walk: Check, value: object, path: Path) -> Any:
        if type(value) not in types:
            return walk.mismatch(path, expected, value)
        return value

    return lambda info: check


def _anything(walk: Check, value: object, path: Path) -> Any:
    return value


_BUILDERS: dict[type, Callable[[Any], Shape]] = {
    inspect.Metadata: lambda info: _shape(info.type),
    inspect.UnionType: _union,
    inspect.StructType: _struct,
    inspect.VarTupleType: _array,
    inspect.DictType: _map,
    inspect.EnumType: _enumeration,
    inspect.CustomType: _custom,
    inspect.IntType: _integer,
    inspect.StrType: _simple("string", str),
    inspect.BoolType: _simple("boolean", bool),
    inspect.FloatType: _simple("number", int, float),
    inspect.AnyType: lambda info: _anything,
}
