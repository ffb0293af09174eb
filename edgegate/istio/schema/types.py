"""
The JSON Schema of a type: a struct's class, or anything that a field of one can be.

It says of a value what L{edgegate.istio.checking} says, as far as a schema can:

- where something may be left out it may be null as well;
- a name may be spelt as protobuf spells it (C{export_to}), but not both ways in one object. Editors don't offer that
  spelling, as it is no property by name, but one by pattern.

Only words that mean the same in drafts 7 and 2020-12 of JSON Schema are used, since not all editors know the newer one;
a reference has a C{type} beside it in places, which drafts up to 7 don't look at. Patterns are also RE2's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from msgspec import inspect

from edgegate.config.document import snake_case
from edgegate.istio.kinds.base import Base64, Duration, DurationOrNone, Note

Schema = dict[str, Any]

_DURATION = r"^\+?(0|(([0-9]+(\.[0-9]*)?|\.[0-9]+)(ns|us|µs|μs|ms|s|m|h))+)$"
_MARKUP = re.compile(r"(?:C\{|L\{(?:edgegate\.(?:\w+\.)*)?)([^{}]*)\}")


@dataclass(slots=True)
class Definitions:
    """
    The structs that a schema refers to.

    @ivar found: Their schemas by name, C{virtual_service.HTTPRoute}. Each allows null: where that is not allowed, the
        reference has a C{type} beside it.
    """

    found: dict[str, Schema] = field(default_factory=dict)

    def of(self, type_: Any) -> Schema:
        """Return the schema of a type, null not allowed."""
        return self._of(inspect.type_info(type_))

    def object_of(self, type_: Any, name: str) -> Schema:
        """Return the schema of a struct that this name is to be given, null allowed; those within it are found."""
        info = inspect.type_info(type_)
        assert isinstance(info, inspect.StructType)
        return self._object(info, name)

    def _of(self, info: inspect.Type) -> Schema:
        return _BUILDERS[type(info)](self, info)

    def _struct(self, info: inspect.StructType) -> Schema:
        cls: type = info.cls
        name = definition_name(cls)
        if name not in self.found:
            self.found[name] = {}  # it may hold itself
            self.found[name] = self._object(info, name)
        return {"$ref": f"#/$defs/{name}", "type": "object"}

    def _object(self, info: inspect.StructType, name: str) -> Schema:
        properties = {each.encode_name: self._property(each) for each in info.fields}
        two_ways = [each for each in properties if snake_case(each) != each]
        required = [each.encode_name for each in info.fields if each.required]
        python_names = {each.name: each.encode_name for each in info.fields}
        exclusive = [python_names[each] for each in getattr(info.cls, "one_of", ())]
        further: list[Schema] = [
            {"anyOf": [{"required": [way]} for way in _spellings(each)]} for each in required if each in two_ways
        ]
        further += [{"not": {"type": "object", "required": _spellings(each)}} for each in two_ways]
        parts: Schema = {
            "patternProperties": {
                f"^{snake_case(each)}$": {"$ref": f"#/$defs/{name}/properties/{each}"} for each in two_ways
            },
            "required": [each for each in required if each not in two_ways],
            "allOf": further,
            "oneOf": [*_at_most_one(exclusive)],
        }
        return {
            "type": ["object", "null"],
            "description": described(info.cls.__doc__),
            "properties": properties,
            "additionalProperties": False,
            **{key: part for key, part in parts.items() if part},
        }

    def _property(self, each: inspect.Field) -> Schema:
        note, type_ = unwrapped(each.type)
        schema = self._of(type_)
        own = getattr(type_, "cls", None)
        known = own is None or isinstance(type_, inspect.CustomType) or ("$ref" in schema and note is None)
        words = [] if known else [described(own.__doc__)]
        if note is not None:
            words.append(said(note))
        if words:
            schema = {**schema, "description": "\n\n".join(words)}
        return schema if each.required else or_null(schema)

    def _array(self, info: inspect.VarTupleType) -> Schema:
        return {"type": "array", "items": _not_null(self._of(info.item_type))}

    def _map(self, info: inspect.DictType) -> Schema:
        return {"type": "object", "additionalProperties": _not_null(self._of(info.value_type))}

    def _either(self, info: inspect.UnionType) -> Schema:
        schemas = [self._of(each) for each in info.types if not isinstance(each, inspect.NoneType)]
        return schemas[0] if len(schemas) == 1 else {"type": [each["type"] for each in schemas]}


def or_null(schema: Schema) -> Schema:
    """Return a schema that also allows null."""
    if "$ref" in schema:
        return {key: value for key, value in schema.items() if key != "type"}
    if "type" not in schema:
        return schema
    types = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [*types, "null"], **words}


def _not_null(schema: Schema) -> Schema:
    return schema or {"not": {"type": "null"}}


def definition_name(cls: type) -> str:
    """Return by which name a struct is referred to: two files may have one of the same name."""
    return f"{cls.__module__.rpartition('.')[2]}.{cls.__name__}"


def described(text: str | None) -> str:
    """Return what a docstring says, without markup and what it says of attributes."""
    text = (text or "").partition("\n\n    @")[0]
    return _MARKUP.sub(r"\1", " ".join(text.split()))


def said(note: Note) -> str:
    """Return what a note says to whoever writes the field."""
    if note.values:
        return "\n".join(f"{value}: {message}" for value, message in note.values)
    return note.message or note.remark


def unwrapped(info: inspect.Type) -> tuple[Note | None, inspect.Type]:
    """Return the note of a field, and its type when it is given; a choice of several types is left as it is."""
    note = None
    while True:
        if isinstance(info, inspect.Metadata) and (info.extra or {}).get("note") is not None:
            note, info = (info.extra or {})["note"], info.type
            continue
        if isinstance(info, inspect.UnionType):
            types = [each for each in info.types if not isinstance(each, inspect.NoneType)]
            if len(types) == 1:
                info = types[0]
                continue
        return note, info


def _spellings(name: str) -> list[str]:
    return [name, snake_case(name)] if snake_case(name) != name else [name]


def _given(name: str) -> Schema:
    """Return the schema of objects that have a field and no null there: null is as if it were not there."""
    return {"type": "object", "required": [name], "properties": {name: {"not": {"type": "null"}}}}


def _at_most_one(names: list[str]) -> Iterator[Schema]:
    """Yield schemas of which exactly one holds where one of the fields is given, or none of them."""
    if not names:
        return
    given = [[_given(spelling) for spelling in _spellings(name)] for name in names]
    yield {"not": {"anyOf": [each for spellings in given for each in spellings]}}
    for spellings in given:
        yield spellings[0] if len(spellings) == 1 else {"anyOf": spellings}


def _integer(definitions: Definitions, info: inspect.IntType) -> Schema:
    limits = {"minimum": info.ge, "maximum": info.le}
    return {"type": "integer", **{key: value for key, value in limits.items() if value is not None}}


def _enumeration(definitions: Definitions, info: inspect.EnumType) -> Schema:
    return {"type": "string", "enum": [each.value for each in info.cls]}


def _custom(definitions: Definitions, info: inspect.CustomType) -> Schema:
    return custom_schema(info.cls)


def custom_schema(cls: type) -> Schema:
    """Return the schema of a text of which a type of protobuf's is read."""
    if issubclass(cls, Base64):
        return {"type": "string", "contentEncoding": "base64", "pattern": r"^[A-Za-z0-9+/\r\n]*[=\r\n]*$"}
    if issubclass(cls, DurationOrNone):
        return {"type": "string", "pattern": _DURATION, "description": "A duration such as 1.5s, 100ms or 1h; 0: none."}
    if issubclass(cls, Duration):
        return {
            "type": "string",
            "pattern": _DURATION,
            "allOf": [{"pattern": "[1-9]"}],
            "description": "A duration such as 1.5s, 100ms or 1h: of 1ms at least.",
        }
    raise TypeError(f"nothing is known of {cls.__name__}")


def _named(name: str) -> Callable[[Definitions, inspect.Type], Schema]:
    return lambda definitions, info: {"type": name}


_BUILDERS: dict[type, Callable[[Definitions, Any], Schema]] = {
    inspect.Metadata: lambda definitions, info: definitions._of(info.type),
    inspect.UnionType: Definitions._either,
    inspect.StructType: Definitions._struct,
    inspect.VarTupleType: Definitions._array,
    inspect.DictType: Definitions._map,
    inspect.EnumType: _enumeration,
    inspect.CustomType: _custom,
    inspect.IntType: _integer,
    inspect.StrType: _named("string"),
    inspect.BoolType: _named("boolean"),
    inspect.FloatType: _named("number"),
    inspect.AnyType: lambda definitions, info: {},
}
