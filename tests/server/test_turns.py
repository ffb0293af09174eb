"""Tests of L{edgegate.server.turns}."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any, cast

from twisted.internet.task import Clock, TaskStopped
from twisted.trial.unittest import SynchronousTestCase

from edgegate.server import turns as turns_module
from edgegate.server.turns import PAUSE, TURN, in_turns


class Turns:
    """A reactor of which the test says when the next turn comes."""

    def __init__(self) -> None:
        self.calls: list[Callable[[], None]] = []

    def callLater(self, delay: float, call: Callable[[], None]) -> FakeDelayedCall:
        """Remember what is due in the next turn."""
        assert delay == 0
        self.calls.append(call)
        return FakeDelayedCall(self, call)

    def turn(self) -> None:
        """Let the next turn come."""
        due, self.calls = self.calls, []
        for call in due:
            call()


class FakeDelayedCall:
    """A call that can be taken back."""

    def __init__(self, turns: Turns, call: Callable[[], None]) -> None:
        self._turns = turns
        self._call = call

    def cancel(self) -> None:
        """Take it back."""
        self._turns.calls.remove(self._call)


class TurnsTests(SynchronousTestCase):
    """Work with others in between."""

    def test_turns(self) -> None:
        """No turn is longer than its time and one step; between two of them the loop goes on."""
        turns, done = Turns(), []

        def work() -> Iterator[None]:
            for number in range(5):
                end = monotonic() + TURN
                while monotonic() < end:
                    pass
                done.append(number)
                yield

        task = in_turns(cast(Any, turns), work())
        seen = []
        while len(done) < 5:
            turns.turn()
            seen.append(len(done))
        self.assertEqual(seen, [1, 2, 3, 4, 5])
        turns.turn()
        self.successResultOf(task.whenDone())
        self.assertEqual(turns.calls, [])

    def test_pause(self) -> None:
        """What takes less than a turn is done in one; what nobody waits for has a pause before each."""
        # a turn that no system is too busy for
        self.patch(turns_module, "TURN", 60.0)
        clock = Clock()
        small = in_turns(clock, iter(range(3)), PAUSE).whenDone()
        clock.advance(PAUSE / 2)
        self.assertNoResult(small)
        clock.advance(PAUSE / 2)
        self.successResultOf(small)
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_stopped(self) -> None:
        """What is stopped goes no further, and leaves nothing behind."""
        clock, done = Clock(), []
        task = in_turns(clock, map(done.append, range(3)))
        ended = task.whenDone()
        task.stop()
        self.failureResultOf(ended, TaskStopped)
        clock.advance(1)
        self.assertEqual((done, clock.getDelayedCalls()), ([], []))

    def test_paused(self) -> None:
        """Work that is paused is not gone on with."""
        turns, done = Turns(), []

        def work() -> Iterator[None]:
            while True:
                end = monotonic() + TURN
                while monotonic() < end:
                    pass
                done.append(None)
                yield

        task = in_turns(cast(Any, turns), work())
        turns.turn()
        task.pause()
        turns.turn()
        self.assertEqual((len(done), turns.calls), (1, []))
        task.resume()
        turns.turn()
        self.assertEqual(len(done), 2)
        task.stop()
