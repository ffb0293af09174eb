"""Tests for L{edgegate.http.router.retry_policy}."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.router.retry_policy import MAX_BACKOFF, Retries
from edgegate.model.policies import RetryPolicy
from edgegate.upstream.retry_budget import RetryBudget


class Highest(Random):
    """Draws the highest that can be drawn."""

    def random(self) -> float:
        return 1.0


class RetriesTests(SynchronousTestCase):
    """How often and after how long."""

    def test_attempts(self) -> None:
        """As many as the policy says; then the flag says that they are used up."""
        retries = Retries(RetryPolicy(3), RetryBudget(), Random(1))
        self.assertEqual([retries.again() is None for _ in range(4)], [False, False, False, True])
        self.assertEqual(retries.refused, "URX")

    def test_longest_waits(self) -> None:
        """The wait doubles from try to try up to ten times the base (Envoy's jittered exponential backoff)."""
        retries = Retries(RetryPolicy(7, backoff=0.1), RetryBudget(), Highest())
        waits = [retries.again() or 0.0 for _ in range(7)]
        for wait, expected in zip(waits, (0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0), strict=True):
            self.assertAlmostEqual(wait, expected)

    @given(st.integers(0, 2**32), st.floats(0.001, 10))
    def test_jitter(self, seed: int, base: float) -> None:
        """Each wait is between nothing and the longest, so that those who failed together do not come back together."""
        retries = Retries(RetryPolicy(6, backoff=base), RetryBudget(), Random(seed))
        for number in range(6):
            wait = retries.again()
            assert wait is not None
            self.assertTrue(0 <= wait <= base * min(2**number, MAX_BACKOFF))

    def test_budget(self) -> None:
        """The cluster's budget ends it as well, and the flag says so; attempts that are used up cost nothing."""
        budget = RetryBudget()
        budget.left = 1.0
        retries = Retries(RetryPolicy(2), budget, Random(1))
        self.assertIsNotNone(retries.again())
        self.assertIsNone(retries.again())
        self.assertEqual(retries.refused, "UO")
        budget.left = 1.0
        retries = Retries(RetryPolicy(0), budget, Random(1))
        self.assertIsNone(retries.again())
        self.assertEqual((retries.refused, budget.left), ("URX", 1.0))
