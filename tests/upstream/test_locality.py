"""Tests of L{edgegate.upstream.locality}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Localities
from edgegate.upstream.locality import Grouping, Place, grouping, matches, priority_shares, weighted_shares
from tests.upstream.members import member

HERE = Place("eu/a/1")

COUNTS = st.lists(
    st.integers(1, 50).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))), min_size=1, max_size=6
)


class MatchTests(SynchronousTestCase):
    """Patterns."""

    def test_patterns(self) -> None:
        """What a pattern leaves out, or has a star for, may be anything."""
        for pattern in ("eu", "eu/*", "*", "eu/a", "eu/a/*", "eu/a/1", "*/a", ""):
            self.assertTrue(matches("eu/a/1", pattern), pattern)
        for pattern in ("us", "eu/b", "eu/a/2", "*/b", "e"):
            self.assertFalse(matches("eu/a/1", pattern), pattern)
        self.assertFalse(matches("eu", "eu/a"))


class GroupingTests(SynchronousTestCase):
    """Who belongs together."""

    def found(
        self, localities: tuple[str, ...], settings: Localities | None, place: Place = HERE, watched: bool = True
    ) -> Grouping:
        members = [member(number, locality=locality) for number, locality in enumerate(localities, 1)]
        return grouping(members, settings, place, watched)

    def test_all_alike(self) -> None:
        """Without settings, without a place and without anything that tells who is fit all are one group."""
        localities = ("eu/a/1", "us/a/1")
        for settings, place, watched in (
            (None, HERE, True),
            (Localities(), Place(), True),
            (Localities(), HERE, False),
            (Localities(distribute=(("us/*", (("us/*", 100),)),)), HERE, True),
            (Localities(distribute=(("*", (("us/*", 100),)),)), Place(), True),
        ):
            self.assertEqual(self.found(localities, settings, place, watched), Grouping(((0, 1),)))
        self.assertEqual(self.found((), Localities()), Grouping(()))

    def test_nearness(self) -> None:
        """The same subzone comes first, then zone, region, and the rest."""
        localities = ("us/a/1", "eu/b/1", "eu/a/2", "eu/a/1", "", "eu/a/1")
        self.assertEqual(self.found(localities, Localities()), Grouping(((3, 5), (2,), (1,), (0, 4))))

    def test_failover(self) -> None:
        """A region that is named to fail over to comes before all other regions."""
        settings = Localities(failover=(("us", "eu"), ("eu", "asia")))
        localities = ("us/a", "asia/b", "eu/a/1")
        self.assertEqual(self.found(localities, settings), Grouping(((2,), (1,), (0,))))

    def test_labels(self) -> None:
        """The more labels in a row are the gateway's, or as the files say, the earlier."""
        settings = Localities(priorities=("network", "version=v2", "topology.kubernetes.io/zone"))
        place = Place("eu/a/1", (("network", "n1"), ("version", "v1")))
        members = [
            member(1, locality="eu/a", labels=[("network", "n2"), ("version", "v2")]),
            member(2, locality="eu/a", labels=[("network", "n1"), ("version", "v2")]),
            member(3, locality="eu/b", labels=[("network", "n1"), ("version", "v2")]),
            member(4, locality="eu/a", labels=[("network", "n1"), ("version", "v1")]),
        ]
        self.assertEqual(grouping(members, settings, place, True), Grouping(((1,), (2,), (3,), (0,))))
        self.assertEqual(len(grouping(members, settings, Place(labels=place.labels), True).groups), 3)

    def test_distribute(self) -> None:
        """The first rule for the gateway's place counts; who is in none of its patterns gets nothing."""
        settings = Localities(
            distribute=(
                ("us/*", (("*", 100),)),
                ("eu/a/*", (("eu/a/*", 80), ("eu/b/*", 20), ("asia", 0), ("africa", 5))),
                ("eu/*", (("*", 100),)),
            )
        )
        localities = ("eu/b/1", "eu/a/1", "asia", "us", "eu/a/9")
        expected = Grouping(((1, 4), (0,)), (80, 20))
        self.assertEqual(self.found(localities, settings), expected)
        self.assertEqual(self.found(localities, settings, watched=False), expected)


class ShareTests(SynchronousTestCase):
    """How much each group takes."""

    def test_envoys_examples(self) -> None:
        """The table of Envoy's documentation, with 10 endpoints in each of two levels."""
        for fit, shares in (
            ((10, 10), (1.0, 0.0)),
            ((8, 10), (1.0, 0.0)),
            ((7, 10), (0.98, 0.02)),
            ((5, 10), (0.7, 0.3)),
            ((2, 10), (0.28, 0.72)),
            ((0, 10), (0.0, 1.0)),
            ((3, 3), (0.5, 0.5)),
            ((0, 0), (0.0, 0.0)),
        ):
            for found, expected in zip(priority_shares([(each, 10) for each in fit]), shares, strict=True):
                self.assertLess(abs(found - expected), 1e-9, fit)

    @given(COUNTS)
    def test_whole(self, counts: list[tuple[int, int]]) -> None:
        """The whole load is shared out where anybody is fit, and nobody gets any who is not."""
        shares = priority_shares(counts)
        self.assertLess(abs(sum(shares) - any(fit for fit, _ in counts)), 1e-9)
        for share, (fit, _) in zip(shares, counts, strict=True):
            self.assertGreaterEqual(share, 0)
            self.assertTrue(fit or not share)

    def test_weighted(self) -> None:
        """A group that cannot take its weight leaves it to the others."""
        self.assertEqual(weighted_shares([(10, 10), (10, 10)], (80, 20)), [80, 20])
        self.assertEqual(weighted_shares([(0, 10), (10, 10)], (80, 20)), [0, 20])
        self.assertLess(abs(weighted_shares([(5, 10), (10, 10)], (80, 20))[0] - 56), 1e-9)
