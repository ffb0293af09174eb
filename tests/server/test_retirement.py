"""Tests of L{edgegate.server.retirement}."""

from __future__ import annotations

from collections.abc import Collection
from typing import cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress
from edgegate.server.data_plane import DataPlane
from edgegate.server.retirement import LONGEST_IDLE, Retirement

GONE = TCPAddress("::", 80)


class FakeDataPlane:
    """Has connections, and remembers what it was told."""

    def __init__(self) -> None:
        self.connections = 2
        self.told: list[object] = []

    @property
    def ended(self) -> bool:
        """Whether there are none left."""
        return not self.connections

    def retire(self, gone: Collection[Address]) -> None:
        """Leave the ports."""
        self.told.append(gone)

    def drain(self) -> None:
        """Close idle ones."""
        self.told.append("drain")

    def abort(self) -> None:
        """Reset all."""
        self.told.append("abort")
        self.connections = 0


class RetirementTests(SynchronousTestCase):
    """Two connections."""

    def begin(self, seconds: float | None) -> None:
        """Begin."""
        self.clock, self.plane = Clock(), FakeDataPlane()
        self.retirement = Retirement(cast(DataPlane, self.plane), self.clock, seconds)
        self.ended = self.retirement.begin([GONE])

    def test_ends(self) -> None:
        """It is over with the last connection, and leaves nothing behind."""
        self.begin(600.0)
        self.clock.pump([0.5] * 10)
        self.assertNoResult(self.ended)
        self.plane.connections = 0
        self.clock.advance(0.5)
        self.successResultOf(self.ended)
        self.assertEqual((self.plane.told, self.clock.getDelayedCalls()), ([[GONE]], []))

    def test_limits(self) -> None:
        """Idle ones go after a while, and all at last."""
        self.begin(600.0)
        self.clock.pump([1.0] * int(LONGEST_IDLE))
        self.assertEqual(self.plane.told[1:], ["drain"])
        self.clock.pump([1.0] * 539)
        self.assertNoResult(self.ended)
        self.clock.pump([1.0] * 2)
        self.assertEqual(self.plane.told[1:], ["drain", "abort"])
        self.successResultOf(self.ended)

    def test_no_limit(self) -> None:
        """Without one somebody else looks after that, who may stop it."""
        self.begin(None)
        self.clock.pump([100.0] * 100)
        self.assertEqual(self.plane.told[1:], ["drain"])
        self.retirement.stop()
        self.retirement.stop()
        self.successResultOf(self.ended)
        self.assertEqual(self.clock.getDelayedCalls(), [])
