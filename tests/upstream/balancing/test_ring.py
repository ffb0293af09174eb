"""Tests of L{edgegate.upstream.balancing.ring}; how keys move is tested in C{test_hashed}."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.balancing.ring import MAX_POINTS, Ring, replicas

KEYS = [hash64(b"%d" % number) for number in range(10000)]


class ReplicasTests(SynchronousTestCase):
    """How many points an endpoint has."""

    def test_equal(self) -> None:
        """Endpoints of equal weight have as many as a ring should have at least, however many they are."""
        self.assertEqual([replicas([1] * count, 1024) for count in (1, 3, 7)], [[1024] * count for count in (1, 3, 7)])
        self.assertEqual(replicas([1, 1], 1), [1024, 1024])
        self.assertEqual(replicas([1, 1], 4096), [4096, 4096])

    @settings(max_examples=200)
    @given(st.lists(st.integers(1, 2**31), min_size=1, max_size=300), st.integers(1, 2**31))
    def test_bounded(self, weights: list[int], size: int) -> None:
        """Nobody has none, and no ring is larger than it may be."""
        found = replicas(weights, size)
        self.assertGreaterEqual(min(found), 1)
        self.assertLessEqual(sum(found), MAX_POINTS + 2 * len(weights))


class RingTests(SynchronousTestCase):
    """Points in a circle."""

    def test_shares(self) -> None:
        """Endpoints have the keys that their weights say, within ten percent."""
        ring = Ring(["a", "b", "c"], [1, 1, 2])
        found = [ring.owners[ring.slot(key)] for key in KEYS]
        for index, share in enumerate((0.25, 0.25, 0.5)):
            self.assertLessEqual(abs(found.count(index) / len(KEYS) - share), 0.1 * share)

    def test_in_steps(self) -> None:
        """It is the same in steps, of which none makes more than some thousands of points; one endpoint or many."""
        for count, size in ((1, 1 << 16), (3, 1024), (100, 1024)):
            names, weights = [str(index) for index in range(count)], [1.0 + index % 3 for index in range(count)]
            *before, ring = Ring.steps(names, weights, size)
            assert ring is not None
            whole = Ring(names, weights, size)
            self.assertEqual((ring.points, ring.owners), (whole.points, whole.owners))
            self.assertEqual(list(ring.points), sorted(ring.points))
            self.assertEqual(set(before), {None})
            self.assertGreaterEqual(len(before), 2 * len(ring.points) // 4096)

    def test_around(self) -> None:
        """The last keys belong to the first point."""
        ring = Ring(["a", "b"], [1, 1])
        self.assertEqual(ring.slot(2**64 - 1), 0)
        self.assertEqual(ring.slot(ring.points[5]), 5)
        self.assertEqual(list(ring.points), sorted(ring.points))
