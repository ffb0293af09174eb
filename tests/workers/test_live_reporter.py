"""Tests of L{edgegate.workers.live_reporter}."""

from __future__ import annotations

from typing import cast

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.parts import MapPart, NowPart
from edgegate.admin.live.reader import INTERVAL
from edgegate.server.data_plane import DataPlane
from edgegate.workers.live_reporter import LiveReporter
from edgegate.workers.messages import BeginLive, EndLive, LivePart
from tests.workers.test_worker_taps import FakePeer


class LiveReporterTests(SynchronousTestCase):
    """A worker that is told."""

    def setUp(self) -> None:
        """Have one that serves nothing."""
        self.clock = Clock()
        self.plane = DataPlane(cast(IReactorFDSet, reactor))
        self.addCleanup(self.plane.stop)
        self.peer = FakePeer()
        self.live = LiveReporter(self.clock, self.plane, self.peer, 3)  # type: ignore[arg-type]

    def pass_second(self) -> list[MapPart | NowPart]:
        """Return what is told in the next second."""
        self.peer.told.clear()
        self.clock.advance(INTERVAL)
        self.clock.advance(0)
        self.assertTrue(all(isinstance(each, LivePart) and each.number == 7 for each in self.peer.told))
        return [each.part for each in self.peer.told if isinstance(each, LivePart)]

    def test_told(self) -> None:
        """It tells each second until nobody looks; told twice, it begins anew."""
        self.live.begin(BeginLive(7, False))
        last = self.pass_second()[-1]
        assert isinstance(last, NowPart)
        assert last.process is not None
        self.assertEqual(last.process.number, 3)
        self.live.begin(BeginLive(7, True))
        self.clock.advance(0)
        self.assertEqual(
            len([each for each in self.peer.told if isinstance(each, LivePart) and isinstance(each.part, MapPart)]), 1
        )
        self.live.end(EndLive(7))
        self.live.end(EndLive(7))
        self.assertEqual((self.pass_second(), self.clock.getDelayedCalls()), ([], []))

    def test_stop(self) -> None:
        """It leaves no timer."""
        self.live.begin(BeginLive(7, True))
        self.live.stop()
        self.clock.advance(0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_full(self) -> None:
        """What a supervisor that does not read was not told is told again."""
        self.peer.full = True
        self.live.begin(BeginLive(7, True))
        self.assertEqual(self.pass_second(), [])
        self.peer.full = False
        self.assertIsInstance(self.pass_second()[0], MapPart)
        self.assertNotIsInstance(self.pass_second()[0], MapPart)
        self.live.stop()
