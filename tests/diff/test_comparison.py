"""Tests of L{edgegate.diff.comparison}: changes of files, and all that is told of each."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.behaviour import Renamed
from edgegate.diff.clusters import renamed_clusters
from edgegate.diff.comparison import compare
from edgegate.diff.sides import Side
from edgegate.diff.witnesses import Checker, pairs
from tests.diff.compared import side, told

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Case:
    """
    A change of the base.

    @ivar replace: Texts, and what takes their place.
    @ivar swap: Names of two routes that change places.
    @ivar more: What is appended.
    @ivar told: All that is said of it; none: it is proved that nothing changes.
    """

    name: str
    replace: dict[str, str] = field(default_factory=dict)
    swap: tuple[str, str] | tuple[()] = ()
    more: str = ""
    told: tuple[str, ...] = ()

    def apply(self, text: str) -> str:
        """Return the base with the change."""
        for old, new in self.replace.items():
            if old not in text:
                raise ValueError(f"{self.name}: the base has no {old!r}")
            text = text.replace(old, new)
        return _swapped(text, *self.swap) + self.more if self.swap else text + self.more


def _swapped(text: str, one: str, other: str) -> str:
    first, second = (_item(text, name) for name in (one, other))
    return text.replace(first, "\0").replace(second, first).replace("\0", second)


def _item(text: str, name: str) -> str:
    found = re.search(rf"^  - name: {name}\n(?:    .*\n)+", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"the base has no route {name}")
    return found[0]


def cases() -> list[Case]:
    """Read them."""
    given: list[dict[str, Any]] = yaml.safe_load((HERE / "cases.yaml").read_text())
    return [
        Case(**{key: tuple(value) if isinstance(value, list) else value for key, value in each.items()})
        for each in given
    ]


BASE = (HERE / "base.yaml").read_text()


class ComparisonTests(SynchronousTestCase):
    """What is told of changes."""

    def test_cases(self) -> None:
        """Of each change all is told, and nothing else; what changes nothing is proved to."""
        for case in cases():
            with self.subTest(case.name):
                found = compare(side(BASE), side(case.apply(BASE)))
                self.assertEqual(tuple(map(told, found.changes())), case.told, case.name)
                self.assertEqual(found.undecided, [])
                self.assertEqual(found.equal, not case.told)

    def test_back(self) -> None:
        """What changes nothing does not the other way round, and what changes something does."""
        for case in cases():
            with self.subTest(case.name):
                back = compare(side(case.apply(BASE)), side(BASE))
                self.assertEqual(back.equal, not case.told, case.name)
                self.assertEqual(back.undecided, [])

    def test_witnesses(self) -> None:
        """Each witness is treated otherwise by the functions that serve."""
        seen = 0
        for case in cases():
            old, new = side(BASE), side(case.apply(BASE))
            renamed = renamed_clusters(old, new)
            for change in compare(old, new).changes():
                for witness in change.witnesses:
                    seen += 1
                    self.assertTrue(_differs(old, new, renamed, witness.question.port, witness.question), case.name)
        self.assertGreater(seen, 40)


def _differs(old: Side, new: Side, renamed: Renamed, port: int, question: Any) -> bool:
    (pair,) = [each for each in pairs(old, new, renamed) if each.number == port]
    before, after = Checker(pair).behaviours(question)
    return before != after
