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
from edgegate.route_tests import config_validator, own_format, router_check
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
    """Yield the cases of a document, in whichever of the formats it is; see L{_is_router_check}."""
    if "testCases" in document.value:
        validator = _decoded(document, config_validator.TestCases, problems)
        for index, each in enumerate(() if validator is None else validator.test_cases):
            yield from config_validator.cases(document, ("testCases", index), each, problems)
    elif _is_router_check(document.value.get("tests")):
        envoys = _decoded(document, router_check.Validation, problems)
        for path, item in () if envoys is None else router_check.checked(document, envoys, problems):
            yield from router_check.cases(document, path, item, problems)
    else:
        own = _decoded(document, TestFile, problems)
        for index, test in enumerate(() if own is None else own.tests):
            yield from own_format.cases(document, ("tests", index), test, problems)


def _is_router_check(tests: object) -> bool:
    """Whether tests are of Envoy's tool: one has a C{test_name}, which is required there."""
    items = tests if isinstance(tests, list) else []
    return any(isinstance(each, dict) and ("test_name" in each or "testName" in each) for each in items)


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
