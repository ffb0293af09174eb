"""Problems for programs: JSON, SARIF for code scanning, and the commands of GitHub's workflows."""

from __future__ import annotations

import json
import os
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
    objects = [_object(problem, folder) for problem in problems]
    return _printable(json.dumps(objects, indent=2, ensure_ascii=False)) + "\n"


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
        "message": _printable(problem.message),
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
            "locations": _locations(problem, folder),
        }
        for problem in found
    ]
    run = {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
    log = {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}
    return _printable(json.dumps(log, indent=2, ensure_ascii=False)) + "\n"


def _locations(problem: Problem, folder: str) -> list[Mapping[str, object]]:
    """Return where a problem is: nowhere, if it is about the folder."""
    if _is_of_folder(problem, folder):
        return []
    physical = {
        "artifactLocation": {"uri": quote(os.fsencode(_file(problem, folder)))},
        "region": {"startLine": problem.line, "startColumn": problem.column},
    }
    logical = [{"fullyQualifiedName": f"{problem.resource} {problem.path}".strip()}]
    return [{"physicalLocation": physical, "logicalLocations": logical}]


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
        f"::{_GITHUB_COMMANDS[problem.severity]} {_place(problem, folder)}title={_property(_title(problem))}"
        f"::{_data(_text(problem))}\n"
        for problem in problems
    )


def _place(problem: Problem, folder: str) -> str:
    if _is_of_folder(problem, folder):
        return ""
    return f"file={_property(file_of(problem, folder))},line={problem.line},col={problem.column},"


def _title(problem: Problem) -> str:
    known = explanations().get(problem.code)
    return f"{problem.code} {known.name}" if known is not None else problem.code


def _text(problem: Problem) -> str:
    return _printable(f"{problem.path}: {problem.message}" if problem.path else problem.message)


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def file_of(problem: Problem, named: str) -> str:
    """
    Return a problem's file as one from the current folder sees it, with slashes; empty where it is about the folder.

    Bytes that are no text are escaped as C{\\udcff}.

    @param named: What the command line names: a folder, a file, or C{-}.
    """
    return "" if _is_of_folder(problem, named) else _printable(_file(problem, named))


def _file(problem: Problem, named: str) -> str:
    if named == "-":
        return problem.file
    path = Path(named)
    return Path(os.path.normpath(path / problem.file if path.is_dir() else path)).as_posix()


def _is_of_folder(problem: Problem, named: str) -> bool:
    """Whether a problem is about all of a folder: it bears the folder's name in place of a file's."""
    return problem.file == named and not problem.resource and Path(named).is_dir()


def _printable(text: str) -> str:
    """Return a text that can be encoded, whatever a name of a file holds."""
    return text.encode("utf-8", "backslashreplace").decode()


FORMATS: Final[Mapping[str, Callable[[Problems, str], str]]] = {
    "json": as_json,
    "sarif": as_sarif,
    "github": as_github,
}
