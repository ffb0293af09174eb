"""
CustomResourceDefinitions of edgegate's own kinds, so that a cluster takes their documents, too.

Their schemas are structural ones of OpenAPI v3
(U{https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/}): a type at each
place, nothing that refers to another, and no spelling but the usual one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, Final

from msgspec import inspect

from edgegate.istio.kinds import EDGEGATE, Kind
from edgegate.istio.schema.types import Schema, custom_schema, described, said, unwrapped

_ANYTHING: Final[Schema] = {"x-kubernetes-preserve-unknown-fields": True}


def definition_of(kind: Kind) -> Schema:
    """
    Return the CustomResourceDefinition of a kind.

    @raise ValueError: It is none of edgegate's own.
    """
    if kind.group != EDGEGATE:
        raise ValueError(f"{kind.name} is none of edgegate's own kinds: whose it is has its definition")
    singular = kind.name.lower()
    plural = plural_of(singular)
    names = {
        "kind": kind.name,
        "listKind": f"{kind.name}List",
        "plural": plural,
        "singular": singular,
        "categories": [EDGEGATE.partition(".")[0]],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        # how the Gateway API tells policies that name what they are for (GEP-713)
        "metadata": {"name": f"{plural}.{kind.group}", "labels": {"gateway.networking.k8s.io/policy": "Direct"}},
        "spec": {
            "group": kind.group,
            "names": names,
            "scope": "Namespaced",
            "versions": [_version(kind, name, name == kind.versions[0]) for name in kind.versions],
        },
    }


def definitions_of(kinds: Iterable[Kind]) -> Schema:
    """Return the definitions of all kinds that are edgegate's own, as a list that C{kubectl apply} takes."""
    items = [definition_of(kind) for kind in kinds if kind.group == EDGEGATE]
    return {"apiVersion": "v1", "kind": "List", "items": items}


def plural_of(singular: str) -> str:
    """Return the plural of a kind's name in lower case."""
    return f"{singular[:-1]}ies" if singular.endswith("y") else f"{singular}s"


def _version(kind: Kind, name: str, stored: bool) -> Schema:
    about = (sys.modules[kind.struct.__module__].__doc__ or "").strip().partition("\n\n")[0]
    schema = {
        "type": "object",
        "description": described(about),
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": _of(inspect.type_info(kind.struct)),
            "status": {"type": "object", **_ANYTHING},
        },
        "required": ["spec"],
    }
    return {
        "name": name,
        "served": True,
        "storage": stored,
        "schema": {"openAPIV3Schema": schema},
        "subresources": {"status": {}},
        "additionalPrinterColumns": [{"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}],
    }


def _of(info: Any) -> Schema:
    return _BUILDERS[type(info)](info)


def _struct(info: inspect.StructType) -> Schema:
    names = {each.name: each.encode_name for each in info.fields}
    exclusive = [names[each] for each in getattr(info.cls, "one_of", ())]
    required = [each.encode_name for each in info.fields if each.required]
    schema: Schema = {
        "type": "object",
        "description": described(info.cls.__doc__),
        "properties": {each.encode_name: _property(each) for each in info.fields},
    }
    if required:
        schema["required"] = required
    if exclusive:
        given = [{"required": [name]} for name in exclusive]
        schema["oneOf"] = [{"not": {"anyOf": given}}, *given]
    return schema


def _property(each: inspect.Field) -> Schema:
    note, info = unwrapped(each.type)
    schema = _of(info)
    words = [] if note is None else [said(note)]
    own = getattr(info, "cls", None)
    if own is not None and "description" not in schema:
        words.insert(0, described(own.__doc__))
    return {**schema, "description": "\n\n".join(words)} if any(words) else schema


def _union(info: inspect.UnionType) -> Schema:
    types = [each for each in info.types if not isinstance(each, inspect.NoneType)]
    if len(types) == 1:
        return _of(types[0])
    kinds = {type(each) for each in types}
    if kinds == {inspect.IntType, inspect.StrType}:
        return {"x-kubernetes-int-or-string": True}
    return _ANYTHING


def _integer(info: inspect.IntType) -> Schema:
    limits = {"minimum": info.ge, "maximum": info.le}
    return {"type": "integer", "format": "int64", **{key: at for key, at in limits.items() if at is not None}}


def _map(info: inspect.DictType) -> Schema:
    return {"type": "object", "additionalProperties": _of(info.value_type)}


def _named(name: str) -> Callable[[Any], Schema]:
    return lambda info: {"type": name}


_BUILDERS: Final[dict[type, Callable[[Any], Schema]]] = {
    inspect.Metadata: lambda info: _of(info.type),
    inspect.UnionType: _union,
    inspect.StructType: _struct,
    inspect.VarTupleType: lambda info: {"type": "array", "items": _of(info.item_type)},
    inspect.DictType: _map,
    inspect.EnumType: lambda info: {"type": "string", "enum": [each.value for each in info.cls]},
    inspect.CustomType: lambda info: custom_schema(info.cls),
    inspect.IntType: _integer,
    inspect.StrType: _named("string"),
    inspect.BoolType: _named("boolean"),
    inspect.FloatType: _named("number"),
    inspect.AnyType: lambda info: _ANYTHING,
}
