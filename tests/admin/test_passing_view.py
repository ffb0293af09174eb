"""Tests of L{edgegate.admin.passing_view}; those of its pages are in test_log_page and test_tap_page."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.admin.passing_view import PassingView
from edgegate.observe.tap import TapFilter, Tapped
from tests.admin.served import PretendedGateway


class FakeRequest:
    """A request whose reader is the test."""

    def __init__(self) -> None:
        self.producer: object = None
        self.finished: Deferred[None] = Deferred()

    def notifyFinish(self) -> Deferred[None]:
        """Return what fails when the reader is gone."""
        return self.finished

    def write(self, data: bytes) -> None:
        """Nobody reads it."""

    def registerProducer(self, producer: object, streaming: bool) -> None:
        """It can be told to pause."""
        self.producer = producer


class Recording(PassingView):
    """Remembers what passes."""

    def __init__(self, request: FakeRequest) -> None:
        self.passed: list[tuple[object, int, bool]] = []
        self.overs: list[PassingView] = []
        super().__init__(request, self.overs.append)  # type: ignore[arg-type]

    def _passes(self, tapped: Tapped, lost: int) -> None:
        self.passed.append((tapped["target"], lost, self._paused))


class PassingViewTests(SynchronousTestCase):
    """One reader."""

    def test_reader(self) -> None:
        """It is told what passes, what was lost before, and nothing more once it is gone, which is told once."""
        request, gateway = FakeRequest(), PretendedGateway()
        view = Recording(request)
        verifyObject(IPushProducer, view)
        view.show(gateway, TapFilter())
        self.assertIs(request.producer, view)
        ((_, show),) = gateway.taps
        show({"target": "/1"})
        view.pauseProducing()
        show({"target": "/2", "lost_before": 7})
        view.resumeProducing()
        show({"target": "/3"})
        view.stopProducing()
        request.finished.errback(ConnectionDone())
        show({"target": "/late"})
        self.assertEqual(view.passed, [("/1", 0, False), ("/2", 7, True), ("/3", 0, False)])
        self.assertEqual((gateway.taps, view.overs), ([], [view]))
