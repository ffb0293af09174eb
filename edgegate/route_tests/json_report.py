"""What came of tests as JSON, for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from edgegate.route_tests.files import TestedFile
from edgegate.route_tests.running import Result


def json_report(
    files: Iterable[TestedFile],
    results: Sequence[Result],
    coverage: Mapping[str, object] | None = None,
    covers: bool = True,
) -> str:
    """
    Return an object: C{passed}, the C{cases}, what is wrong with the files (C{problems}), and the C{coverage}.

    @param covers: Whether the tests ask for as much as they have to.
    """
    problems = [
        {"file": each.file, "line": each.line, "column": each.column, "path": each.path, "message": each.message}
        for file in files
        for each in file.problems
    ]
    found: dict[str, object] = {
        "passed": covers and not problems and bool(results) and not any(each.misses for each in results),
        "cases": [_case(each) for each in results],
        "problems": problems,
    }
    if coverage is not None:
        found["coverage"] = coverage
    return json.dumps(found, indent=2, ensure_ascii=False)


def _case(result: Result) -> dict[str, object]:
    case, outcome = result.case, result.outcome
    return {
        "file": case.file,
        "line": case.line,
        "name": case.name,
        "request": case.request,
        "passed": not result.misses,
        "misses": [miss._asdict() for miss in result.misses],
        "route": outcome.route_name,
        "at": None if outcome.origin is None else str(outcome.origin),
        "shares": outcome.shares,
        "status": outcome.status,
        "flag": outcome.flag,
    }
