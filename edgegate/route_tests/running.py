"""Running cases on a Snapshot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from time import perf_counter

from edgegate.explain.decision import Decider
from edgegate.explain.effects import EffectsFinder
from edgegate.explain.question import Question
from edgegate.model.clusters import NO_ENDPOINTS, Endpoints
from edgegate.route_tests.cases import Case
from edgegate.route_tests.check import Miss
from edgegate.route_tests.outcome import Outcome
from edgegate.route_tests.placement import placed
from edgegate.routing.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Result:
    """
    What came of a case.

    @ivar misses: What is otherwise than expected; none: it has passed.
    @ivar seconds: That it took.
    """

    case: Case
    outcome: Outcome
    misses: tuple[Miss, ...]
    seconds: float = 0.0


def run(cases: Iterable[Case], snapshot: Snapshot, endpoints: Endpoints = NO_ENDPOINTS) -> Iterator[Result]:
    """
    Yield what comes of cases, one by one.

    @param endpoints: Of the Snapshot's clusters.
    """
    decider = Decider(snapshot)
    finder = EffectsFinder(decider, endpoints)
    for case in cases:
        begun = perf_counter()
        question = case.question if isinstance(case.question, Question) else placed(snapshot, case.question)
        outcome = Outcome(decider.decide(question), finder)
        misses = [miss for check in case.checks if (miss := check.miss(outcome)) is not None]
        yield Result(case, outcome, tuple(misses), perf_counter() - begun)
