"""Tests of L{edgegate.net.peer}."""

from __future__ import annotations

import os
from threading import Thread

from twisted.internet.interfaces import IReadDescriptor, IWriteDescriptor
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.net.channel import MOST_QUEUED, Channel, Received, close_all, pair, wait_for_any
from edgegate.net.peer import Peer
from tests.workers.watching import Watching


class PeerTests(SynchronousTestCase):
    """A process that tells, is told, and goes."""

    def setUp(self) -> None:
        """Have one."""
        self.reactor = Watching()
        ours, theirs = pair()
        self.other = Channel(theirs)
        self.told: list[object] = []
        self.heard: list[object] = []
        self.gone = 0
        self.peer = Peer(self.reactor, Channel(ours), self.take, self.end)  # type: ignore[arg-type]
        self.peer.start()
        self.addCleanup(self.peer.close)
        self.addCleanup(self.other.close)

    def take(self, received: Received) -> None:
        """Take what it tells."""
        if received.value == "break":
            raise ValueError("break")
        self.told.append(received.value)

    def read_all(self) -> None:
        """Read until the end."""
        try:
            while True:
                wait_for_any([self.other.fileno()], 30)
                self.heard += [each.value for each in self.other.receive()]
        except EOFError:
            return

    def end(self) -> None:
        """It is gone."""
        self.gone += 1

    def test_interface(self) -> None:
        """It is what a reactor watches."""
        verifyObject(IReadDescriptor, self.peer)
        verifyObject(IWriteDescriptor, self.peer)

    def test_told(self) -> None:
        """What one value does wrong is no matter of the next."""
        for value in (1, "break", 2):
            self.other.send(value)
        self.peer.doRead()
        self.assertEqual(self.told, [1, 2])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_queue(self) -> None:
        """What can't be sent at once is sent when there is room."""
        large = b"x" * 3_000_000
        self.peer.send(large)
        self.assertIn(self.peer, self.reactor.writers)
        found: list[Received] = []
        while not found:
            self.peer.doWrite()
            found = self.other.receive()
        self.assertEqual(found[0].value, large)
        self.peer.doWrite()
        self.assertNotIn(self.peer, self.reactor.writers)

    def test_offered(self) -> None:
        """What need not be told is left out while much waits, or nobody is there; nothing is lost by that."""
        self.assertTrue(self.peer.offer(b"x" * (MOST_QUEUED + 1_000_000)))
        self.assertFalse(self.peer.offer("more"))
        self.peer.send("needed")
        self.assertEqual((self.gone, self.peer.open), (0, True))
        self.peer.close()
        self.assertFalse(self.peer.offer("more"))

    def test_finished(self) -> None:
        """Who ends waits for what was told last to be read."""
        values = ["x" * 100_000] * 20
        for value in values:
            self.peer.send(value)
        reader = Thread(target=self.read_all)
        reader.start()
        self.peer.finish(30)
        reader.join()
        self.assertEqual(self.heard, values)
        self.assertFalse(self.peer.open)
        self.assertEqual((self.reactor.readers, self.reactor.writers), ([], []))

    def test_finished_unheard(self) -> None:
        """Who does not read, or is gone, is not waited for longer than that."""
        self.peer.send(b"x" * 3_000_000)
        self.peer.finish(0.01)
        self.assertEqual((self.peer.open, self.gone), (False, 0))
        ours, theirs = pair()
        peer = Peer(self.reactor, Channel(ours), self.take, self.end)  # type: ignore[arg-type]
        peer.send(b"x" * 3_000_000)
        theirs.close()
        peer.finish(30)
        self.assertEqual((peer.open, self.gone), (False, 0))

    def test_gone(self) -> None:
        """Its end is told once, however it is noticed, and it is told nothing afterwards."""
        self.other.close()
        self.peer.send(1)
        self.peer.send(2)
        self.assertEqual((self.gone, self.peer.open, self.reactor.readers), (1, False, []))

    def test_end_of_file(self) -> None:
        """What it said last is taken before its end."""
        self.other.send("last")
        self.other.close()
        self.peer.doRead()
        self.assertEqual((self.told, self.gone), (["last"], 0))
        self.peer.doRead()
        self.assertEqual(self.gone, 1)

    def answer(self, received: Received) -> None:
        """Take what it tells, and answer."""
        self.told.append(received.value)
        close_all(received.descriptors)
        self.peer.send("answer")

    def answering(self, silence: float = 30.0) -> None:
        """Have one that answers, and writes down when it has heard the end."""
        ours, theirs = pair()
        self.other = Channel(theirs)
        self.addCleanup(self.other.close)
        channel = Channel(ours, silence=silence)
        self.peer = Peer(self.reactor, channel, self.answer, lambda: self.told.append("gone"))  # type: ignore[arg-type]
        self.addCleanup(self.peer.close)

    def test_answers_nobody(self) -> None:
        """What it said last is heard in its order and before its end, also where it can't be answered any more."""
        self.answering()
        for number in range(4):
            self.other.send(number)
        self.other.close()
        self.peer.doRead()
        self.assertEqual(self.told, [0, 1, 2, 3, "gone"])

    def test_answers_nobody_in_several_reads(self) -> None:
        """So it is where more is left than is read at once: nothing is behind a descriptor in one read."""
        reader, writer = os.pipe()
        self.addCleanup(close_all, (reader, writer))
        self.answering()
        for number in range(4):
            self.other.send(number, (reader,))
        self.other.close()
        self.peer.send("more")
        self.assertEqual(self.told, [0, 1, 2, 3, "gone"])

    def test_answers_who_does_not_read(self) -> None:
        """One that does not read its answers is heard as far as it has spoken, and is gone then."""
        self.answering(silence=0.0)
        self.peer.send(b"x" * (MOST_QUEUED + 1_000_000))
        for number in range(4):
            self.other.send(number)
        self.peer.doRead()
        self.assertEqual((self.told, self.peer.open), ([0, 1, 2, 3, "gone"], False))

    def test_closed(self) -> None:
        """Of one that was closed no end is told."""
        self.peer.close()
        self.peer.close()
        self.assertEqual((self.gone, self.reactor.readers, self.peer.fileno()), (0, [], -1))
