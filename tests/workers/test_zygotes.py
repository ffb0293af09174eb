"""Tests of L{edgegate.workers.zygotes}: the test is the zygotes, but for one that is real."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.net.channel import Channel, adopt, pair, wait_for_any
from edgegate.server.reload_coordinator import ReadingFailed
from edgegate.workers.messages import Died, End, FilesRead, Renew, Unchanged
from edgegate.workers.slots import shared_memory
from edgegate.workers.zygotes import Errors, Files, Zygote, Zygotes
from tests.workers.watching import Watching


class ZygoteTests(SynchronousTestCase):
    """One that reads."""

    def setUp(self) -> None:
        """Have one."""
        self.reactor = Watching()
        ours, theirs = pair()
        self.channel = Channel(theirs)
        self.zygote = Zygote(self.reactor, Channel(ours))  # type: ignore[arg-type]
        self.addCleanup(self.channel.close)
        self.addCleanup(self.zygote.peer.close)

    def test_read(self) -> None:
        """What it has read comes first; what it tells then, and its end, are for whoever has it."""
        told: list[object] = []
        self.zygote.told = lambda received: told.append(received.value)
        self.zygote.gone = lambda: told.append("gone")
        read = FilesRead(True, Problems(), ("changed",))
        self.channel.send(read)
        self.channel.send(Died(1, 2, 3))
        self.zygote.peer.doRead()
        found = self.successResultOf(self.zygote.read)
        assert found is not None
        self.assertEqual((found.changes, told), (("changed",), [Died(1, 2, 3)]))
        files = Files(self.zygote, found)
        self.assertEqual((files.changes, files.watched, files.problems), (read.changes, read.watched, found.problems))
        self.channel.close()
        self.zygote.peer.doRead()
        self.assertEqual(told[1:], ["gone"])

    def test_unchanged(self) -> None:
        """Where all is what it was there is nothing."""
        self.channel.send(Unchanged())
        self.zygote.peer.doRead()
        self.assertIsNone(self.successResultOf(self.zygote.read))

    def test_dies(self) -> None:
        """One that dies before it has read anything has failed."""
        self.channel.close()
        self.zygote.peer.doRead()
        self.failureResultOf(self.zygote.read, ReadingFailed)

    def test_end(self) -> None:
        """It is told to end, and heard no more."""
        self.zygote.end()
        self.assertEqual([each.value for each in self.channel.receive()], [End()])
        self.assertEqual(self.reactor.readers, [])


class ZygotesTests(SynchronousTestCase):
    """One after the other."""

    def test_after(self) -> None:
        """The next one is made by the one before, with a channel of its own; of one that is gone there is none."""
        reactor = Watching()
        zygotes = Zygotes(reactor, ("--config", "none"), shared_memory())  # type: ignore[arg-type]
        ours, theirs = pair()
        before, channel = Zygote(reactor, Channel(ours)), Channel(theirs)  # type: ignore[arg-type]
        after = zygotes.after(before, anyway=True)
        (renew,) = channel.receive()
        self.assertEqual(renew.value, Renew(True))
        next_one = Channel(adopt(renew.descriptors[0]))
        next_one.send(Unchanged())
        after.peer.doRead()
        self.assertIsNone(self.successResultOf(after.read))
        self.assertEqual(zygotes.peers(), [after.peer])
        for each in (channel, next_one):
            each.close()
        after.peer.doRead()
        before.peer.close()
        self.assertEqual(zygotes.peers(), [])
        zygotes.stop()

    def test_first(self) -> None:
        """A fresh process is told what to read, and what it says when it can't is kept."""
        reactor = Watching()
        zygotes = Zygotes(reactor, ("--nonsense",), shared_memory())  # type: ignore[arg-type]
        zygote = zygotes.first()
        while zygote.peer.open:
            wait_for_any([zygote.peer.fileno()], 60)
            zygote.peer.doRead()
        self.failureResultOf(zygote.read, ReadingFailed)
        self.assertIn("nonsense", "".join(zygotes.last_words()))
        zygotes.stop()
        self.assertEqual(reactor.readers, [])
        while zygotes._spawned:
            zygotes.reap()


class ErrorsTests(SynchronousTestCase):
    """What processes write to standard error."""

    def test_read(self) -> None:
        """It is kept until all who could write are gone."""
        reactor = Watching()
        read, write = os.pipe()
        os.set_blocking(read, False)
        errors = Errors(reactor, read)  # type: ignore[arg-type]
        errors.doRead()
        os.write(write, b"Fatal Python error\n")
        errors.doRead()
        self.assertEqual((errors.last, errors.fileno()), ("Fatal Python error", read))
        os.close(write)
        errors.doRead()
        self.assertEqual((errors.fileno(), reactor.readers), (-1, []))
        errors.close()
