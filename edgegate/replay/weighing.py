"""
What follows from outcomes of which not all is known.

Each condition on what the log does not say is taken to hold or not, whatever the others do. That is more than can be:
so what is the same in all cases is the same, and what differs in all of them differs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from edgegate.replay.findings import Verdict
from edgegate.replay.possible_routes import Unsaid
from edgegate.replay.routing import Outcome, Possible

MOST_UNSAID: Final = 8
"""Conditions of which all cases are looked at; where there are more it is said what may be."""

Outcomes = tuple[Outcome, ...]
"""What becomes of a request on each side."""


@dataclass(frozen=True, slots=True)
class Weighed:
    """
    What follows.

    @ivar outcomes: Of a case that shows it.
    @ivar depends: What it depends on.
    """

    verdict: Verdict
    outcomes: Outcomes
    depends: tuple[str, ...] = ()


def weigh(sides: Sequence[Possible], verdict_of: Callable[[Outcomes], Verdict]) -> Weighed:
    """
    Return what follows from what may become of a request on each side.

    @param verdict_of: Judges one case.
    """
    unsaid = sorted({each for side in sides for needed, _ in side for each in needed}, key=repr)
    if len(unsaid) > MOST_UNSAID:
        return _roughly(sides, verdict_of, unsaid)
    cases = {true: tuple(_outcome(side, true) for side in sides) for true in _subsets(unsaid)}
    verdicts = {true: verdict_of(outcomes) for true, outcomes in cases.items()}
    verdict = together(set(verdicts.values()))
    told = Verdict.OTHERWISE if verdict is Verdict.MAYBE else verdict
    example = next((true for true in cases if verdicts[true] is told), frozenset())
    by: dict[frozenset[Unsaid], object] = dict(verdicts) if verdict is Verdict.MAYBE else dict(cases)
    depends = {each.subject for each in unsaid if _matters(each, by)} if verdict is not Verdict.SAME else ()
    return Weighed(verdict, cases[example], tuple(sorted(depends)))


def together(verdicts: set[Verdict]) -> Verdict:
    """Return what can be said of several cases, of which one is the real one."""
    if len(verdicts) == 1:
        return next(iter(verdicts))
    return Verdict.UNSAID if verdicts == {Verdict.SAME, Verdict.UNSAID} else Verdict.MAYBE


def _roughly(sides: Sequence[Possible], verdict_of: Callable[[Outcomes], Verdict], unsaid: list[Unsaid]) -> Weighed:
    """Take whatever may become of it on one side together with whatever may on the other."""
    first = tuple(side[0][1] for side in sides)
    if len({tuple(needed for needed, _ in side) for side in sides}) == 1:
        rows = zip(*([outcome for _, outcome in side] for side in sides), strict=True)
        if {verdict_of(row) for row in rows} == {Verdict.SAME}:
            return Weighed(Verdict.SAME, first)
    pairs = [()]  # type: list[Outcomes]
    for side in sides:
        pairs = [(*pair, outcome) for pair in pairs for outcome in dict.fromkeys(each for _, each in side)]
    verdicts = {pair: verdict_of(pair) for pair in pairs}
    verdict = together(set(verdicts.values()))
    told = Verdict.OTHERWISE if verdict is Verdict.MAYBE else verdict
    example = next((pair for pair in pairs if verdicts[pair] is told), first)
    depends = () if verdict is Verdict.SAME else tuple(sorted({each.subject for each in unsaid}))
    return Weighed(verdict, example, depends)


def _subsets(unsaid: list[Unsaid]) -> Iterator[frozenset[Unsaid]]:
    """Yield all sets of conditions that may hold, the small ones first."""
    for size in range(len(unsaid) + 1):
        for chosen in combinations(unsaid, size):
            yield frozenset(chosen)


def _outcome(side: Possible, true: frozenset[Unsaid]) -> Outcome:
    return next(outcome for needed, outcome in side if needed <= true)


def _matters(one: Unsaid, cases: dict[frozenset[Unsaid], object]) -> bool:
    """Whether it makes a difference in any case whether one condition holds."""
    return any(found != cases[true | {one}] for true, found in cases.items())
