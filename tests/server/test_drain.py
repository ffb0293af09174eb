"""Tests of L{edgegate.server.drain}."""

from __future__ import annotations

from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.data_plane import DataPlane
from edgegate.server.drain import Drain


class FakeDataPlane:
    """
    Has connections.

    @ivar told: What it was told to do.
    """

    def __init__(self, connections: int) -> None:
        self.connections = connections
        self.told: list[str] = []

    @property
    def ended(self) -> bool:
        """Whether there are none left."""
        return not self.connections

    def withdraw(self) -> None:
        """Let them end with their next answers."""
        self.told.append("withdraw")

    def drain(self) -> None:
        """Let those end that are idle."""
        self.told.append("drain")

    def abort(self) -> None:
        """End them."""
        self.told.append("abort")
        self.connections = 0


class DrainTests(SynchronousTestCase):
    """Half a minute for two connections."""

    def setUp(self) -> None:
        """Make one that has not begun."""
        self.clock = Clock()
        self.plane = FakeDataPlane(2)
        self.drain = self.make(0.0)

    def make(self, delay: float) -> Drain:
        """Make one."""
        return Drain(cast(DataPlane, self.plane), self.clock, 30.0, delay)

    def pass_time(self, seconds: float) -> None:
        """Let time pass, as it does."""
        self.clock.pump([0.1] * round(10 * seconds))

    def begin(self) -> Deferred[None]:
        """Begin."""
        return self.drain.begin()

    def test_nothing_under_way(self) -> None:
        """It is over at once where nothing is under way."""
        self.plane.connections = 0
        self.successResultOf(self.begin())
        self.assertEqual(self.plane.told, ["withdraw"])

    def test_last_answers(self) -> None:
        """Connections may end with their next answer before those end that are idle, and nothing is reset."""
        ended = self.begin()
        self.pass_time(0.9)
        self.assertEqual(self.plane.told, ["withdraw"])
        self.pass_time(0.3)
        self.assertEqual(self.plane.told, ["withdraw", "drain"])
        self.assertNoResult(ended)
        self.plane.connections = 0
        self.pass_time(0.1)
        self.successResultOf(ended)
        self.assertEqual(self.plane.told, ["withdraw", "drain"])

    def test_time_is_over(self) -> None:
        """What is left when the time is over is reset, once."""
        ended = self.begin()
        self.pass_time(31)
        self.assertEqual(self.plane.told, ["withdraw", "drain", "abort"])
        self.successResultOf(ended)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_delay(self) -> None:
        """Everything is served as ever until the delay is over; the time for requests begins then."""
        self.drain = self.make(5.0)
        ended = self.begin()
        self.plane.connections = 0
        self.pass_time(4.9)
        self.assertEqual(self.plane.told, [])
        self.assertNoResult(ended)
        self.plane.connections = 1
        self.pass_time(30)
        self.assertEqual(self.plane.told, ["withdraw", "drain"])
        self.pass_time(0.3)
        self.successResultOf(ended)
        self.assertEqual(self.plane.told, ["withdraw", "drain", "abort"])

    def test_hurry(self) -> None:
        """One that is hurried resets at once."""
        ended = self.begin()
        self.assertEqual(self.plane.told, ["withdraw"])
        self.drain.hurry()
        self.assertEqual(self.plane.told, ["withdraw", "abort"])
        self.pass_time(0.1)
        self.successResultOf(ended)

    def test_hurried_before(self) -> None:
        """One that is hurried before it begins, or before the ports are closed, resets as it begins."""
        self.drain.hurry()
        ended = self.begin()
        self.assertEqual(self.plane.told, ["withdraw", "abort"])
        self.pass_time(0.1)
        self.successResultOf(ended)
        self.plane = FakeDataPlane(2)
        self.drain = self.make(5.0)
        ended = self.begin()
        self.drain.hurry()
        self.assertEqual(self.plane.told, ["withdraw", "abort"])
        self.pass_time(0.1)
        self.successResultOf(ended)
