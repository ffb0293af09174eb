"""Tests of L{edgegate.workers.generations}: zygotes that make nobody."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.channel import Channel, pair
from edgegate.workers.generation import CannotServe, Generation, Surroundings
from edgegate.workers.generations import MOST_GENERATIONS, Generations
from edgegate.workers.messages import Accept, Drain, End, Retire
from edgegate.workers.slots import COUNT, Slots, shared_memory
from edgegate.workers.zygotes import Zygote
from tests.workers.watching import Watching

GONE = TCPAddress("127.0.0.1", 81)


class FakePeer:
    """A worker that remembers what it is told."""

    open = True

    def __init__(self) -> None:
        self.told: list[object] = []

    def send(self, value: object, descriptors: tuple[int, ...] = ()) -> None:
        """Take it."""
        self.told.append(value)


class FakeWorker:
    """A worker that serves."""

    serving, killed, pid = True, False, 0

    def __init__(self, slot: int) -> None:
        self.slot = self.number = slot
        self.peer = FakePeer()


class GenerationsTests(SynchronousTestCase):
    """Generations of two."""

    def setUp(self) -> None:
        """Have none."""
        memory = shared_memory()
        self.addCleanup(os.close, memory)
        self.reactor = Watching()
        self.logs: int | None = None
        nothing = lambda *given: None  # noqa: E731
        surroundings = Surroundings(
            self.reactor,  # type: ignore[arg-type]
            Slots(memory),
            nothing,
            nothing,
            nothing,
            lambda: self.logs,
        )
        self.generations = Generations(surroundings, 2)
        self.channels: list[Channel] = []

    def make(self) -> tuple[Generation, FakeWorker]:
        """Make one, with one of its workers."""
        ours, theirs = pair()
        self.channels.append(Channel(theirs))
        zygote = Zygote(self.reactor, Channel(ours))  # type: ignore[arg-type]
        self.addCleanup(zygote.peer.close)
        self.addCleanup(self.channels[-1].close)
        generation = self.generations.make(zygote)
        worker = FakeWorker(generation.slots.start)
        generation.workers[worker.slot] = worker  # type: ignore[assignment]
        return generation, worker

    def ends(self, generation: Generation) -> None:
        """The last worker of one ends."""
        generation.workers.clear()
        generation._end_if_empty()

    def test_take_over(self) -> None:
        """One serves; the one before is told what is gone, and to end with its connections."""
        self.assertEqual(self.generations.serving, [])
        first, before = self.make()
        self.generations.take_over(first, ())
        second, after = self.make()
        self.generations.take_over(second, (GONE,))
        self.assertEqual(before.peer.told, [Accept(), Retire((GONE,))])
        self.assertEqual(after.peer.told, [Accept()])
        self.assertEqual([worker.slot for worker in self.generations.serving], [second.slots.start])
        self.assertEqual(list(self.generations.peers()), [before.peer, after.peer])
        self.assertEqual([each.value for each in self.channels[0].receive()], [End()])

    def test_oldest_end(self) -> None:
        """Of those that were taken over from a few are left; older ones are ended."""
        workers = []
        for _ in range(MOST_GENERATIONS + 2):
            generation, worker = self.make()
            workers.append(worker)
            self.generations.take_over(generation, ())
        drained = [Drain(0.0) in worker.peer.told for worker in workers]
        self.assertEqual(drained, [True] + [False] * (MOST_GENERATIONS + 1))

    def test_slots(self) -> None:
        """Each has slots of its own, which are free again when it has ended; without any there is no further one."""
        first, _ = self.make()
        others = [self.make()[0] for _ in range(COUNT // 2 - 1)]
        slots = {slot for each in (first, *others) for slot in each.slots}
        self.assertEqual(slots, set(range(COUNT)))
        with self.assertRaises(CannotServe):
            self.make()
        first.drain(0.0)
        self.ends(first)
        self.assertEqual(self.make()[0].slots, first.slots)

    def test_end(self) -> None:
        """All are told to end, those that were told to retire, too; it is over with the last one."""
        (first, before), (second, after) = self.make(), self.make()
        self.generations.take_over(first, ())
        self.generations.take_over(second, ())
        self.generations.retire([GONE])
        self.generations.drain(3.0)
        ended = self.generations.ended()
        self.assertEqual(before.peer.told[1:], [Retire(()), Drain(3.0)])
        self.assertEqual(after.peer.told[1:], [Retire((GONE,)), Drain(3.0)])
        self.ends(first)
        self.assertNoResult(ended)
        self.ends(second)
        self.assertIsNone(self.successResultOf(ended))
        self.assertEqual(list(self.generations.peers()), [])
        self.assertIsNone(self.successResultOf(self.generations.ended()))
