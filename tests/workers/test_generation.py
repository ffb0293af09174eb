"""Tests of L{edgegate.workers.generation}: the test is the zygote, and all workers."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.origin import Origin
from edgegate.net.channel import Channel, Received, adopt, pair
from edgegate.net.listening import bind
from edgegate.net.sockets import Socket
from edgegate.workers.generation import (
    FIRST_DELAY,
    LONGEST_START,
    QUICK,
    SILENCE,
    CannotServe,
    Generation,
    Surroundings,
    Worker,
)
from edgegate.workers.messages import Accept, Adopt, Died, Drain, End, Failed, Fork, Forked, LogTo, Ready, Retire
from edgegate.workers.slots import ABSENT, Slots, shared_memory
from edgegate.workers.zygotes import Zygote
from tests.workers.watching import Watching

ORIGIN = Origin("mesh.yaml", 9, "MeshConfig mesh")

READY = Ready((("info", "serving"),))


@contextmanager
def no_descriptors() -> Iterator[None]:
    """Leave this process no descriptor for the time of the block."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


class GenerationTests(SynchronousTestCase):
    """Three workers."""

    def setUp(self) -> None:
        """Be the zygote."""
        self.reactor = Watching()
        memory = shared_memory()
        self.addCleanup(os.close, memory)
        self.slots = Slots(memory)
        self.told: list[tuple[int, object]] = []
        self.lost: list[int] = []
        self.missed: list[int] = []
        self.zygotes_lost: list[None] = []
        self.log_file: int | None = None
        ours, theirs = pair()
        self.channel = Channel(theirs)
        self.addCleanup(self.channel.close)
        surroundings = Surroundings(
            self.reactor,  # type: ignore[arg-type]
            self.slots,
            lambda worker, value: self.told.append((worker.number, value)),
            self.is_gone,
            lambda: self.zygotes_lost.append(None),
            lambda: self.log_file,
        )
        zygote = Zygote(self.reactor, Channel(ours))  # type: ignore[arg-type]
        zygote.read.callback(None)
        self.generation = Generation(surroundings, zygote, range(10, 13))
        self.ends: dict[int, Channel] = {}
        self.addCleanup(self.clean)

    def is_gone(self, worker: Worker) -> None:
        """A worker is gone."""
        self.lost.append(worker.number)
        if worker.missed:
            self.missed.append(worker.number)

    def clean(self) -> None:
        """Leave no descriptor open."""
        for worker in self.generation.workers.values():
            worker.peer.close()
        self.generation.zygote.peer.close()
        for end in self.ends.values():
            end.close()

    def start(self, sockets: dict[Address, Socket] | None = None) -> Deferred[Ready]:
        """Start it."""
        return Deferred.fromCoroutine(self.generation.start(sockets or {}))

    def received(self) -> list[Received]:
        """Return what the zygote was told."""
        found: list[Received] = []
        while more := self.channel.receive():
            found += more
        return found

    def forks(self) -> list[int]:
        """Make the workers that the zygote is to make; return their slots."""
        slots = []
        for received in self.received():
            if isinstance(received.value, Fork):
                slots.append(received.value.slot)
                self.ends[received.value.slot] = Channel(adopt(received.descriptors[0]))
        return slots

    def tell(self, slot: int, *values: object) -> None:
        """Have a worker tell something."""
        for value in values:
            self.ends[slot].send(value)
        self.generation.workers[slot].peer.doRead()

    def die(self, slot: int) -> None:
        """Have a worker die."""
        self.ends[slot].close()
        self.generation.workers[slot].peer.doRead()

    def heard(self, slot: int) -> list[object]:
        """Return what a worker was told."""
        return [each.value for each in self.ends[slot].receive()]

    def ready(self) -> None:
        """Have all workers ready."""
        started = self.start()
        self.forks()
        self.tell(10, READY)
        for slot in self.forks():
            self.tell(slot, READY)
        self.successResultOf(started)

    def test_first_ahead(self) -> None:
        """The others are made when the first one can serve; it has begun when all can."""
        listening = bind(TCPAddress("127.0.0.1", 0))
        self.addCleanup(listening.close)
        address = TCPAddress("127.0.0.1", 80)
        started = self.start({address: listening})
        adopted, fork = self.received()
        self.assertEqual((adopted.value, len(adopted.descriptors)), (Adopt((address,)), 1))
        os.close(adopted.descriptors[0])
        self.assertEqual(fork.value, Fork(10, (10, 11, 12)))
        self.ends[10] = Channel(adopt(fork.descriptors[0]))
        self.assertEqual(self.generation.serving, [])
        self.tell(10, READY)
        self.assertEqual(self.forks(), [11, 12])
        self.tell(11, READY)
        self.assertNoResult(started)
        self.tell(12, READY)
        self.assertEqual(self.successResultOf(started), READY)
        self.assertEqual([worker.number for worker in self.generation.serving], [0, 1, 2])
        self.assertEqual(self.heard(11), [])
        self.generation.accept()
        self.assertEqual(self.heard(11), [Accept()])

    def test_first_fails(self) -> None:
        """Where the first one can't serve, or dies, no other is made."""
        started = self.start()
        self.forks()
        self.tell(10, Failed("ValueError: no", ORIGIN))
        self.die(10)
        error = self.failureResultOf(started, CannotServe).value
        self.assertEqual((str(error), error.origin), ("ValueError: no", ORIGIN))
        self.assertEqual(self.forks(), [])
        again = self.start()
        self.forks()
        self.die(10)
        self.assertIn("died before it was ready", str(self.failureResultOf(again, CannotServe).value))
        self.assertEqual(self.missed, [])
        self.generation.drain(0.0)
        self.successResultOf(self.generation.ended)

    def test_replaced(self) -> None:
        """One that dies is replaced at once, by one that takes connections as soon as it is ready."""
        self.ready()
        self.generation.accept()
        self.generation.workers[11].since = monotonic() - QUICK
        self.slots.set_connections(11, 5)
        self.die(11)
        self.assertEqual((self.forks(), self.slots.connections(11), self.lost), ([11], ABSENT, [1]))
        self.assertEqual(self.missed, [1])
        self.assertEqual(len(self.generation.serving), 2)
        with capturedLogs() as told:
            self.tell(11, READY)
        self.assertEqual(self.heard(11), [Accept()])
        self.assertEqual([formatEvent(event) for event in told], ["worker 1 serves again"])

    def test_dies_again_and_again(self) -> None:
        """One that dies as soon as it is there is replaced later and later."""
        self.ready()
        self.generation.accept()
        for delay in (FIRST_DELAY, 2 * FIRST_DELAY, 4 * FIRST_DELAY):
            self.die(12)
            self.reactor.advance(delay * 0.9)
            self.assertEqual(self.forks(), [])
            self.reactor.advance(delay * 0.2)
            self.assertEqual(self.forks(), [12])
        self.die(12)
        self.generation.drain(0.0)
        self.reactor.advance(60)
        self.assertEqual(self.forks(), [])

    def test_retire(self) -> None:
        """Who retires is told so; the zygote ends, and the generation with the last worker."""
        self.ready()
        gone = (TCPAddress("127.0.0.1", 81),)
        self.generation.retire(gone)
        self.assertEqual(self.heard(10), [Retire(gone)])
        self.assertEqual([each.value for each in self.received()], [End()])
        self.assertTrue(self.generation.retired)
        for slot in (10, 11):
            self.die(slot)
        self.assertNoResult(self.generation.ended)
        self.generation.drain(0.0)
        self.assertEqual(self.heard(12), [Retire(gone), Drain(0.0)])
        self.die(12)
        self.successResultOf(self.generation.ended)
        self.assertEqual((self.reactor.readers, self.lost, self.missed), ([], [0, 1, 2], []))

    def test_hangs(self) -> None:
        """One without a sign of life is to show its stack, then it is killed; one that starts has more time."""
        self.ready()
        victim = os.fork()
        if not victim:
            signal.signal(signal.SIGABRT, signal.SIG_IGN)
            os.write(2, b"")
            while True:
                signal.pause()
        self.addCleanup(os.waitpid, victim, 0)
        now = monotonic()
        for slot in (10, 11, 12):
            self.slots.beat(slot, now)
        self.channel.send(Forked(11, victim))
        self.generation.zygote.peer.doRead()
        self.assertFalse(self.generation.look(now + SILENCE - 1))
        self.generation.workers[11].serving = False
        self.assertFalse(self.generation.look(now + SILENCE + 1))
        self.generation.workers[11].serving = True
        self.assertTrue(self.generation.look(now + SILENCE + 1))
        self.assertTrue(self.generation.workers[11].killed)
        self.assertTrue(self.generation.look(now + LONGEST_START + 1))
        self.assertIs(self.generation.workers[11].killed, signal.SIGKILL)
        # more can't be done to it
        self.assertFalse(self.generation.look(now + LONGEST_START + 1))

    def test_all_were_stopped(self) -> None:
        """Signs of life count from when the supervisor itself goes on."""
        self.ready()
        now = monotonic()
        self.generation.workers[11].pid = 1 << 30
        self.assertFalse(self.generation.look(now + 100, now + 95))

    def test_zygote_hangs(self) -> None:
        """One that makes no worker for long is given up, and so are those that it was to make."""
        started = self.start()
        self.assertFalse(self.generation.look(monotonic() + LONGEST_START - 1))
        self.assertTrue(self.generation.look(monotonic() + LONGEST_START + 1))
        self.failureResultOf(started, CannotServe)
        self.assertEqual((self.generation.workers, self.generation.zygote.peer.open), ({}, False))

    def test_zygote_hangs_at_the_end(self) -> None:
        """Nor does the end wait for it."""
        self.ready()
        self.generation.accept()
        self.generation.workers[11].since = monotonic() - QUICK
        self.die(11)
        self.generation.drain(0.0)
        for slot in (10, 12):
            self.die(slot)
        self.assertNoResult(self.generation.ended)
        self.generation.kill()
        self.successResultOf(self.generation.ended)

    def test_zygote_dies(self) -> None:
        """The workers go on; who dies then is not replaced, and what was asked for is given up."""
        self.ready()
        self.generation.accept()
        self.channel.close()
        self.generation.workers[11].pid = self.generation.workers[12].pid = 1 << 30
        self.generation.zygote.peer.doRead()
        self.assertEqual((len(self.zygotes_lost), self.lost), (1, [0]))
        self.die(11)
        self.assertEqual([worker.number for worker in self.generation.serving], [2])

    def test_zygote_dies_early(self) -> None:
        """Of files that are not served yet nobody asks for another; once they are somebody does."""
        started = self.start()
        self.forks()
        self.channel.close()
        self.generation.zygote.peer.doRead()
        self.failureResultOf(started, CannotServe)
        self.assertEqual(self.zygotes_lost, [])
        self.generation.accept()
        self.assertEqual(len(self.zygotes_lost), 1)

    def test_no_descriptors(self) -> None:
        """A worker that can't be made for want of descriptors is made later; nothing is served with none."""
        self.ready()
        self.generation.accept()
        self.generation.workers[11].since = monotonic() - QUICK
        with no_descriptors():
            self.die(11)
            self.reactor.advance(FIRST_DELAY)
            self.assertEqual(self.forks(), [])
        self.reactor.advance(2 * FIRST_DELAY)
        self.assertEqual(self.forks(), [11])
        with no_descriptors():
            failure = self.failureResultOf(self.start(), CannotServe)
        self.assertIn("no worker can be made: Too many open files", str(failure.value))

    def test_access_log(self) -> None:
        """Each worker has the access log's file, and the next one."""
        read, self.log_file = os.pipe()
        self.addCleanup(os.close, read)
        self.addCleanup(os.close, self.log_file)
        self.ready()
        (first,) = self.ends[11].receive()
        self.generation.log_to()
        (second,) = self.ends[11].receive()
        for received in (first, second):
            self.assertEqual(received.value, LogTo())
            os.write(received.descriptors[0], b"x")
            os.close(received.descriptors[0])
        self.assertEqual(os.read(read, 9), b"xx")

    def test_told(self) -> None:
        """What is no matter of the generation is passed on; how one died is logged."""
        self.ready()
        self.tell(12, "something")
        self.assertEqual(self.told, [(2, "something")])
        self.channel.send(Died(12, 99, signal.SIGKILL))
        self.channel.send(Died(11, 98, 0))
        self.generation.zygote.peer.doRead()


class WorkerTests(SynchronousTestCase):
    """A worker, as the supervisor knows it."""

    def test_fresh(self) -> None:
        """It serves nothing yet."""
        worker = Worker(7, 1, None)  # type: ignore[arg-type]
        self.assertEqual((worker.serving, worker.pid, worker.killed), (False, 0, None))
