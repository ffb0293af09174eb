"""What is wrong with what the files say, in words that no language of files owns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntEnum

from edgegate.model import codes
from edgegate.model.notes import LeftOut
from edgegate.model.origin import Origin


class Severity(IntEnum):
    """How bad a problem is. Only an error keeps a folder from being served."""

    INFO = 0
    WARNING = 1
    ERROR = 2


class Role(Enum):
    """
    What a problem has to do with others.

    A C{CAUSE}, always an error, hides what some part of the files declares; a C{CONSEQUENCE} may be there only because
    of that: something is not declared, or is of no use. An C{OUTCOME}, a warning, is one of all that is said, so that
    any error may be the reason. What C{TIME} brings is none of the files' making.
    """

    ITSELF = "itself"
    CAUSE = "cause"
    CONSEQUENCE = "consequence"
    OUTCOME = "outcome"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """
    What is wrong between values of the model: found when they are compiled, told by the language that they come from.

    @ivar origin: Where what is wrong is said.
    @ivar role: What it has to do with other problems.
    @ivar code: One of L{edgegate.model.codes}.
    @ivar left_out: What is not served because of it, for who explains that.
    """

    severity: Severity
    origin: Origin
    message: str
    role: Role = Role.ITSELF
    code: str = ""
    left_out: tuple[LeftOut, ...] = field(default=(), compare=False)


def unreachable(left: LeftOut) -> Diagnostic:
    """Return the warning that nothing reaches a route."""
    message, code = f"never reached: {left.reason}", codes.UNREACHABLE_ROUTE
    return Diagnostic(Severity.WARNING, left.origin, message, code=code, left_out=(left,))


Report = Callable[[Diagnostic], None]
"""Tells of a diagnostic, with its place in the files."""
