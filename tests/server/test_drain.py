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

    def drain(self) -> None:
        """Let them end."""
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
        self.drain = Drain(cast(DataPlane, self.plane), self.clock, 30.0)

    def begin(self) -> Deferred[None]:
        """Begin."""
        return self.drain.begin()

    def test_nothing_under_way(self) -> None:
        """It is over at once where nothing is under way."""
        self.plane.connections = 0
        self.successResultOf(self.begin())
        self.assertEqual(self.plane.told, ["drain"])

    def test_ends_by_itself(self) -> None:
        """It is over when the last connection has ended, and nothing is reset."""
        ended = self.begin()
        self.clock.advance(1)
        self.assertNoResult(ended)
        self.plane.connections = 0
        self.clock.advance(1)
        self.successResultOf(ended)
        self.assertEqual(self.plane.told, ["drain"])

    def test_time_is_over(self) -> None:
        """What is left when the time is over is reset, once."""
        ended = self.begin()
        self.clock.advance(30)
        self.assertEqual(self.plane.told, ["drain", "abort"])
        self.clock.advance(1)
        self.successResultOf(ended)
        self.assertEqual((self.plane.told, self.clock.getDelayedCalls()), (["drain", "abort"], []))

    def test_hurry(self) -> None:
        """One that is hurried resets at once."""
        ended = self.begin()
        self.assertEqual(self.plane.told, ["drain"])
        self.drain.hurry()
        self.assertEqual(self.plane.told, ["drain", "abort"])
        self.clock.advance(1)
        self.successResultOf(ended)

    def test_hurried_before(self) -> None:
        """One that is hurried before it begins resets as it begins."""
        self.drain.hurry()
        ended = self.begin()
        self.assertEqual(self.plane.told, ["drain", "abort"])
        self.clock.advance(1)
        self.successResultOf(ended)
