from __future__ import annotations

from collections.abc import Hashable

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.wheel import TimerWheel
from edgegate.upstream.pool import MAX_IDLE, Pool, expired

KEYS = st.sampled_from([None, "a", "b"])


class FakeConnection:
    """A connection that counts how often it was closed, and tells its pool as a real one does."""

    def __init__(self, pool: Pool | None = None, key: Hashable = None) -> None:
        self.pool = pool
        self.key = key
        self.closed = 0

    def close(self) -> None:
        self.closed += 1
        if self.pool is not None:
            self.pool.discard(self)


class ExpiredTests(SynchronousTestCase):
    def test_oldest_first(self) -> None:
        """Those idle since the limit or longer are found, and no younger ones."""
        one, two, three = FakeConnection(), FakeConnection(), FakeConnection()
        idle = {one: 1.0, two: 2.0, three: 3.0}
        self.assertEqual(expired(idle, 0.5), [])
        self.assertEqual(expired(idle, 2.0), [one, two])
        self.assertEqual(expired(idle, 9.0), [one, two, three])


class PoolTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.wheel = TimerWheel(self.clock, 0.5)

    def pool(self, limit: int = 256, lifetime: float = 60.0) -> Pool:
        return Pool(self.wheel, limit, lifetime)

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.25] * int(seconds * 4))

    def test_empty(self) -> None:
        """An empty pool has nothing to take, is a pool all the same, and keeps no timer."""
        pool = self.pool()
        self.assertIsNone(pool.take())
        self.assertTrue(pool)
        self.assertEqual(len(pool), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_last_in_first_out(self) -> None:
        """The connection used last is taken first, so that the others may grow old."""
        pool = self.pool()
        one, two = FakeConnection(), FakeConnection()
        pool.give(one)
        pool.give(two)
        self.assertEqual([pool.take(), pool.take(), pool.take()], [two, one, None])

    def test_full(self) -> None:
        """Beyond the limit the connection idle longest makes room."""
        pool = self.pool(limit=2)
        connections = [FakeConnection(pool) for _ in range(4)]
        for connection in connections:
            pool.give(connection)
        self.assertEqual([connection.closed for connection in connections], [1, 1, 0, 0])
        self.assertEqual(len(pool), 2)

    def test_discard(self) -> None:
        """A connection that died while idle is not taken any more; one that is not there may be discarded too."""
        pool = self.pool()
        one, two = FakeConnection(), FakeConnection()
        pool.give(one)
        pool.give(two)
        pool.discard(two)
        pool.discard(two)
        self.assertEqual([pool.take(), pool.take()], [one, None])
        self.assertEqual(two.closed, 0)

    def test_grows_old(self) -> None:
        """A connection that nobody needs for its lifetime is closed, a younger one is kept until its own time."""
        pool = self.pool(lifetime=60.0)
        one, two = FakeConnection(pool), FakeConnection(pool)
        pool.give(one)
        self.advance(30)
        pool.give(two)
        self.advance(29)
        self.assertEqual((one.closed, two.closed), (0, 0))
        self.advance(3)
        self.assertEqual((one.closed, two.closed), (1, 0))
        self.advance(30)
        self.assertEqual((one.closed, two.closed), (1, 1))
        self.advance(61)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_follows_need(self) -> None:
        """As many are kept as were needed at one time lately, and no more once the peak is a lifetime ago."""
        pool = self.pool(limit=MAX_IDLE, lifetime=60.0)
        made: list[FakeConnection] = []

        def under_way(count: int) -> None:
            used = []
            for _ in range(count):
                found = pool.take()
                if found is None:
                    found = FakeConnection(pool)
                    made.append(found)
                used.append(found)
            for each in used:
                pool.give(each)

        for _ in range(3):
            under_way(400)
        self.assertEqual((len(made), len(pool)), (400, 400))
        for _ in range(13):
            under_way(10)
            self.advance(5)
        self.assertEqual((len(made), len(pool)), (400, 10))
        self.assertEqual(sum(each.closed for each in made), 390)
        under_way(400)
        self.assertEqual(len(made), 790)

    def test_peak_is_bounded(self) -> None:
        """A peak beyond the bound leaves so many and no more."""
        pool = self.pool(limit=MAX_IDLE)
        for _ in range(MAX_IDLE + 5):
            pool.give(FakeConnection(pool))
        self.assertEqual(len(pool), MAX_IDLE)

    def test_use_keeps_young(self) -> None:
        """A connection that is used now and then is not closed."""
        pool = self.pool(lifetime=60.0)
        connection = FakeConnection(pool)
        for _ in range(10):
            pool.give(connection)
            self.advance(50)
            self.assertIs(pool.take(), connection)
        self.assertEqual(connection.closed, 0)

    def test_given_to_a_resting_wheel(self) -> None:
        """The time of idleness counts from the giving, also where nothing else keeps the wheel turning."""
        pool = self.pool(lifetime=60.0)
        self.clock.advance(1000)
        connection = FakeConnection(pool)
        pool.give(connection)
        self.advance(59)
        self.assertEqual(connection.closed, 0)
        self.advance(3)
        self.assertEqual(connection.closed, 1)

    def test_close_all(self) -> None:
        """When the endpoint goes, idle connections are closed at once, used ones when they are given back."""
        pool = self.pool()
        idle, used = FakeConnection(pool), FakeConnection(pool)
        pool.give(used)
        pool.give(idle)
        self.assertIs(pool.take(), idle)
        self.assertIs(pool.take(), used)
        pool.give(idle)
        pool.close_all()
        pool.close_all()
        self.assertEqual((idle.closed, used.closed), (1, 0))
        pool.give(used)
        self.assertEqual((idle.closed, used.closed), (1, 1))
        self.assertIsNone(pool.take())
        self.advance(62)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_keys(self) -> None:
        """A connection with a key is for its key alone, one without for none."""
        pool = self.pool()
        plain, one, two = (FakeConnection(pool, key) for key in (None, "a", "a"))
        for connection in (plain, one, two):
            pool.give(connection)
        self.assertIsNone(pool.take("b"))
        self.assertEqual([pool.take("a"), pool.take("a"), pool.take("a")], [two, one, None])
        pool.give(two)
        self.assertEqual([pool.take(), pool.take(), len(pool)], [plain, None, 1])

    def test_close_idle(self) -> None:
        """What is idle can be closed though the endpoint stays."""
        pool = self.pool()
        one, two = FakeConnection(pool, "a"), FakeConnection(pool)
        pool.give(one)
        pool.close_idle()
        pool.give(two)
        self.assertEqual((one.closed, two.closed, pool.take("a"), pool.take()), (1, 0, None, two))

    def test_repr(self) -> None:
        """Its state can be read in a log or a test's failure."""
        pool = self.pool()
        pool.give(FakeConnection())
        self.assertEqual(repr(pool), "<Pool of 1 idle>")
        pool.close_all()
        self.assertEqual(repr(pool), "<Pool of 0 idle (closed)>")


class PoolMachine(RuleBasedStateMachine):
    """Whatever is done to a pool, in any order: it behaves as a stack for each key, with one limit and one lifetime."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.pool: Pool = Pool(TimerWheel(self.clock, 0.5), 4, 10.0)
        self.model: list[tuple[FakeConnection, float]] = []
        self.all: list[FakeConnection] = []

    @rule(key=KEYS)
    def give(self, key: str | None) -> None:
        connection = FakeConnection(self.pool, key)
        self.all.append(connection)
        self.pool.give(connection)
        self.model.append((connection, self.clock.seconds()))
        del self.model[:-4]

    @rule(key=KEYS)
    def take(self, key: str | None) -> None:
        fitting = [entry for entry in self.model if entry[0].key == key]
        assert self.pool.take(key) is (fitting[-1][0] if fitting else None)
        if fitting:
            self.model.remove(fitting[-1])

    @rule(index=st.integers(0, 3))
    def die(self, index: int) -> None:
        if index < len(self.model):
            self.pool.discard(self.model.pop(index)[0])

    @rule(ticks=st.integers(1, 30))
    def wait(self, ticks: int) -> None:
        self.clock.pump([0.5] * ticks)
        closed = {connection for connection in self.all if connection.closed}
        now = self.clock.seconds()
        for connection, since in self.model:
            if connection in closed:
                assert now - since >= 10.0
            else:
                assert now - since <= 12.0
        self.model = [entry for entry in self.model if entry[0] not in closed]

    @invariant()
    def holds_the_model(self) -> None:
        assert len(self.pool) == len(self.model)
        assert all(connection.closed <= 1 for connection in self.all)


class PoolMachineTests(SynchronousTestCase):
    def test_any_order(self) -> None:
        """In whatever order connections come, go, die and grow old, the pool holds exactly those that it should."""
        run_state_machine_as_test(PoolMachine, settings=settings(max_examples=60, deadline=None))
