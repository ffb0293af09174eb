"""Read texts as users write them, and say what is told of them."""

from __future__ import annotations

from textwrap import dedent, indent

from edgegate.config.document import Document
from edgegate.config.manifest import read
from edgegate.config.problems import Problems
from edgegate.istio.decode import decode
from edgegate.istio.kinds import KINDS, kind_of_fields
from edgegate.istio.resources import Resources

ISTIO = "networking.istio.io/v1"


def documents(text: str | bytes) -> list[Document]:
    """Return the documents of a text in which nothing is wrong."""
    found, told = read_all(text)
    if told:
        raise AssertionError(told)
    return found


def read_all(text: str | bytes) -> tuple[list[Document], list[str]]:
    """Return documents and problems of a file named C{f}."""
    problems = Problems()
    found = read("f", dedent(text) if isinstance(text, str) else text, problems, kind_of_fields)
    return found, [str(problem) for problem in problems]


def resources(text: str) -> tuple[Resources, list[str]]:
    """Return resources and problems of a file named C{f}."""
    problems = Problems()
    found = decode(read("f", dedent(text), problems), problems)
    return found, [str(problem) for problem in problems]


def told(text: str) -> list[str]:
    """Return the problems of a file named C{f}."""
    return resources(text)[1]


def document(kind: str, spec: str, name: str = "a", api_version: str = ISTIO) -> str:
    """Return a document whose C{spec} begins on line 5."""
    head = f"apiVersion: {api_version}\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n"
    return head + indent(dedent(spec).strip("\n"), "  ") + "\n"


def told_of(kind: str, spec: str) -> list[str]:
    """Return what is told of a C{spec}, without file and column: C{5: error: spec.hosts: ...}."""
    found = told(document(kind, spec, api_version=_usual(kind)))
    return [line.split(":", 1)[1].split(":", 1)[0] + ":" + line.split(":", 3)[3] for line in found]


def _usual(kind: str) -> str:
    return next((each.api_versions[0] for each in KINDS if each.name == kind), ISTIO)
