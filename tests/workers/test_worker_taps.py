"""Tests of L{edgegate.workers.worker_taps}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.tap import TapFilter, Tapped
from edgegate.workers.generation import Worker
from edgegate.workers.messages import BeginTap, EndTap, TappedRequest
from edgegate.workers.worker_taps import WorkerTaps

WANTED = TapFilter("shop.example", requests=9)


class FakePeer:
    """
    Remembers what it was told.

    @ivar full: Whether much waits already.
    """

    def __init__(self) -> None:
        self.told: list[object] = []
        self.full = False

    def send(self, value: object) -> None:
        """Take it."""
        self.told.append(value)

    def offer(self, value: object) -> bool:
        """Take it, or not."""
        if not self.full:
            self.told.append(value)
        return not self.full


class WorkerTapsTests(SynchronousTestCase):
    """Two workers, and one that comes later."""

    def setUp(self) -> None:
        """Have them."""
        self.taps = WorkerTaps()
        self.peers = [FakePeer() for _ in range(3)]
        self.workers = [Worker(slot, slot, peer) for slot, peer in enumerate(self.peers)]  # type: ignore[arg-type]
        self.shown: list[Tapped] = []

    def test_all(self) -> None:
        """All are told, once, and what they show tells whose it is, until it ends."""
        end = self.taps.begin(WANTED, self.shown.append, self.workers[:2])
        self.taps.look(self.workers[:2])
        self.assertEqual([peer.told for peer in self.peers], [[BeginTap(1, WANTED)], [BeginTap(1, WANTED)], []])
        self.taps.seen(self.workers[1], TappedRequest(1, {"target": "/"}, 0))
        self.taps.seen(self.workers[0], TappedRequest(1, {"target": "/"}, 2))
        self.assertEqual(self.shown, [{"worker": 1, "target": "/"}, {"worker": 0, "target": "/", "lost_before": 2}])
        self.taps.seen(self.workers[0], TappedRequest(1, {"target": "/", "lost_before": 3}, 2))
        self.assertEqual(self.shown.pop(), {"worker": 0, "target": "/", "lost_before": 5})
        self.taps.look(self.workers)
        end()
        end()
        self.assertEqual([peer.told[1:] for peer in self.peers], [[EndTap(1)]] * 3)
        self.taps.seen(self.workers[1], TappedRequest(1, {"target": "/late"}, 0))
        self.taps.look(self.workers)
        self.assertEqual((len(self.shown), len(self.peers[2].told)), (2, 2))

    def test_lost(self) -> None:
        """One that is gone is told nothing more."""
        end = self.taps.begin(WANTED, self.shown.append, self.workers[:1])
        self.taps.lost(self.workers[0])
        self.taps.lost(self.workers[1])
        end()
        self.assertEqual(self.peers[0].told, [BeginTap(1, WANTED)])

    def test_ends_meanwhile(self) -> None:
        """One that ends by the last words of a worker that can't be told anything any more is begun nowhere else."""
        shown: list[Tapped] = []
        taps, peer = WorkerTaps(), self.peers[0]
        (gone, other) = self.workers[:2]
        one = taps.begin(WANTED, shown.append, ())
        taps.begin(WANTED, shown.append, ())

        def send(value: object) -> None:
            peer.told.append(value)
            one()

        peer.send = send  # type: ignore[method-assign]
        taps.look([gone, other])
        self.assertEqual(self.peers[1].told, [BeginTap(2, WANTED)])
