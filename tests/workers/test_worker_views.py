"""Tests of L{edgegate.workers.worker_views}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.workers.generation import Worker
from edgegate.workers.messages import Show, ViewRows
from edgegate.workers.worker_views import NotShown, WorkerViews


class FakePeer:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.asked: list[Show] = []

    def send(self, value: Show) -> None:
        """Take it."""
        self.asked.append(value)


class WorkerViewsTests(SynchronousTestCase):
    """Two workers that are asked."""

    def setUp(self) -> None:
        """Have two."""
        self.views = WorkerViews()
        self.peers = [FakePeer(), FakePeer()]
        self.workers = [Worker(slot, slot, peer) for slot, peer in enumerate(self.peers)]  # type: ignore[arg-type]

    def test_of_one(self) -> None:
        """What is the same for all one is asked."""
        shown = self.views.rows("routes", self.workers)
        self.assertEqual((self.peers[0].asked, self.peers[1].asked), ([Show(1, "routes")], []))
        self.views.shown(ViewRows(1, [{"name": "a"}]))
        self.assertEqual(self.successResultOf(shown), [{"name": "a"}])

    def test_of_each(self) -> None:
        """Each is asked for what differs; the rows tell whose they are, in the workers' order."""
        shown = self.views.rows("endpoints", self.workers)
        self.views.shown(ViewRows(2, [{"endpoint": "b"}]))
        self.assertNoResult(shown)
        self.views.shown(ViewRows(1, [{"endpoint": "a"}]))
        self.views.shown(ViewRows(1, []))
        expected = [{"worker": 0, "endpoint": "a"}, {"worker": 1, "endpoint": "b"}]
        self.assertEqual(self.successResultOf(shown), expected)

    def test_requests(self) -> None:
        """Each is asked for its own requests, by their id where one is looked for."""
        shown = self.views.rows("requests", self.workers, "an-id")
        self.assertEqual([peer.asked for peer in self.peers], [[Show(n, "requests", "an-id")] for n in (1, 2)])
        self.views.shown(ViewRows(1, []))
        self.views.shown(ViewRows(2, [{"request_id": "an-id"}]))
        self.assertEqual(self.successResultOf(shown), [{"worker": 1, "request_id": "an-id"}])

    def test_gone(self) -> None:
        """One that dies before it answers shows nothing, and is no reason to show none of the others."""
        shown = self.views.rows("endpoints", self.workers)
        self.views.lost(self.workers[0])
        self.views.shown(ViewRows(2, [{"endpoint": "b"}]))
        self.assertEqual(self.successResultOf(shown), [{"worker": 1, "endpoint": "b"}])

    def test_none(self) -> None:
        """Without a worker there is nothing to show."""
        self.assertEqual(self.successResultOf(self.views.rows("routes", [])), [])

    def test_fails(self) -> None:
        """What a worker can't show is an error."""
        shown = self.views.rows("routes", self.workers)
        self.views.shown(ViewRows(1, "KeyError: x"))
        self.failureResultOf(shown, NotShown)
