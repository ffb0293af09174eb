"""Running cases on a Snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from edgegate.explain.decision import Decider
from edgegate.route_tests.cases import Case
from edgegate.route_tests.checks import Miss
from edgegate.route_tests.outcome import Outcome
from edgegate.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Result:
    """
    What came of a case.

    @ivar misses: What is otherwise than expected; none: it has passed.
    """

    case: Case
    outcome: Outcome
    misses: tuple[Miss, ...]


def run(cases: Iterable[Case], snapshot: Snapshot) -> Iterator[Result]:
    """Yield what comes of cases, one by one."""
    decider = Decider(snapshot)
    for case in cases:
        outcome = Outcome(decider.decide(case.question))
        misses = (check.miss(outcome) for check in case.checks)
        yield Result(case, outcome, tuple(miss for miss in misses if miss is not None))
