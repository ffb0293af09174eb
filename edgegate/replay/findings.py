"""What was found of requests: how many of them, by what became of them and what would."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, NamedTuple, TypeVar


class Verdict(Enum):
    """How what becomes of a request is to what became of it. The values are what JSON calls them."""

    SAME = "same"
    OTHERWISE = "otherwise"
    MAYBE = "maybe"
    """It depends on what the log does not say."""

    UNSAID = "unsaid"
    """It goes to a backend; the log does not say where it went."""


class Told(NamedTuple):
    """
    What becomes of requests, for people.

    @ivar summary: In a line.
    @ivar route: The route's name in the files, or empty.
    @ivar place: C{shop.yaml:12}, or empty.
    """

    summary: str
    route: str = ""
    place: str = ""


NOTHING_TOLD: Final = Told("")


class Finding(NamedTuple):
    """
    What is the same of many requests.

    @ivar changes: What differs that the two summaries don't say.
    @ivar depends: What the log does not say and it depends on.
    """

    verdict: Verdict
    old: Told = NOTHING_TOLD
    new: Told = NOTHING_TOLD
    changes: tuple[str, ...] = ()
    depends: tuple[str, ...] = ()


class Example(NamedTuple):
    """
    A line.

    @ivar log: Which of the logs has it, from 0.
    @ivar piece: Which piece of the log, from 0.
    @ivar line: Which line of the piece, from 0.
    @ivar text: The request; or the line, where it is none.
    """

    log: int
    piece: int
    line: int
    text: str


EXAMPLES: Final = 3
"""That are kept of each group."""

MOST_GROUPS: Final = 10_000
"""Groups that are told apart; what comes then is counted together."""


@dataclass(slots=True)
class Group:
    """
    Requests of which the same was found.

    @ivar finding: Or why lines were not replayed.
    """

    finding: Finding | str
    count: int = 0
    examples: list[Example] = field(default_factory=list)

    def show(self, example: Example) -> None:
        """Keep a line as an example, where there are few yet and none shows the same."""
        if len(self.examples) < EXAMPLES and all(each.text != example.text for each in self.examples):
            self.examples.append(example)


@dataclass(slots=True)
class Tally:
    """
    All that was found.

    @ivar decided: How often a request was routed; the others were like one before.
    @ivar lines: How many each piece of each log has.
    """

    groups: dict[Finding | str, Group] = field(default_factory=dict)
    decided: int = 0
    lines: dict[tuple[int, int], int] = field(default_factory=dict)

    def group(self, finding: Finding | str) -> Group:
        """Return the group of a finding."""
        group = self.groups.get(finding)
        if group is None:
            if len(self.groups) >= MOST_GROUPS:
                finding = _OTHERS if isinstance(finding, str) else Finding(finding.verdict, _MORE, _MORE)
            group = self.groups.setdefault(finding, Group(finding))
        return group

    def add(self, other: Tally) -> None:
        """Take in what another process has found."""
        for finding, theirs in other.groups.items():
            group = self.group(finding)
            group.count += theirs.count
            shown, group.examples = sorted((*group.examples, *theirs.examples)), []
            for example in shown:
                group.show(example)
        self.decided += other.decided
        self.lines |= other.lines

    def count(self, *verdicts: Verdict) -> int:
        """Return how many requests came out so."""
        return sum(each.count for finding, each in self.groups.items() if _verdict(finding) in verdicts)

    def found(self, verdict: Verdict) -> list[tuple[Finding, Group]]:
        """Return the groups of a verdict, the largest first."""
        found = ((key, group) for key, group in self.groups.items() if isinstance(key, Finding))
        return _sorted((key, group) for key, group in found if key.verdict is verdict)

    def unread(self) -> list[tuple[str, Group]]:
        """Return why lines were not replayed, with how many: the most frequent first."""
        return _sorted((key, group) for key, group in self.groups.items() if isinstance(key, str))

    def line_number(self, example: Example) -> int:
        """Return the number of an example's line in its log, from 1, once all of it has been read."""
        before = (self.lines.get((example.log, piece), 0) for piece in range(example.piece))
        return sum(before) + example.line + 1


Key = TypeVar("Key")

_MORE: Final = Told("others: too many kinds to tell apart")
_OTHERS: Final = "other reasons: too many to tell apart"


def _verdict(finding: Finding | str) -> Verdict | None:
    return None if isinstance(finding, str) else finding.verdict


def _sorted(groups: Iterable[tuple[Key, Group]]) -> list[tuple[Key, Group]]:
    return sorted(groups, key=lambda each: (-each[1].count, str(each[0])))
