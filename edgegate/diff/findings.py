"""What a comparison finds, and how alike things are told once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from edgegate.diff.fields import FieldChange
from edgegate.explain.question import Question
from edgegate.model.origin import Origin


class Section(Enum):
    """What kind of thing is not as it was, in the order in which it is told; values are the titles."""

    PORTS = "Ports"
    TLS = "TLS"
    HOSTS = "Hosts"
    REQUESTS = "Requests"
    CONNECTIONS = "Connections"
    CLUSTERS = "Clusters"
    GATEWAY = "The gateway as a whole"


@dataclass(frozen=True, slots=True)
class Witness:
    """
    What a client can send to see a change.

    @ivar question: What it sends; checked on both sides.
    @ivar bound: The port that it connects to, after C{--map-port}.
    @ivar old: Where OLD says what it does with it; L{None}: nothing does, or it was not asked.
    """

    question: Question
    bound: int
    old: Origin | None = None
    new: Origin | None = None


@dataclass(frozen=True, slots=True)
class Difference:
    """
    One thing that is treated otherwise.

    @ivar place: Where: C{port 443, shop.example.com}.
    @ivar old: What becomes of it by OLD, in a line; C{new} likewise.
    @ivar fields: How the two differ, one by one.
    @ivar host: The host pattern or SNI pattern that it is for, or empty.
    @ivar used_by: By how many routes it is used, where it is something that routes use.
    @ivar witness: L{None}: nobody can be asked, as of a backend's settings.
    """

    section: Section
    place: str
    old: str
    new: str
    fields: tuple[FieldChange, ...] = ()
    host: str = ""
    used_by: int = 0
    witness: Witness | None = None


@dataclass(frozen=True, slots=True)
class Undecided:
    """
    What could not be compared within reason.

    @ivar place: As L{Difference} has it.
    """

    place: str
    reason: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """
    Differences that are alike.

    @ivar differences: One at least; all have the same section and fields, and C{old} and C{new} where these differ.
    """

    differences: tuple[Difference, ...]

    @property
    def first(self) -> Difference:
        """What all have in common stands in the first of them."""
        return self.differences[0]

    @property
    def hosts(self) -> list[str]:
        """The hosts that it is for, each once."""
        return list(dict.fromkeys(each.host for each in self.differences if each.host))

    @property
    def witnesses(self) -> Iterator[Witness]:
        """Yield what shows it."""
        return (each.witness for each in self.differences if each.witness is not None)


@dataclass(slots=True)
class Findings:
    """
    All that a comparison finds.

    @ivar notes: What is called otherwise and is the same.
    """

    differences: list[Difference] = field(default_factory=list)
    undecided: list[Undecided] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def equal(self) -> bool:
        """Whether it is proved that nothing is treated otherwise."""
        return not self.differences and not self.undecided

    def changes(self) -> list[Change]:
        """Return the differences, those that are alike together: what most are of comes first within its section."""
        groups: dict[object, list[Difference]] = {}
        for each in self.differences:
            # where only settings differ, it does not matter of which destination
            outcome = None if each.old == each.new else (each.old, each.new)
            groups.setdefault((each.section, outcome, each.fields), []).append(each)
        order = list(Section)
        found = [Change(tuple(group)) for group in groups.values()]
        return sorted(found, key=lambda each: (order.index(each.first.section), -len(each.differences)))
