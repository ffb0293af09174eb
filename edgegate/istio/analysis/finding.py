"""What analyzers say of resources, and how that goes together with what was said before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from edgegate.config.document import Path, format_path
from edgegate.config.problems import Problem, Problems, Role, Severity
from edgegate.istio.resources import Resource


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that an analyzer has found.

    The compiler may have told the same already in other words. Of both only one is told.

    @ivar path: Of the document that is at fault.
    @ivar code: One of L{edgegate.model.codes}.
    @ivar role: A C{CONSEQUENCE} may be there only because some other part of the files was not understood.
    @ivar part: A problem of the compiler's with the same code in this part of the document says the same; by default
        C{path}.
    @ivar replaces: Problems of the compiler's with these codes in C{part} are not told beside this finding.
    @ivar renames: One of the compiler's with this code in C{part} says more: it is told instead, with C{code}.
    """

    resource: Resource[Any]
    path: Path
    code: str
    message: str
    severity: Severity = Severity.WARNING
    role: Role = Role.ITSELF
    part: Path | None = None
    replaces: tuple[str, ...] = ()
    renames: str = ""


class Teller:
    """Adds findings to the problems that the compiler has told."""

    def __init__(self, problems: Problems) -> None:
        self._problems = problems
        self._told: dict[tuple[str, str], list[Problem]] = {}
        self._causes = False
        for problem in problems:
            self._told.setdefault((problem.file, problem.resource), []).append(problem)
            self._causes = self._causes or problem.role is Role.CAUSE

    def tell(self, finding: Finding) -> None:
        """Tell of a finding, unless it was told, or is about something that was not understood."""
        resource, path = finding.resource.at(finding.path)
        if resource.left_out(path) or (finding.role is Role.CONSEQUENCE and self._causes):
            return
        document = resource.document
        part = format_path(document.original(finding.path if finding.part is None else finding.part))
        told = self._told.get((document.file, document.title), [])
        same = [each for each in told if _within(each.path, part)]
        if any(each.code == finding.code for each in same):
            return
        for each in same:
            if each.code == finding.renames:
                told.remove(each)
                self._problems.replace(each, replace(each, code=finding.code))
                return
            if each.code in finding.replaces:
                told.remove(each)
                self._problems.replace(each)
        document.problem(self._problems, finding.severity, path, finding.message, finding.role, finding.code)


def _within(path: str, part: str) -> bool:
    """Whether a path, as messages show it, is that of a part or leads into it."""
    return not part or (path.startswith(part) and path[len(part) : len(part) + 1] in ("", ".", "["))
