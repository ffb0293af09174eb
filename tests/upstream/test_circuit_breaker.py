"""Tests of L{edgegate.upstream.circuit_breaker}."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Keepalive, PoolLimits
from edgegate.upstream.circuit_breaker import CircuitBreaker, limited


class FakeWaiter:
    """Writes down what it gets."""

    def __init__(self, takes: bool = True) -> None:
        self.takes = takes
        self.got: list[Any] = []

    def offered(self, connection: Any) -> bool:
        if self.takes:
            self.got.append(connection)
        return self.takes

    def may_connect(self) -> None:
        self.got.append("room")

    def broke(self) -> None:
        self.got.append("broke")


class FailingWaiter(FakeWaiter):
    """Fails whatever it is told."""

    def offered(self, connection: Any) -> bool:
        raise ZeroDivisionError

    def may_connect(self) -> None:
        raise ZeroDivisionError


class AdmissionTests(SynchronousTestCase):
    """What a cluster may be asked for."""

    def test_limited(self) -> None:
        """Only clusters with limits on numbers need to count."""
        self.assertFalse(limited(PoolLimits(http_idle=3.0, keepalive=Keepalive(), requests_per_connection=1)))
        for limits in (PoolLimits(connections=1), PoolLimits(pending=1), PoolLimits(requests=1)):
            self.assertTrue(limited(limits))

    def test_requests(self) -> None:
        """So many requests may be under way."""
        circuit_breaker = CircuitBreaker(PoolLimits(requests=2))
        self.assertEqual([circuit_breaker.enter() for _ in range(3)], [True, True, False])
        circuit_breaker.leave()
        self.assertTrue(circuit_breaker.enter())

    def test_pending(self) -> None:
        """So many requests may be without a connection."""
        circuit_breaker = CircuitBreaker(PoolLimits(pending=1))
        self.assertEqual([circuit_breaker.need() for _ in range(2)], [True, False])
        circuit_breaker.end_need()
        self.assertTrue(circuit_breaker.need())

    def test_in_turn(self) -> None:
        """Who waits first connects first; who gave up is passed over."""
        circuit_breaker = CircuitBreaker(PoolLimits(connections=1))
        one, two, three = FakeWaiter(), FakeWaiter(), FakeWaiter()
        self.assertTrue(circuit_breaker.connect())
        for waiter in (one, two, three):
            self.assertFalse(circuit_breaker.connect())
            circuit_breaker.wait(waiter)
        circuit_breaker.give_up(two)
        circuit_breaker.give_up(two)
        circuit_breaker.closed()
        self.assertEqual((one.got, two.got, three.got), (["room"], [], []))
        self.assertEqual((circuit_breaker.connections, circuit_breaker.waiting), (1, 1))
        circuit_breaker.closed()
        self.assertEqual((two.got, three.got), ([], ["room"]))

    def test_error_of_one_that_waits(self) -> None:
        """One that fails ends by itself: who made room does not notice, and the next one has it."""
        circuit_breaker = CircuitBreaker(PoolLimits(connections=1))
        for waiter in (failing := FailingWaiter(), easy := FakeWaiter()):
            circuit_breaker.wait(waiter)
        self.assertTrue(circuit_breaker.connect())
        circuit_breaker.closed()
        self.assertEqual((failing.got, easy.got), (["broke"], ["room"]))
        self.assertEqual((circuit_breaker.connections, circuit_breaker.waiting), (1, 0))
        circuit_breaker.wait(failing)
        circuit_breaker.wait(easy)
        self.assertFalse(circuit_breaker.offer("a"))  # nobody knows what state it is in
        self.assertEqual((failing.got, easy.got, circuit_breaker.waiting), (["broke"] * 2, ["room"], 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_offered(self) -> None:
        """A free connection goes to the first who can use it."""
        circuit_breaker = CircuitBreaker(PoolLimits(connections=1))
        choosy, easy = FakeWaiter(takes=False), FakeWaiter()
        circuit_breaker.wait(choosy)
        self.assertFalse(circuit_breaker.offer("a"))
        circuit_breaker.wait(easy)
        self.assertTrue(circuit_breaker.offer("b"))
        self.assertEqual((choosy.got, easy.got, circuit_breaker.waiting), ([], ["b"], 1))

    def test_new_limits(self) -> None:
        """A lower limit lets what is there go on, and nothing new in before enough has ended."""
        circuit_breaker = CircuitBreaker(PoolLimits(connections=3))
        for _ in range(3):
            circuit_breaker.connect()
        circuit_breaker.replace(PoolLimits(connections=1))
        waiter = FakeWaiter()
        circuit_breaker.wait(waiter)
        circuit_breaker.closed()
        circuit_breaker.closed()
        self.assertEqual(waiter.got, [])
        circuit_breaker.closed()
        self.assertEqual(waiter.got, ["room"])

    def test_higher_limits(self) -> None:
        """A higher limit lets those in who wait, in their order, as far as there is room now."""
        circuit_breaker = CircuitBreaker(PoolLimits(connections=1))
        circuit_breaker.connect()
        waiters = [FakeWaiter() for _ in range(4)]
        for waiter in waiters:
            circuit_breaker.wait(waiter)
        circuit_breaker.replace(PoolLimits(connections=3))
        self.assertEqual([waiter.got for waiter in waiters], [["room"], ["room"], [], []])
        circuit_breaker.replace(PoolLimits())
        self.assertEqual((circuit_breaker.waiting, circuit_breaker.connections), (0, 5))

    @given(st.lists(st.sampled_from(["come", "end", "leave"]), max_size=60), st.integers(1, 3))
    def test_never_more(self, events: list[str], most: int) -> None:
        """Whatever comes, there are never more connections than the limit, and nobody waits while there is room."""
        circuit_breaker = CircuitBreaker(PoolLimits(connections=most))
        waiting: list[FakeWaiter] = []
        for event in events:
            if event == "come" and not circuit_breaker.connect():
                waiting.append(FakeWaiter())
                circuit_breaker.wait(waiting[-1])
            elif event == "end" and circuit_breaker.connections:
                circuit_breaker.closed()
            elif event == "leave" and waiting:
                circuit_breaker.give_up(waiting.pop())
            waiting = [each for each in waiting if not each.got]
            self.assertLessEqual(circuit_breaker.connections, most)
            self.assertEqual(circuit_breaker.waiting, len(waiting))
            self.assertTrue(not waiting or circuit_breaker.connections == most)
