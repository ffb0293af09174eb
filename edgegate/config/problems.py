"""Everything that is wrong with the files, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from operator import attrgetter

from edgegate.model import codes
from edgegate.model.diagnostics import Role, Severity

__all__ = ["Problem", "Problems", "Role", "Severity"]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """
    One thing that is wrong.

    @ivar file: As the user named it, relative to the folder: C{coolstore.yaml}.
    @ivar line: Of the key or value that is wrong, from 1.
    @ivar column: From 1.
    @ivar path: C{spec.servers[0].tls.mode}; empty for the document as a whole.
    @ivar code: One of L{edgegate.model.codes}: what kind of thing it is.
    @ivar resource: The document that it is about, such as C{Gateway default/shop}; empty for a file as a whole.
    """

    file: str
    line: int
    column: int
    severity: Severity
    path: str
    message: str
    role: Role = field(default=Role.ITSELF, compare=False)
    code: str = field(default="", compare=False)
    resource: str = field(default="", compare=False)

    def __str__(self) -> str:
        where = f"{self.path}: " if self.path else ""
        # a line stays one, whatever a file's name holds
        file = self.file if self.file.isprintable() else self.file.encode("unicode_escape").decode()
        text = f"{file}:{self.line}:{self.column}: {self.severity.name.lower()}: {where}{self.message}"
        # a message may name a file as well, whose name may be no text
        return text.encode("utf-8", "backslashreplace").decode()


_ORDER = attrgetter("file", "line", "column", "severity", "path", "message")


class Problems:
    """Collects problems; a pass over the files goes on after each, so that all are reported at once."""

    def __init__(self) -> None:
        self._found: set[Problem] = set()
        self._causes_first = False

    def add(self, problem: Problem) -> None:
        """Take note of a problem; the same one twice counts once."""
        self._found.add(problem)

    def add_all(self, problems: Iterable[Problem]) -> None:
        """Take note of problems."""
        self._found.update(problems)

    def replace(self, problem: Problem, *others: Problem) -> None:
        """Put others, or none, in the place of a problem."""
        self._found.discard(problem)
        self._found.update(others)

    def fill_in_codes(self, of_errors: str, of_others: str) -> None:
        """Give a code to each that has none yet."""
        bare = [problem for problem in self._found if not problem.code]
        self._found.difference_update(bare)
        for problem in bare:
            code = of_errors if problem.severity is Severity.ERROR else of_others
            self._found.add(replace(problem, code=code))

    def leave_out_consequences(self) -> None:
        """
        Leave out what may follow from causes, with one line that says so, and show these first.

        Where there is any error, outcomes are left out.
        """
        causes = [problem for problem in self._found if problem.role is Role.CAUSE]
        roles = (Role.CONSEQUENCE, Role.OUTCOME) if causes else (Role.OUTCOME,)
        left_out = {problem for problem in self._found if problem.role in roles}
        if not left_out or not self.errors:
            return
        self._found -= left_out
        if causes:
            self._causes_first = True
            first = min(causes, key=_ORDER)
            count = f"{len(left_out)} more problem{'' if len(left_out) == 1 else 's'}"
            which = "this error" if len(causes) == 1 else "such errors"
            message = f"{count} that may follow from {which}: not shown until that is mended"
            code = codes.CONSEQUENCES_LEFT_OUT
            self.add(Problem(first.file, first.line, first.column, Severity.INFO, "", message, code=code))

    @property
    def errors(self) -> int:
        """How many of them are errors."""
        return sum(problem.severity is Severity.ERROR for problem in self._found)

    @property
    def warnings(self) -> int:
        """How many of them are warnings."""
        return sum(problem.severity is Severity.WARNING for problem in self._found)

    def refusing(self, strict: bool) -> bool:
        """
        Whether they keep the files from being served.

        @param strict: Whether warnings do, but for those that time brings: a gateway must not fail to start because a
            certificate is about to expire.
        """
        return self.errors > 0 or (
            strict and any(each.severity is Severity.WARNING and each.role is not Role.TIME for each in self._found)
        )

    def __iter__(self) -> Iterator[Problem]:
        """Yield them by file and line; causes before all others where what follows from them was left out."""
        found = sorted(self._found, key=_ORDER)
        if self._causes_first:
            found.sort(key=lambda problem: problem.role is not Role.CAUSE)
        return iter(found)

    def __len__(self) -> int:
        return len(self._found)
