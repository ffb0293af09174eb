"""
What is not to be told: by an option, or by Istio's annotation of a document.

An error that keeps files from being served is told all the same: a check that passes over it would say that they
can be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase

from edgegate.config.document import Path
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.istio.analysis.catalogue import explanations
from edgegate.istio.analysis.context import annotations_of
from edgegate.istio.decode import SUPPRESS
from edgegate.istio.resources import Resource, Resources
from edgegate.model import codes

_PATH: Path = ("metadata", "annotations", SUPPRESS)


@dataclass(frozen=True, slots=True)
class Suppression:
    """
    A code that is not to be told of some resources.

    @ivar code: C{*}: whatever the code.
    @ivar resource: C{KIND NAMESPACE/NAME}, with C{*} for any characters.
    @ivar file: Of the document whose annotation it is; empty where an option says it.
    @ivar place: What to say of it where it suppresses nothing, but for the message.
    """

    code: str
    resource: str = "*"
    file: str = ""
    place: Problem | None = None

    @classmethod
    def parse(cls, text: str) -> Suppression:
        """
        Read C{CODE} or C{CODE=KIND NAMESPACE/NAME}; without a namespace it is C{default}, as in documents.

        @raise ValueError: It is neither, or there is no such code.
        """
        code, equals, resource = text.partition("=")
        code, resource = code.strip(), resource.strip()
        if code not in explanations() and code != "*":
            raise ValueError(f'"{code}" is no code: see edgegate check --explain-code all')
        if equals and len(resource.split()) != 2:
            raise ValueError(f'"{text}" is not CODE=KIND NAMESPACE/NAME, such as "IST0101=VirtualService shop/*"')
        kind, _, name = resource.partition(" ")
        name = name.strip()
        return cls(code, f"{kind} {name if '/' in name or name == '*' else f'default/{name}'}" if equals else "*")

    def suppresses(self, problem: Problem) -> bool:
        """Whether it is about a problem."""
        return (
            self.code in ("*", problem.code)
            and self.file in ("", problem.file)
            and fnmatchcase(problem.resource, self.resource)
        )

    def __str__(self) -> str:
        return self.code if self.resource == "*" else f"{self.code}={self.resource}"


def annotated(resources: Resources) -> Iterator[Suppression]:
    """Yield what documents say of themselves. Blanks around codes do not count."""
    for each in fields(resources):
        for resource in getattr(resources, each.name):
            if isinstance(resource, Resource):
                for code in annotations_of(resource).get(SUPPRESS, "").split(","):
                    if code.strip():
                        document = resource.document
                        line, column = document.place(_PATH)
                        path = f'metadata.annotations["{SUPPRESS}"]'
                        place = Problem(document.file, line, column, Severity.INFO, path, "", resource=document.title)
                        yield Suppression(code.strip(), document.title, document.file, place)


def suppress(problems: Problems, suppressions: Iterable[Suppression], source: str) -> None:
    """
    Leave out what is not to be told, and tell of suppressions that have nothing to suppress.

    @param source: What options are told of.
    """
    for suppression in suppressions:
        found = [problem for problem in problems if suppression.suppresses(problem)]
        for problem in found:
            if problem.severity is not Severity.ERROR:
                problems.replace(problem)
        if all(problem.severity is Severity.ERROR for problem in found):
            problems.add(_unused(suppression, found, source))


def _unused(suppression: Suppression, errors: Collection[Problem], source: str) -> Problem:
    why = "errors keep the files from being served, and are told" if errors else "there is nothing of the kind"
    place = suppression.place or Problem(source, 1, 1, Severity.INFO, "", "")
    what = suppression.code if suppression.place is not None else str(suppression)
    message = f"suppresses nothing ({what}): {why}"
    return Problem(
        place.file,
        place.line,
        place.column,
        Severity.INFO,
        place.path,
        message if suppression.place is not None else f"--suppress {message}",
        code=codes.UNUSED_SUPPRESSION,
        resource=place.resource,
    )
