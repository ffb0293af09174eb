"""Tests of L{edgegate.upstream.pool_decision}."""

from __future__ import annotations

from itertools import product

from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.pool_decision import PoolView, Step, decide


class DecideTests(SynchronousTestCase):
    """What a request does that needs a stream."""

    def test_table(self) -> None:
        """What is free comes first, then what the limits say, then a connection on its way, then one of its own."""
        for free, opening, may_wait, room, step in (
            (1, 0, False, False, Step.REUSE),
            (7, 3, True, True, Step.REUSE),
            (0, 0, False, True, Step.REFUSE),
            (0, 9, False, True, Step.REFUSE),
            (0, 1, True, True, Step.JOIN),
            (0, 1, True, False, Step.JOIN),
            (0, 0, True, True, Step.OPEN),
            (0, 0, True, False, Step.BORROW),
        ):
            view = PoolView(free, opening, may_wait, room)
            self.assertIs(decide(view), step, view)

    def test_unlimited(self) -> None:
        """Without limits a request uses what is free, or connects."""
        self.assertEqual([decide(PoolView(free)) for free in (0, 1)], [Step.OPEN, Step.REUSE])

    def test_limits_are_kept(self) -> None:
        """Nothing is opened without room, and nobody waits who may not, whatever else there is."""
        for free, opening, may_wait, room in product((0, 1), (0, 1), (False, True), (False, True)):
            step = decide(PoolView(free, opening, may_wait, room))
            self.assertTrue(room or step is not Step.OPEN)
            self.assertTrue(may_wait or step in (Step.REUSE, Step.REFUSE))
