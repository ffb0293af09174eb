# Hot path: deadlines are set and lifted several times per request.
"""
One coarse timer for all deadlines of a worker.

A gateway sets thousands of deadlines a second and almost none of them passes.
Here setting one is mostly an attribute: a deadline that will be looked at early
enough stays where it is, and is put back when its turn shows that it has moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

log = Logger(namespace=__name__)

_NEVER: Final = float("inf")

_HORIZON: Final = 16.0
"""
Seconds ahead that anything is put: a deadline that was lifted stays where it is until its turn, and what it belongs to
stays in memory as long, unless it is told of the end.
"""


def _nothing() -> None:
    pass


class TimerWheel:
    """
    Slots of C{tick} seconds, visited one after the other while anything is in them.

    @ivar now: The clock's seconds, at most a tick old while any deadline is set; cheap to read.
    @ivar running: Whether anything is in the wheel.
    @ivar clock: What it turns by.
    """

    __slots__ = ("_call", "_next", "_slots", "clock", "now", "running", "tick")

    def __init__(self, clock: IReactorTime, tick: float = 0.5) -> None:
        self.clock = clock
        self._slots: dict[int, list[Deadline]] = {}
        self._call: IDelayedCall | None = None
        self._next = 0  # no slot before this one holds anything
        self.tick = tick
        self.now = clock.seconds()
        self.running = False

    def wake(self) -> None:
        """Begin to turn; C{now} is the time again."""
        self.now = self.clock.seconds()
        self.running = True
        self._next = int(self.now / self.tick)
        self._call = self.clock.callLater(self.tick, self._turn)

    def look(self) -> None:
        """
        Look at the clock: C{now} is the time, however long ago the wheel last turned.

        In a worker that is busy that can be many ticks, and a deadline that is
        set without this passes so much earlier.
        """
        self.now = self.clock.seconds()

    def stop(self) -> None:
        """Forget every deadline: what they belong to has ended."""
        self._slots.clear()
        self.running = False
        call, self._call = self._call, None
        if call is not None:
            call.cancel()

    def put(self, deadline: Deadline, at: float) -> float:
        """Put a deadline where it is looked at no earlier than a time; return when that will be."""
        number = int(at / self.tick) + 1
        slot = self._slots.get(number)
        if slot is None:
            self._slots[number] = [deadline]
        else:
            slot.append(deadline)
        return number * self.tick

    def _turn(self) -> None:
        """Look at what is due, and go on turning while anything is left."""
        self._call = None
        self.now = now = self.clock.seconds()
        present = int(now / self.tick)
        # a clock that was set back leaves what is due by its old time for that time
        first, self._next = min(self._next, present), present + 1
        passed: Iterable[int] = range(first, present + 1)
        if present - first > len(self._slots):
            # the clock was set ahead, or the machine slept: there may be years of empty slots
            passed = sorted(number for number in self._slots if number <= present)
        for number in passed:
            for deadline in self._slots.pop(number, ()):
                try:
                    deadline.visit(number * self.tick)
                except BaseException:
                    # each belongs to a connection of its own, which must not take the others with it
                    log.failure("what followed on a deadline failed")
        if self._slots:
            self._call = self.clock.callLater(self.tick, self._turn)
        else:
            self.running = False


class Deadline:
    """
    A time by which something must have happened; one per connection, set anew for each of its phases.

    It never passes early, as far as the wheel's C{now} is the time, and at most three ticks late.
    """

    __slots__ = ("_due", "_expired", "_visit", "_wheel", "active")

    def __init__(self, wheel: TimerWheel, expired: Callable[[], None]) -> None:
        """
        @param expired: Called once each time that the deadline passes; may set it anew.
        """
        self._wheel = wheel
        self._expired = expired
        self._due = 0.0
        self._visit = _NEVER
        self.active = False

    def start(self, seconds: float) -> None:
        """Set it to so many seconds from now, whatever it was."""
        wheel = self._wheel
        if not wheel.running:
            wheel.wake()
        # now may be a tick old
        self._due = due = wheel.now + seconds + wheel.tick
        self.active = True
        if self._visit > due:
            self._visit = wheel.put(self, min(due, wheel.now + _HORIZON))

    @property
    def left(self) -> float:
        """Seconds until it passes, as far as the wheel's C{now} is the time."""
        return max(0.0, self._due - self._wheel.now - self._wheel.tick)

    def stop(self) -> None:
        """Lift it."""
        self.active = False

    def end(self) -> None:
        """Lift it for good. It may stay in the wheel for a while, but what it belonged to need not."""
        self.active = False
        self._expired = _nothing

    def visit(self, at: float) -> None:
        """The wheel has come to where this was put."""
        if at != self._visit:
            # it was put into an earlier slot meanwhile, and this entry is the old one
            return
        self._visit = _NEVER
        if not self.active:
            return
        wheel = self._wheel
        if self._due > wheel.now:
            self._visit = wheel.put(self, min(self._due, wheel.now + _HORIZON))
        else:
            self.active = False
            self._expired()
