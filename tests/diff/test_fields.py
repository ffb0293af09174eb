"""Tests of L{edgegate.diff.fields}."""

from __future__ import annotations

from dataclasses import dataclass

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.fields import changes
from edgegate.model.clusters import Cluster, Discovery, OutlierDetection, PoolLimits
from edgegate.model.matching import Kind, StringMatch
from edgegate.model.origin import Origin

ORIGIN = Origin("a.yaml", 1, "ServiceEntry default/a")


@dataclass(frozen=True)
class Odd:
    """Something that looks like another one."""

    number: int

    def __repr__(self) -> str:
        return f"Odd({self.number})"


class ChangesTests(SynchronousTestCase):
    """How two values differ."""

    def test_equal(self) -> None:
        """Nothing is told of what is equal, wherever it is said."""
        one = Cluster("a", Discovery.STATIC, ORIGIN)
        other = Cluster("a", Discovery.STATIC, Origin("b.yaml", 7, ""))
        self.assertEqual(list(changes(one, other)), [])

    def test_innermost(self) -> None:
        """The fields that differ are told, however deep."""
        one = Cluster("a", Discovery.STATIC, ORIGIN)
        other = Cluster("a", Discovery.DNS, ORIGIN, 5.0, limits=PoolLimits(connections=3))
        self.assertEqual(
            [str(each) for each in changes(one, other)],
            ["discovery: STATIC -> STRICT_DNS", "connect timeout: 10 s -> 5 s", "limits connections: none -> 3"],
        )

    def test_whole(self) -> None:
        """What was not there before is told as a whole, and so are conditions."""
        self.assertEqual(
            [str(each) for each in changes(None, OutlierDetection(interval=1.0), "ejection")],
            ["ejection: none -> interval 1 s"],
        )
        one, other = StringMatch(Kind.EXACT, "a"), StringMatch(Kind.PREFIX, "a")
        self.assertEqual([str(each) for each in changes(one, other, "uri")], ["uri: exact a -> prefix a"])

    def test_never_alike(self) -> None:
        """Two values that differ never look alike."""
        (found,) = changes((0.1 + 0.2,), (0.3,), "weights")
        self.assertNotEqual(found.old, found.new)
        self.assertIn("sha256", found.old)
