"""Tests of L{edgegate.upstream.circuit_breaker}."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.routing.clusters import Keepalive, PoolLimits
from edgegate.upstream.circuit_breaker import Admission, limited


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
        admission = Admission(PoolLimits(requests=2))
        self.assertEqual([admission.enter() for _ in range(3)], [True, True, False])
        admission.leave()
        self.assertTrue(admission.enter())

    def test_pending(self) -> None:
        """So many requests may be without a connection."""
        admission = Admission(PoolLimits(pending=1))
        self.assertEqual([admission.need() for _ in range(2)], [True, False])
        admission.end_need()
        self.assertTrue(admission.need())

    def test_in_turn(self) -> None:
        """Who waits first connects first; who gave up is passed over."""
        admission = Admission(PoolLimits(connections=1))
        one, two, three = FakeWaiter(), FakeWaiter(), FakeWaiter()
        self.assertTrue(admission.connect())
        for waiter in (one, two, three):
            self.assertFalse(admission.connect())
            admission.wait(waiter)
        admission.give_up(two)
        admission.give_up(two)
        admission.closed()
        self.assertEqual((one.got, two.got, three.got), (["room"], [], []))
        self.assertEqual((admission.connections, admission.waiting), (1, 1))
        admission.closed()
        self.assertEqual((two.got, three.got), ([], ["room"]))

    def test_error_of_one_that_waits(self) -> None:
        """One that fails ends by itself: who made room does not notice, and the next one has it."""
        admission = Admission(PoolLimits(connections=1))
        for waiter in (failing := FailingWaiter(), easy := FakeWaiter()):
            admission.wait(waiter)
        self.assertTrue(admission.connect())
        admission.closed()
        self.assertEqual((failing.got, easy.got), (["broke"], ["room"]))
        self.assertEqual((admission.connections, admission.waiting), (1, 0))
        admission.wait(failing)
        admission.wait(easy)
        self.assertFalse(admission.offer("a"))  # nobody knows what state it is in
        self.assertEqual((failing.got, easy.got, admission.waiting), (["broke"] * 2, ["room"], 1))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)

    def test_offered(self) -> None:
        """A free connection goes to the first who can use it."""
        admission = Admission(PoolLimits(connections=1))
        choosy, easy = FakeWaiter(takes=False), FakeWaiter()
        admission.wait(choosy)
        self.assertFalse(admission.offer("a"))
        admission.wait(easy)
        self.assertTrue(admission.offer("b"))
        self.assertEqual((choosy.got, easy.got, admission.waiting), ([], ["b"], 1))

    def test_new_limits(self) -> None:
        """A lower limit lets what is there go on, and nothing new in before enough has ended."""
        admission = Admission(PoolLimits(connections=3))
        for _ in range(3):
            admission.connect()
        admission.replace(PoolLimits(connections=1))
        waiter = FakeWaiter()
        admission.wait(waiter)
        admission.closed()
        admission.closed()
        self.assertEqual(waiter.got, [])
        admission.closed()
        self.assertEqual(waiter.got, ["room"])

    def test_higher_limits(self) -> None:
        """A higher limit lets those in who wait, in their order, as far as there is room now."""
        admission = Admission(PoolLimits(connections=1))
        admission.connect()
        waiters = [FakeWaiter() for _ in range(4)]
        for waiter in waiters:
            admission.wait(waiter)
        admission.replace(PoolLimits(connections=3))
        self.assertEqual([waiter.got for waiter in waiters], [["room"], ["room"], [], []])
        admission.replace(PoolLimits())
        self.assertEqual((admission.waiting, admission.connections), (0, 5))

    @given(st.lists(st.sampled_from(["come", "end", "leave"]), max_size=60), st.integers(1, 3))
    def test_never_more(self, events: list[str], most: int) -> None:
        """Whatever comes, there are never more connections than the limit, and nobody waits while there is room."""
        admission = Admission(PoolLimits(connections=most))
        waiting: list[FakeWaiter] = []
        for event in events:
            if event == "come" and not admission.connect():
                waiting.append(FakeWaiter())
                admission.wait(waiting[-1])
            elif event == "end" and admission.connections:
                admission.closed()
            elif event == "leave" and waiting:
                admission.give_up(waiting.pop())
            waiting = [each for each in waiting if not each.got]
            self.assertLessEqual(admission.connections, most)
            self.assertEqual(admission.waiting, len(waiting))
            self.assertTrue(not waiting or admission.connections == most)
