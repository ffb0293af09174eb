"""What a schema and the gateway say of one document."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from edgegate.config.document import Document
from edgegate.config.manifest import read
from edgegate.config.problems import Problems, Severity
from edgegate.istio.checking import Check, shape_of
from edgegate.istio.decode import decode_one
from edgegate.istio.kinds import KINDS, Kind
from edgegate.istio.schema.documents import folder_schema, kind_schema

ROOT = Path(__file__).parents[3]


@cache
def validator(kind: Kind | None = None) -> Draft202012Validator:
    """Return what checks documents of a kind, or of any."""
    return Draft202012Validator(folder_schema() if kind is None else kind_schema(kind))


def refused(value: object, kind: Kind | None = None) -> list[str]:
    """Return what the schema of a kind, or of all, says against a document: where, and what."""
    return [f"{each.json_path}: {each.message}" for each in validator(kind).iter_errors(value)]


def told(value: object) -> list[str]:
    """Return the errors that the gateway finds in the form of a document, which is all that a schema speaks of."""
    problems = Problems()
    for document in read("f", json.dumps(value), problems):
        decoded = decode_one(document)
        problems.add_all(decoded.told)
        if decoded.kind is not None:
            shape_of(decoded.kind.document)(Check(document, problems), document.value, ())
    return [f"{each.path}: {each.message}" for each in problems if each.severity is Severity.ERROR]


def documents(*patterns: str) -> Iterator[Document]:
    """Yield the documents of the repository's files that these patterns name, as far as they can be read."""
    paths = [path for pattern in patterns for path in sorted(ROOT.glob(pattern))]
    assert paths, patterns
    for path in paths:
        for document in read(str(path.relative_to(ROOT)), path.read_bytes(), Problems()):
            if any(document.kind == kind.name for kind in KINDS):
                yield document


def example(kind: str) -> dict[str, Any]:
    """Return a document of a kind with nothing in it."""
    found = next(each for each in KINDS if each.name == kind)
    return {"apiVersion": found.api_versions[0], "kind": kind, "metadata": {"name": "a"}}
