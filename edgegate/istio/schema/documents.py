"""JSON Schemas (draft 2020-12) of documents: of one kind, and of all that a folder may have."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Sequence

from edgegate.istio.kinds import CORE_KINDS, EDGEGATE, KINDS, UNSERVED, Kind
from edgegate.istio.kinds.meta import ObjectMeta
from edgegate.istio.schema.types import Definitions, Schema, definition_name, described

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_TEXT: Schema = {"type": "string", "minLength": 1}
_LISTS: Schema = {
    "required": ["kind", "items"],
    "properties": {"kind": {"pattern": "List$"}, "items": {"type": "array"}},
}
"""What is no object itself, but a list of them, as C{kubectl get -o yaml} writes it."""


def kind_schema(kind: Kind) -> Schema:
    """Return the schema of the documents of a kind: an empty one is allowed, as between two C{---}."""
    definitions = _definitions([kind])
    return {"$schema": DIALECT, "title": kind.name, "$ref": f"#/$defs/{kind.name}", "$defs": definitions}


def folder_schema(kinds: Sequence[Kind] = KINDS) -> Schema:
    """
    Return the schema of every document that a folder may have: by C{apiVersion} and C{kind} that of its kind.

    Those of kinds that the gateway passes over are only looked at for a misspelt kind, as the gateway does.
    """
    versions = dict.fromkeys(each for kind in kinds for each in kind.api_versions)
    return {
        "$schema": DIALECT,
        "title": "edgegate",
        "description": "A document that edgegate reads.",
        "type": ["object", "null"],
        "required": ["apiVersion", "kind"],
        "properties": {
            "apiVersion": {**_TEXT, "examples": [*versions]},
            "kind": {**_TEXT, "examples": [kind.name for kind in kinds]},
        },
        "if": _LISTS,
        "then": {"properties": {"items": {"items": {"$ref": "#"}}}},
        "else": {"allOf": [*_known_kinds(kinds), *(_by_kind(kind) for kind in kinds)]},
        "$defs": _definitions(kinds),
    }


def _definitions(kinds: Iterable[Kind]) -> dict[str, Schema]:
    """Return the documents of some kinds, by their names, and what is within them."""
    definitions = Definitions()
    documents = {kind.name: _document(kind, definitions) for kind in kinds}
    definitions.of(ObjectMeta)
    metadata = definitions.found[definition_name(ObjectMeta)]
    metadata["required"] = ["name"]
    metadata["properties"] |= _METADATA
    return {**documents, **dict(sorted(definitions.found.items()))}


_METADATA: dict[str, Schema] = {
    "name": _TEXT,
    "namespace": {"type": ["string", "null"], "minLength": 1},
    "labels": {"type": ["object", "null"], "additionalProperties": {"type": "string"}},
    "creationTimestamp": {
        "type": ["string", "null"],
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|[+-]\d\d:\d\d)$",
    },
}
"""What L{edgegate.config.envelope} says of the names in C{metadata}."""


def _document(kind: Kind, definitions: Definitions) -> Schema:
    schema = definitions.object_of(kind.document, kind.name)
    properties = schema["properties"]
    properties["apiVersion"] = {"type": "string", "enum": [*kind.api_versions]}
    properties["kind"] = {"type": "string", "const": kind.name}
    properties["metadata"] = {"$ref": f"#/$defs/{definition_name(ObjectMeta)}", "type": "object"}
    about = (sys.modules[kind.struct.__module__].__doc__ or "").strip().partition("\n\n")[0]
    return {**schema, "description": described(about), "required": ["apiVersion", "kind", "metadata"]}


def _by_kind(kind: Kind) -> Schema:
    """Return that documents of a kind have its schema, and those whose group is a slip for the kind's."""
    group = re.escape(kind.group) + "/" if kind.group else "[^/]*$"
    return {
        "if": {
            "required": ["apiVersion", "kind"],
            "properties": {
                "apiVersion": {"pattern": f"^{group}|^[^/]*$|^[^/]*istio[^/]*/"},
                "kind": {"const": kind.name},
            },
        },
        "then": {"$ref": f"#/$defs/{kind.name}"},
    }


def _known_kinds(kinds: Sequence[Kind]) -> list[Schema]:
    """Return that the groups of which all kinds are known have no others."""
    groups: dict[str, list[str]] = {}
    for group, name in (*(kind.key for kind in kinds), *UNSERVED):
        if group.endswith((".istio.io", EDGEGATE)):
            groups.setdefault(f"^{re.escape(group)}/", []).append(name)
    groups["^v1$"] = sorted(CORE_KINDS)
    return [
        {
            "if": {"required": ["apiVersion"], "properties": {"apiVersion": {"pattern": pattern}}},
            "then": {"properties": {"kind": {"enum": names}}},
        }
        for pattern, names in groups.items()
    ]
