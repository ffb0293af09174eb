"""Tests of L{edgegate.net.wheel}."""

from __future__ import annotations

import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.wheel import Deadline, TimerWheel

TICK = 0.5


class WheelTests(SynchronousTestCase):
    """One timer for all."""

    def setUp(self) -> None:
        """Make a wheel."""
        self.clock = Clock()
        self.clock.advance(1000.3)
        self.wheel = TimerWheel(self.clock, TICK)
        self.passed: list[float] = []

    def deadline(self) -> Deadline:
        """Make a deadline that writes down when it passes."""
        return Deadline(self.wheel, lambda: self.passed.append(self.clock.seconds()))

    def turn(self, seconds: float) -> None:
        """Let time pass, in small steps."""
        for _ in range(round(seconds / 0.1)):
            self.clock.advance(0.1)

    def test_one_call(self) -> None:
        """However many deadlines there are the reactor has one call, and none when there are none."""
        deadlines = [self.deadline() for _ in range(100)]
        for number, deadline in enumerate(deadlines):
            deadline.start(number / 10)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.turn(12)
        self.assertEqual((len(self.passed), self.clock.getDelayedCalls()), (100, []))
        self.assertFalse(self.wheel.running)

    def test_moved(self) -> None:
        """A deadline that is moved passes once, at its last time."""
        deadline = self.deadline()
        deadline.start(1)
        self.turn(0.8)
        deadline.start(30)
        self.turn(28)
        self.assertEqual(self.passed, [])
        deadline.start(1)
        self.turn(3)
        self.assertEqual(len(self.passed), 1)
        self.assertFalse(deadline.active)

    def test_lifted(self) -> None:
        """A deadline that is lifted does not pass, and can be set anew."""
        deadline = self.deadline()
        deadline.start(1)
        deadline.stop()
        self.turn(3)
        self.assertEqual(self.passed, [])
        deadline.start(1)
        self.turn(3)
        self.assertEqual(len(self.passed), 1)

    def test_set_anew_when_it_passes(self) -> None:
        """What follows on a deadline may set it again."""
        deadline = Deadline(self.wheel, lambda: (self.passed.append(0), deadline.start(1)))
        deadline.start(1)
        self.turn(10)
        self.assertGreaterEqual(len(self.passed), 4)
        self.wheel.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_sleeping_and_waking(self) -> None:
        """A wheel that was at rest for long takes the time anew before it counts."""
        self.deadline().start(1)
        self.turn(3)
        self.clock.advance(5000)
        self.assertFalse(self.wheel.running)
        begun = self.clock.seconds()
        self.deadline().start(2)
        self.turn(5)
        self.assertEqual(len(self.passed), 2)
        self.assertGreaterEqual(self.passed[1], begun + 2)
        self.assertLessEqual(self.passed[1], begun + 2 + 3 * TICK)

    def test_clock_set_ahead(self) -> None:
        """A clock that is set ahead by decades ends what is due, at once; nothing is counted through."""
        self.deadline().start(1)
        self.deadline().start(10)
        self.clock.advance(60 * 365 * 86400)
        self.assertEqual(len(self.passed), 2)
        self.deadline().start(1)
        self.turn(3)
        self.assertEqual(len(self.passed), 3)

    def test_clock_set_back(self) -> None:
        """After a clock was set back new deadlines pass by the new time; old ones no earlier than by the old."""
        self.deadline().start(10)
        self.turn(1)
        self.clock.rightNow -= 100
        self.clock.getDelayedCalls()[0].reset(TICK)  # the reactor goes on, as where it counts by another clock
        self.turn(1)
        begun = self.clock.seconds()
        self.deadline().start(2)
        self.turn(4)
        self.assertEqual(len(self.passed), 1)
        self.assertGreaterEqual(self.passed[0], begun + 2)
        self.turn(110)
        self.assertEqual(len(self.passed), 2)

    def test_busy_worker(self) -> None:
        """Who looks at the clock first is not robbed of the time in which the wheel did not turn."""
        wheel = TimerWheel(self.clock, 0.01)
        Deadline(wheel, lambda: None).start(1)
        self.clock.rightNow += 0.5
        wheel.look()
        begun = self.clock.seconds()
        Deadline(wheel, lambda: self.passed.append(self.clock.seconds())).start(0.1)
        self.clock.pump([0.005] * 30)
        self.assertEqual(len(self.passed), 1)
        self.assertGreaterEqual(self.passed[0], begun + 0.1)
        self.assertLessEqual(self.passed[0], begun + 0.135)

    def test_fine_tick(self) -> None:
        """With a fine tick a deadline is kept to some hundredths of a second."""
        wheel = TimerWheel(self.clock, 0.01)
        begun = self.clock.seconds()
        for number in range(100):
            Deadline(wheel, lambda: self.passed.append(self.clock.seconds())).start(number / 100)
        self.clock.pump([0.001] * 1100)
        self.assertEqual(len(self.passed), 100)
        for number, at in enumerate(self.passed):
            self.assertGreaterEqual(at, begun + number / 100 - 1e-6)
            self.assertLessEqual(at, begun + number / 100 + 0.035)

    def test_failing(self) -> None:
        """One that fails, or would end the process, does not keep the others from passing."""

        def leave() -> None:
            raise SystemExit(1)

        bad = Deadline(self.wheel, lambda: 1 / 0)  # type: ignore[arg-type, return-value]
        leaving = Deadline(self.wheel, leave)
        for each in (bad, leaving, self.deadline()):
            each.start(1)
        self.turn(3)
        self.assertEqual(len(self.passed), 1)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError, SystemExit)), 2)

    def test_ended(self) -> None:
        """What a deadline belonged to is not kept by it once it was ended, though it is still in the wheel."""

        class Owner:
            """Has a deadline."""

            def __init__(self, wheel: TimerWheel) -> None:
                self.deadline = Deadline(wheel, self.expired)

            def expired(self) -> None:
                """Nothing."""

        owner = Owner(self.wheel)
        owner.deadline.start(10)
        owner.deadline.end()
        gone = weakref.ref(owner)
        del owner
        gc.collect()
        self.assertIsNone(gone())
        self.turn(20)

    @given(st.lists(st.tuples(st.floats(0, 60), st.floats(0.1, 40)), min_size=1, max_size=20))
    def test_never_early(self, moves: list[tuple[float, float]]) -> None:
        """However a deadline is moved about, it never passes early, and not more than three ticks late."""
        clock = Clock()
        wheel = TimerWheel(clock, TICK)
        passed: list[float] = []
        deadline = Deadline(wheel, lambda: passed.append(clock.seconds()))
        due = 0.0
        for seconds, pause in moves:
            deadline.start(seconds)
            due = clock.seconds() + seconds
            before = len(passed)
            end = clock.seconds() + pause
            while clock.seconds() < end:
                clock.advance(0.1)
            for at in passed[before:]:
                self.assertGreaterEqual(at, due - 1e-6)
                self.assertLessEqual(at, due + 3 * TICK + 0.2)
            if clock.seconds() > due + 3 * TICK + 0.2:
                self.assertEqual(len(passed), before + 1)
