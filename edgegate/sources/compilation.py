"""From the resources of all files to the Snapshot, and to one list of problems."""

from __future__ import annotations

from edgegate.config.problems import Problems, Severity
from edgegate.istio.resources import Resources
from edgegate.istio.translate import CompileOptions, IstioTranslation
from edgegate.model import codes
from edgegate.routing.compile import Compiled, compile_snapshot


def compile_resources(resources: Resources, options: CompileOptions, problems: Problems) -> Compiled:
    """
    Compile all that the files say.

    Everything that is wrong between documents is reported; what is in error is
    left out of the result, which is to be served only where there are no
    errors at all.

    @param problems: May hold what is wrong with each document alone, which is not reported again.
    """
    found = Problems()
    compiled = compile_snapshot(IstioTranslation(resources, options, found), options.port_map)
    found.fill_in_codes(codes.SCHEMA_VALIDATION_ERROR, codes.WITHOUT_EFFECT)
    _merge(problems, found)
    problems.leave_out_consequences()
    return compiled


def _merge(problems: Problems, found: Problems) -> None:
    """Add what was found, but for errors at a place where one was known before: the first says why."""
    known = {
        (problem.file, problem.line, problem.column, problem.path)
        for problem in problems
        if problem.severity is Severity.ERROR
    }
    for problem in found:
        place = problem.file, problem.line, problem.column, problem.path
        if problem.severity is not Severity.ERROR or place not in known:
            problems.add(problem)
