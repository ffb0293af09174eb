"""Tests of L{edgegate.workers.worker_live}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.parts import NowPart, Part
from edgegate.workers.generation import Worker
from edgegate.workers.messages import BeginLive, EndLive, LivePart
from edgegate.workers.worker_live import WorkerLive
from tests.workers.test_worker_taps import FakePeer


class WorkerLiveTests(SynchronousTestCase):
    """Two workers, and two of newer files."""

    def setUp(self) -> None:
        """Have them; numbers begin anew with each generation, slots do not."""
        self.live = WorkerLive()
        self.peers = [FakePeer() for _ in range(4)]
        self.workers = [Worker(slot, slot % 2, peer) for slot, peer in enumerate(self.peers)]  # type: ignore[arg-type]
        self.taken: list[tuple[int, Part]] = []
        self.lost: list[int] = []

    def begin(self, count: int = 2) -> None:
        """Look at the first workers."""
        workers = self.workers[:count]
        self.end = self.live.begin(lambda *told: self.taken.append(told), self.lost.append, workers, workers)

    def told(self) -> list[list[object]]:
        """Return what each worker was told."""
        return [peer.told for peer in self.peers]

    def test_all(self) -> None:
        """All tell what they do, and one what the files say, until nobody looks."""
        self.begin()
        self.live.look(self.workers[:2], self.workers[:2])
        self.assertEqual(self.told(), [[BeginLive(1, True)], [BeginLive(1, False)], [], []])
        part = NowPart()
        self.live.told(self.workers[1], LivePart(1, part))
        self.live.told(self.workers[1], LivePart(2, part))
        self.assertEqual(self.taken, [(1, part)])
        self.end()
        self.end()
        self.assertEqual([each[1:] for each in self.told()], [[EndLive(1)], [EndLive(1)], [], []])
        self.live.told(self.workers[1], LivePart(1, part))
        self.assertEqual(len(self.taken), 1)

    def test_newer(self) -> None:
        """Workers of newer files are told as well, and one of them tells what the files say now."""
        self.begin()
        self.live.look(self.workers, self.workers[2:])
        self.assertEqual(self.told()[2:], [[BeginLive(1, True)], [BeginLive(1, False)]])
        self.live.told(self.workers[2], LivePart(1, NowPart()))
        self.assertEqual(self.taken[-1][0], 2)

    def test_lost(self) -> None:
        """Where the one is gone that tells what the files say, another one does."""
        self.begin()
        self.live.lost(self.workers[0])
        self.assertEqual(self.lost, [0])
        self.live.look(self.workers[1:2], self.workers[1:2])
        self.assertEqual(self.told()[1], [BeginLive(1, False), BeginLive(1, True)])
        self.live.lost(self.workers[3])
        self.assertEqual(self.lost, [0])
