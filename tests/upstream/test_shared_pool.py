"""Tests of L{edgegate.upstream.shared_pool}."""

from __future__ import annotations

from collections.abc import Hashable

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, Fault
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_pool import SharedConnection, SharedPool


class FakeStream(PooledStream):
    """A stream that carries nothing."""

    def __init__(self, connection: FakeConnection) -> None:
        self.connection = connection
        self.key = connection.key

    @property
    def worn(self) -> bool:
        return False

    def close(self) -> None:
        """Nothing is left of it."""


class FakeConnection(SharedConnection):
    """
    A connection with as much room as a test says.

    @ivar free: That.
    @ivar more: What is promised.
    """

    def __init__(self, free: int, key: Hashable = None, more: int = 0) -> None:
        self.free = free
        self.key = key
        self.more = more
        self.used = self.carried = 0
        self.closed = False

    @property
    def room(self) -> int:
        return self.free

    @property
    def promised(self) -> int:
        return self.more

    @property
    def active(self) -> int:
        return self.carried

    def open(self) -> FakeStream:
        self.free -= 1
        self.used += 1
        self.carried += 1
        return FakeStream(self)

    def close(self) -> None:
        self.closed = True


class Opening:
    """A connection that is being made."""

    cancelled = False

    def __init__(self, promised: int = 2, key: Hashable = None) -> None:
        self.promised = promised
        self.key = key

    def cancel(self) -> None:
        self.cancelled = True


class Waiter:
    """Writes down what it is told, and may break at that."""

    def __init__(self, key: Hashable = None, breaks: bool = False) -> None:
        self.key = key
        self.breaks = breaks
        self.told: list[object] = []

    def room_came(self, stream: PooledStream, reused: bool) -> None:
        self._hear("room", reused)

    def opening_failed(self, fault: Fault) -> None:
        self._hear(fault)

    def go_on(self) -> None:
        self._hear("on")

    def broke(self) -> None:
        self.told.append("broke")

    def _hear(self, *what: object) -> None:
        if self.breaks:
            raise ZeroDivisionError
        self.told += what


class SharedPoolTests(SynchronousTestCase):
    """One endpoint."""

    def setUp(self) -> None:
        self.pool = SharedPool()

    def waiters(self, *keys: Hashable) -> list[Waiter]:
        """Have some wait."""
        found = [Waiter(key) for key in keys]
        for waiter in found:
            self.pool.wait(waiter)
        return found

    def told(self, waiters: list[Waiter]) -> list[list[object]]:
        """Return what was told."""
        return [waiter.told for waiter in waiters]

    def test_take(self) -> None:
        """The fullest that has room is taken, of its key."""
        connections = [FakeConnection(3), FakeConnection(1), FakeConnection(0), FakeConnection(1, "a")]
        for connection in connections:
            self.pool.opened(None, connection)
        taken = [self.pool.take(None) for _ in range(5)]
        self.assertEqual(
            [connections.index(each.connection) if isinstance(each, FakeStream) else None for each in taken],
            [1, 0, 0, 0, None],
        )
        self.assertIsNotNone(self.pool.take("a"))
        self.assertIsNone(self.pool.take("b"))

    def test_wait(self) -> None:
        """Those who wait have the room that a connection has when it is made, and later as it comes."""
        opening, connection = Opening(5), FakeConnection(1, more=4)
        self.pool.begun(opening)
        self.assertEqual(self.pool.opening(None), 5)
        waiters = self.waiters(None, None, None)
        self.assertEqual(self.pool.opening(None), 2)
        self.pool.opened(opening, connection)
        self.assertEqual(self.told(waiters), [["room", False], [], []])
        self.assertEqual(self.pool.opening(None), 2)
        connection.free, connection.more = 4, 0
        self.pool.room_came(connection)
        self.assertEqual(self.told(waiters)[1:], [["room", True]] * 2)
        self.assertEqual(self.pool.opening(None), 0)

    def test_less_room(self) -> None:
        """Where there is less than was promised the others look elsewhere."""
        opening, connection = Opening(9), FakeConnection(1)
        self.pool.begun(opening)
        waiters = self.waiters(None, "a", None)
        other = Opening(9, "a")
        self.pool.begun(other)
        self.pool.opened(opening, connection)
        self.assertEqual(self.told(waiters), [["room", False], [], ["on"]])
        self.pool.gone(connection)
        self.pool.gone(connection)
        self.assertEqual(len(self.pool), 0)

    def test_failed(self) -> None:
        """A connection that can't be made fails those who waited for it longest: the rest has another."""
        first, second = Opening(1), Opening(2)
        self.pool.begun(first)
        waiters = self.waiters(None)
        self.pool.begun(second)
        waiters += self.waiters(None)
        self.pool.failed(first, CONNECT_REFUSED)
        self.assertEqual(self.told(waiters), [[], []])
        waiters += self.waiters(None)
        self.pool.failed(second, CONNECT_REFUSED)
        self.assertEqual(self.told(waiters), [[CONNECT_REFUSED]] * 3)

    def test_leave(self) -> None:
        """With the last who waits its connection is given up, and those of other keys are not."""
        opening, other = Opening(), Opening(2, "a")
        self.pool.begun(opening)
        self.pool.begun(other)
        first, second, third = self.waiters(None, None, "a")
        self.assertTrue(self.pool.leave(first))
        self.assertFalse(self.pool.leave(first))
        self.assertFalse(opening.cancelled)
        self.assertTrue(self.pool.leave(second))
        self.assertEqual((opening.cancelled, other.cancelled, third.told), (True, False, []))

    def test_alone(self) -> None:
        """Where HTTP/2 is not agreed on the connection is for one; the others look for their own."""
        opening = Opening()
        self.pool.begun(opening)
        waiters = self.waiters(None, None)
        self.assertIs(self.pool.alone(opening), waiters[0])
        self.assertTrue(self.pool.refused)
        self.pool.settle(None)
        self.assertEqual(self.told(waiters), [[], ["on"]])
        self.pool.opened(None, FakeConnection(1))
        self.assertFalse(self.pool.refused)

    def test_errors(self) -> None:
        """An error in one who waits is its own."""
        for fails in (
            lambda opening: self.pool.opened(opening, FakeConnection(2)),
            lambda opening: self.pool.failed(opening, CONNECT_REFUSED),
            lambda opening: (self.pool.alone(opening), self.pool.settle(None)),
        ):
            opening = Opening()
            self.pool.begun(opening)
            self.waiters(None)
            broken, other = Waiter(breaks=True), Waiter()
            self.pool.wait(broken)
            self.pool.wait(other)
            fails(opening)
            self.assertEqual((broken.told, len(other.told) > 0), (["broke"], True))
            self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_one_ends_another(self) -> None:
        """Who is told that there is nothing may end others who wait; these are told nothing, the next ones are."""

        class Ending(Waiter):
            def opening_failed(inner, fault: Fault) -> None:  # noqa: N805
                self.pool.leave(gone)

        opening, gone, other = Opening(), Waiter(), Waiter()
        self.pool.begun(opening)
        for waiter in (Ending(), gone, other):
            self.pool.wait(waiter)
        self.pool.failed(opening, CONNECT_REFUSED)
        self.assertEqual(self.told([gone, other]), [[], [CONNECT_REFUSED]])

    def test_many_wait(self) -> None:
        """However many wait, nobody looks through them for the next one."""

        class Seen(Waiter):
            looked = 0

            def __getattribute__(self, name: str) -> object:
                Seen.looked += name == "key"
                return super().__getattribute__(name)

        self.pool.begun(Opening(1000))
        for _ in range(1000):
            self.pool.wait(Seen())
        Seen.looked = 0
        self.assertEqual(self.pool.opening(None), 0)
        last = Seen()
        self.pool.wait(last)
        self.assertTrue(self.pool.leave(last))
        self.pool.room_came(FakeConnection(1))
        self.assertLess(Seen.looked, 20)

    def test_closing(self) -> None:
        """Idle ones can be closed for room, all can be drained, and what comes after the end is drained at once."""
        busy, idle, late = FakeConnection(1), FakeConnection(1), FakeConnection(1)
        busy.carried = 1
        self.pool.opened(None, busy)
        self.assertFalse(self.pool.evict())
        self.pool.opened(None, idle)
        self.assertTrue(self.pool.evict())
        self.assertEqual((busy.closed, idle.closed), (False, True))
        self.pool.close_all()
        self.assertTrue(busy.closed)
        self.pool.opened(None, late)
        self.assertTrue(late.closed)
