"""Tests of L{edgegate.workers.tap_reporter}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.log_tap import LINE, LogFilter
from edgegate.observe.tap import Tap, TapFilter
from edgegate.workers.messages import BeginTap, EndTap, TappedRequest
from edgegate.workers.tap_reporter import TapReporter
from tests.observe.test_log_lines import AnyRequest
from tests.observe.test_log_tap import lines
from tests.workers.test_worker_taps import WANTED, FakePeer


class FakePlane:
    """Has taps."""

    def __init__(self) -> None:
        self.taps: list[Tap] = []

    def add_tap(self, tap: Tap) -> None:
        """Add one."""
        self.taps.append(tap)

    def remove_tap(self, tap: Tap) -> None:
        """Remove one."""
        self.taps.remove(tap)


class TapReporterTests(SynchronousTestCase):
    """A worker that is told."""

    def test_told(self) -> None:
        """It shows what it is asked for; what a supervisor that does not read misses is counted."""
        plane, peer = FakePlane(), FakePeer()
        taps = TapReporter(plane, peer, lines)  # type: ignore[arg-type]
        taps.begin(BeginTap(7, WANTED))
        (tap,) = plane.taps
        tap.request_ended(AnyRequest())
        peer.full = True
        tap.request_ended(AnyRequest())
        tap.request_ended(AnyRequest())
        peer.full = False
        tap.request_ended(AnyRequest())
        seen = [each for each in peer.told if isinstance(each, TappedRequest)]
        self.assertEqual([(each.number, each.lost) for each in seen], [(7, 0), (7, 2)])
        self.assertEqual(seen[0].tapped["authority"], "shop.example")
        taps.end(EndTap(7))
        taps.end(EndTap(7))
        self.assertEqual(plane.taps, [])

    def test_first_lost(self) -> None:
        """One that loses as many as it was asked for shows as many as that afterwards."""
        plane, peer = FakePlane(), FakePeer()
        TapReporter(plane, peer, lines).begin(BeginTap(7, TapFilter(requests=1)))  # type: ignore[arg-type]
        (tap,) = plane.taps
        peer.full = True
        tap.request_ended(AnyRequest())
        peer.full = False
        for _ in range(2):
            tap.request_ended(AnyRequest())
        self.assertEqual([each.lost for each in peer.told if isinstance(each, TappedRequest)], [1])

    def test_log(self) -> None:
        """It shows lines of the access log to who follows that."""
        plane, peer = FakePlane(), FakePeer()
        TapReporter(plane, peer, lines).begin(BeginTap(7, LogFilter()))  # type: ignore[arg-type]
        (tap,) = plane.taps
        tap.request_ended(AnyRequest())
        (seen,) = [each for each in peer.told if isinstance(each, TappedRequest)]
        self.assertIn('"GET /a?b=c HTTP/1.1" 200', str(seen.tapped[LINE]))
