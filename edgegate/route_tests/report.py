"""What came of tests, for people: every miss with what was wanted and what is there, and how many passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgegate.route_tests.check import Miss
from edgegate.route_tests.running import Result
from edgegate.route_tests.story import Story, no_story


def miss_lines(result: Result, story: Story = no_story) -> Iterator[str]:
    """
    Yield the lines that tell of a case that was missed; none where it has passed.

    @param story: Tells why its request went where it went.
    """
    if not result.misses:
        return
    case = result.case
    yield f"{case.file}:{case.line}: {case.name}"
    if case.name != case.request:
        yield f"  {case.request}"
    for miss in result.misses:
        yield from difference(miss)
    for line in story(result):
        yield f"  {line}"


def difference(miss: Miss) -> Iterator[str]:
    """Yield the two lines of a miss."""
    indent = " " * (len(miss.key) + 2)
    yield f"  {miss.key}: wanted {miss.wanted}"
    yield f"  {indent}there is {miss.there}"


def summary(results: Iterable[Result], unreadable: int) -> str:
    """
    Return the last line: C{12 cases, 1 missed}.

    @param unreadable: Files that could not be read.
    """
    found = list(results)
    missed = sum(bool(each.misses) for each in found)
    parts = [_count(len(found), "case"), f"{missed} missed" if missed else "all as expected"]
    if unreadable:
        parts.append(f"{_count(unreadable, 'file')} not read")
    return ", ".join(parts if found else [parts[0], *parts[2:]])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
