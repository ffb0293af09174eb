"""From the text of a file to its cases. Whatever is wrong with it is reported, each with its line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import msgspec

from edgegate.config.document import Document
from edgegate.config.manifest import roots
from edgegate.config.problems import Problems
from edgegate.config.values import type_name
from edgegate.istio.checking import DROPPED, Check, shape_of
from edgegate.istio.kinds.base import Duration, Spec
from edgegate.route_tests import own_format
from edgegate.route_tests.cases import Case
from edgegate.route_tests.kinds import TestFile

T = TypeVar("T", bound=Spec)


def read_cases(file: str, text: bytes, problems: Problems) -> list[Case]:
    """
    Return the cases of a file, as far as they can be read.

    @param file: What problems and cases call it.
    """
    return [case for document in _documents(file, text, problems) for case in _cases(document, problems)]


def _documents(file: str, text: bytes, problems: Problems) -> Iterator[Document]:
    """Yield the documents of a file. They have no kind and no name."""
    for root in roots(file, text, problems):
        if root.value is None:
            continue
        value = root.value if isinstance(root.value, dict) else {}
        document = Document(file, root.line, "", "", "", value=value, places=root.places or {})
        if isinstance(root.value, dict):
            yield document
        else:
            document.error(problems, (), f"a file of tests is a mapping with tests, not {type_name(root.value)}")


def _cases(document: Document, problems: Problems) -> Iterator[Case]:
    decoded = _decoded(document, TestFile, problems)
    if decoded is not None:
        for index, test in enumerate(decoded.tests):
            yield from own_format.cases(document, ("tests", index), test, problems)


def _decoded(document: Document, kind: type[T], problems: Problems) -> T | None:
    """Return the struct of a document, or L{None} where it is in error, which is reported."""
    try:
        return msgspec.convert(document.value, kind, dec_hook=_custom)
    except msgspec.ValidationError:
        found = Problems()
        usable = shape_of(kind)(Check(document, found), document.value, ())
    problems.add_all(found)
    return None if found.errors or usable is DROPPED else msgspec.convert(usable, kind, dec_hook=_custom)


def _custom(kind: type, value: Any) -> Any:
    if issubclass(kind, Duration) and isinstance(value, str):
        return kind.parse(value)
    raise ValueError("expected string")
