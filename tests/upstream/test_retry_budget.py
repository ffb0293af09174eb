"""Tests for L{edgegate.upstream.retry_budget}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import RetryShare
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pool import Pool
from edgegate.upstream.retry_budget import EARNED, SAVED, RetryBudget


def endpoint(active: int) -> EndpointState:
    """Return an endpoint that so many requests are under way to."""
    state = EndpointState(TCPAddress("192.0.2.1", 80), Pool(TimerWheel(Clock())))
    state.active = active
    return state


class RetryBudgetTests(SynchronousTestCase):
    """How many retries a cluster is worth."""

    def test_spent(self) -> None:
        """Where nothing is answered, so many retries are made and no more."""
        budget = RetryBudget()
        self.assertEqual([budget.spend() for _ in range(int(SAVED) + 2)].count(True), SAVED)

    def test_earned(self) -> None:
        """An answer pays for some more, though nobody saves without end."""
        budget = RetryBudget()
        while budget.spend():
            pass
        budget.earn()
        self.assertEqual([budget.spend() for _ in range(4)].count(True), EARNED)
        for _ in range(1000):
            budget.earn()
        self.assertEqual(budget.left, SAVED)

    @given(st.lists(st.booleans(), max_size=500))
    def test_bounds(self, answers: list[bool]) -> None:
        """There are never more retries than were saved and paid for, and never less than none."""
        budget = RetryBudget()
        spent = 0
        for answered in answers:
            if answered:
                budget.earn()
            else:
                spent += budget.spend()
            self.assertTrue(0 <= budget.left <= SAVED)
        self.assertLessEqual(spent, SAVED + EARNED * sum(answers))

    def test_limit(self) -> None:
        """C{maxRetries} counts requests that are being tried again, each once, until they end."""
        budget = RetryBudget(limit=2)
        self.assertEqual([budget.spend(), budget.spend(), budget.spend()], [True, True, False])
        self.assertTrue(budget.spend(again=True))
        budget.release()
        self.assertTrue(budget.spend())

    def test_share(self) -> None:
        """A C{retryBudget} goes by what is under way, with so many always; what was saved does not matter then."""
        budget = RetryBudget(share=RetryShare(0.5, 1))
        budget.endpoints = [endpoint(2), endpoint(4)]
        budget.left = 0.0
        self.assertEqual([budget.spend() for _ in range(4)], [True, True, True, False])
        quiet = RetryBudget(share=RetryShare(0.5, 1))
        self.assertEqual([quiet.spend(), quiet.spend()], [True, False])
