"""Tests of L{edgegate.observe.metrics.buckets}."""

from __future__ import annotations

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.metrics.buckets import BOUNDS, CANONICAL_BOUNDS, COUNT, bucket_of

LIMITS = [float(bound) for bound in BOUNDS]


class BucketTests(SynchronousTestCase):
    """Whole numbers, put where Istio's buckets have them."""

    def test_bounds(self) -> None:
        """Every bound belongs to its bucket, and what is one more to the next."""
        for place, bound in enumerate(LIMITS[:-1]):
            self.assertEqual(bucket_of(int(bound)), place, bound)
            self.assertEqual(bucket_of(int(bound) + 1), place + 1, bound)

    @given(st.integers(0, 10**10))
    def test_any(self, value: int) -> None:
        """It is what looking through the list of bounds finds."""
        self.assertEqual(bucket_of(value), bisect_left(LIMITS, value))

    def test_spellings(self) -> None:
        """Both spellings say the same numbers."""
        self.assertEqual([float(bound) for bound in CANONICAL_BOUNDS], LIMITS)
        self.assertEqual(len(BOUNDS), COUNT)
