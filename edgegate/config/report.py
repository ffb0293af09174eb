"""Problems as a compiler prints them, for people and for editors."""

from __future__ import annotations

from typing import TextIO

from edgegate.config.problems import Problems, Severity

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.INFO: "bold cyan"}


def report(problems: Problems, out: TextIO, outcome: str = "") -> None:
    """
    Print every problem on a line of its own, and how many there are.

    @param out: Gets colours where it is a terminal.
    @param outcome: What follows from it, for the last line.
    """
    from rich.console import Console  # noqa: PLC0415 (megabytes that a gateway whose files are in order never needs)
    from rich.text import Text  # noqa: PLC0415

    console = Console(file=out, soft_wrap=True, highlight=False, markup=False, emoji=False)
    for problem in problems:
        word = problem.severity.name.lower()
        place, _, rest = str(problem).partition(f" {word}: ")
        code = (f" [{problem.code}]", "dim") if problem.code else ""
        console.print(Text.assemble((place, "bold"), " ", (f"{word}:", _STYLES[problem.severity]), f" {rest}", code))
    console.print(summary(problems, outcome))


def summary(problems: Problems, outcome: str = "") -> str:
    """Return the last line: C{3 errors, 1 warning: not started}."""
    parts = []
    for severity, name in ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.INFO, "note")):
        count = sum(problem.severity is severity for problem in problems)
        if count:
            parts.append(f"{count} {name}{'' if count == 1 else 's'}")
    text = ", ".join(parts) or "no problems"
    return f"{text}: {outcome}" if outcome else text
