"""Problems for programs: JSON, SARIF for code scanning, and the commands of GitHub's workflows."""

from __future__ import annotations

import json
import os.path
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.istio.analysis.catalogue import Explanation, explanations
from edgegate.version import described

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_SARIF_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_GITHUB_COMMANDS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def as_json(problems: Problems, folder: str) -> str:
    """Return a list of problems, one object each."""
    return json.dumps([_object(problem, folder) for problem in problems], indent=2, ensure_ascii=False) + "\n"


def _object(problem: Problem, folder: str) -> Mapping[str, object]:
    known = explanations().get(problem.code)
    return {
        "code": problem.code,
        "name": known.name if known is not None else "",
        "level": problem.severity.name.lower(),
        "resource": problem.resource,
        "file": file_of(problem, folder),
        "line": problem.line,
        "column": problem.column,
        "path": problem.path,
        "message": problem.message,
    }


def as_sarif(problems: Problems, folder: str) -> str:
    """Return a log of the Static Analysis Results Interchange Format, version 2.1.0."""
    found = list(problems)
    used = sorted({problem.code for problem in found}.intersection(explanations()))
    driver: dict[str, Any] = {"name": "edgegate", "version": described().split()[-1], "rules": _rules(used)}
    results = [
        {
            "ruleId": problem.code,
            # section 3.27.6: -1 where there is none
            "ruleIndex": used.index(problem.code) if problem.code in used else -1,
            "level": _SARIF_LEVELS[problem.severity],
            "message": {"text": _text(problem)},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": quote(file_of(problem, folder))},
                        "region": {"startLine": problem.line, "startColumn": problem.column},
                    },
                    "logicalLocations": [{"fullyQualifiedName": f"{problem.resource} {problem.path}".strip()}],
                }
            ],
        }
        for problem in found
    ]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2, ensure_ascii=False) + "\n"


def _rules(used: Iterable[str]) -> list[Mapping[str, object]]:
    known: Mapping[str, Explanation] = explanations()
    return [
        {
            "id": code,
            "name": known[code].name,
            "shortDescription": {"text": known[code].name},
            "fullDescription": {"text": known[code].says},
            "help": {"text": known[code].mend},
        }
        for code in used
    ]


def as_github(problems: Problems, folder: str) -> str:
    """Return a command of GitHub's workflows for each: shown beside the line in a pull request."""
    return "".join(
        f"::{_GITHUB_COMMANDS[problem.severity]} file={_property(file_of(problem, folder))},line={problem.line},"
        f"col={problem.column},title={_property(_title(problem))}::{_data(_text(problem))}\n"
        for problem in problems
    )


def _title(problem: Problem) -> str:
    known = explanations().get(problem.code)
    return f"{problem.code} {known.name}" if known is not None else problem.code


def _text(problem: Problem) -> str:
    return f"{problem.path}: {problem.message}" if problem.path else problem.message


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def file_of(problem: Problem, named: str) -> str:
    """
    Return a problem's file as one from the current folder sees it, with slashes.

    @param named: What the command line names: a folder, a file, or C{-}.
    """
    if named == "-":
        return problem.file
    path = Path(named)
    return Path(os.path.normpath(path / problem.file if path.is_dir() else path)).as_posix()


FORMATS: Final[Mapping[str, Callable[[Problems, str], str]]] = {
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
