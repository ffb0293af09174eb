"""
What is not to be told: by an option, or by Istio's annotation of a document.

An error that keeps files from being served is told all the same: a check that passes over it would say that they
can be.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
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
        code, resource = code.strip().upper(), resource.strip()
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


def suppress(problems: Problems, suppressions: Iterable[Suppression], source: str, portable: bool = False) -> None:
    """
    Leave out what is not to be told, and tell of suppressions that have nothing to suppress.

    Each is judged by all that was found, also by what another one suppresses. Where there are errors not all was looked
    at: nothing is said then of those that found nothing.

    @param source: What options are told of.
    @param portable: Whether was told what concerns clusters alone: else nothing is said of suppressions of that.
    """
    suppressions = list(suppressions)
    found = list(problems)
    errors = any(problem.severity is Severity.ERROR for problem in found)
    by_document: dict[tuple[str, str], list[Problem]] = {}
    for problem in found:
        by_document.setdefault((problem.file, problem.resource), []).append(problem)
    unused: list[Problem] = []
    for suppression in suppressions:
        where = found if suppression.place is None else by_document.get((suppression.file, suppression.resource), [])
        meant = [problem for problem in where if suppression.suppresses(problem)]
        for problem in meant:
            if problem.severity is not Severity.ERROR:
                problems.replace(problem)
        if meant and all(problem.severity is Severity.ERROR for problem in meant):
            unused.append(_unused(suppression, "errors keep the files from being served, and are told", source))
        elif not meant and not errors and _is_looked_for(suppression.code, portable):
            unused.append(_unused(suppression, "there is nothing of the kind", source))
    of_these = [each for each in suppressions if each.code == codes.UNUSED_SUPPRESSION]
    problems.add_all(note for note in unused if not any(each.suppresses(note) for each in of_these))


def _is_looked_for(code: str, portable: bool) -> bool:
    """Whether it could have been told of a code."""
    known = explanations().get(code)
    return code != codes.UNUSED_SUPPRESSION and (portable or known is None or "--portable" not in known.options)


def _unused(suppression: Suppression, why: str, source: str) -> Problem:
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
