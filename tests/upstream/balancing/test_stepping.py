"""Tests of L{edgegate.upstream.balancing.stepping}."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing.stepping import Steps
from tests.upstream.turning import TurningClock


class StepsTests(SynchronousTestCase):
    """Works."""

    def setUp(self) -> None:
        """Make a queue."""
        self.clock = TurningClock()
        self.steps = Steps(self.clock)
        self.done: list[str] = []

    def work(self, name: str, count: int) -> Iterator[None]:
        """Do something in so many steps and one."""
        for _ in range(count):
            self.done.append(name)
            yield None
        self.done.append(f"{name} whole")

    def test_one_a_turn(self) -> None:
        """A turn takes one step; works are done one after the other, and then nothing is left."""
        self.steps.add(self.work("a", 2))
        self.steps.add(self.work("b", 0))
        self.assertEqual(self.done, [])
        for expected in (["a"], ["a", "a"], ["a", "a", "a whole"], ["a", "a", "a whole", "b whole"]):
            self.clock.turn()
            self.assertEqual(self.done, expected)
        self.assertEqual((self.clock.getDelayedCalls(), self.steps.taken), ([], 4))
        self.steps.add(self.work("c", 0))
        self.clock.turn()
        self.assertEqual(self.done[-1], "c whole")

    def test_broken(self) -> None:
        """A work that breaks is logged, and the next is done."""
        self.steps.add(1 // number for number in (1, 0))
        self.steps.add(self.work("b", 0))
        while self.clock.turn():
            pass
        self.assertEqual((self.done, len(self.flushLoggedErrors(ZeroDivisionError))), (["b whole"], 1))

    def test_more_to_do(self) -> None:
        """What a last step adds is done after it."""

        def first() -> Iterator[None]:
            self.steps.add(self.work("b", 0))
            yield None

        self.steps.add(first())
        while self.clock.turn():
            pass
        self.assertEqual((self.done, self.clock.getDelayedCalls()), (["b whole"], []))

    def test_stop(self) -> None:
        """What is not done is left."""
        self.steps.add(self.work("a", 1))
        self.steps.stop()
        self.steps.stop()
        self.assertEqual((self.clock.getDelayedCalls(), self.done), ([], []))
