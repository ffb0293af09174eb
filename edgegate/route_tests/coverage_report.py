"""What tests have asked for, told to people and to programs."""

from __future__ import annotations

from collections.abc import Iterator

from edgegate.route_tests.coverage import Coverage, Group


def coverage_lines(coverage: Coverage) -> Iterator[str]:
    """Yield the lines of a report: what was not hit, by its place, then how much of each group was."""
    for group in Group:
        for unit in coverage.units(group):
            if not unit.hit:
                yield f"{unit.origin}: {group.value}: {unit.what}: {unit.missing}"
    for group in Group:
        units = list(coverage.counted(group))
        if units:
            hit = sum(unit.hit for unit in units)
            yield f"{group.value:<12} {coverage.percent(group):6.1f} %  {hit} of {len(units)}"


def coverage_report(coverage: Coverage) -> dict[str, object]:
    """Return all of it for programs: by group the percent, and each unit with its place and the test that hit it."""
    return {
        group.value: {
            "percent": round(coverage.percent(group), 2),
            "units": [
                {
                    "file": unit.origin.file,
                    "line": unit.origin.line,
                    "what": unit.what,
                    "hit": unit.hit,
                    "by": unit.by,
                    "missing": unit.missing,
                    "counts": not unit.unreached,
                }
                for unit in coverage.units(group)
            ],
        }
        for group in Group
    }
