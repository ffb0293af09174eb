"""Tests of L{edgegate.workers.zygote}: a real one, which the test tells what to do."""

from __future__ import annotations

import os
import resource
from pathlib import Path

from twisted.trial.unittest import SkipTest, SynchronousTestCase

from edgegate.net.channel import Channel, pair, wait_for_any
from edgegate.net.peer import Peer
from edgegate.workers.messages import Fork, Renew, ShedPrivileges
from edgegate.workers.slots import shared_memory
from edgegate.workers.zygotes import Zygotes
from tests.workers.watching import Watching

PATIENCE = 60
"""Seconds after which a test gives up on a process."""


class ForkingTests(SynchronousTestCase):
    """A zygote that may make no process."""

    def setUp(self) -> None:
        """Have one read an empty folder, and become a user whose processes are counted, which root's are not."""
        if not hasattr(resource, "prlimit"):
            raise SkipTest("the system can't limit another process")
        folder = Path(self.mktemp())
        folder.mkdir()
        self.reactor = Watching()
        self.zygotes = Zygotes(self.reactor, ("--config", str(folder)), shared_memory())  # type: ignore[arg-type]
        self.addCleanup(self.clean)
        self.zygote = self.zygotes.first()
        self.told: list[object] = []
        self.zygote.told = lambda received: self.told.append(received.value)
        while not self.zygote.read.called:
            self.hear(self.zygote.peer)
        pid = self.zygotes._spawned[0]._process.pid
        _, most = resource.prlimit(pid, resource.RLIMIT_NPROC)
        resource.prlimit(pid, resource.RLIMIT_NPROC, (0, most))
        if not os.geteuid():
            # root's processes are not counted
            self.zygote.peer.send(ShedPrivileges(65534, 65534))

    def clean(self) -> None:
        """Leave no process."""
        self.zygotes.stop()
        while self.zygotes._spawned:
            self.zygotes.reap()

    def hear(self, peer: Peer) -> None:
        """Wait for what a process tells, or its end."""
        self.assertTrue(wait_for_any([peer.fileno()], PATIENCE), "it says nothing")
        peer.doRead()

    def ask(self, value: object) -> list[str]:
        """Have it make a process; return what comes of that."""
        ours, theirs = pair()
        came: list[str] = []
        peer = Peer(
            self.reactor,  # type: ignore[arg-type]
            Channel(ours),
            lambda received: came.append(type(received.value).__name__),
            lambda: came.append("gone"),
        )
        self.addCleanup(peer.close)
        peer.start()
        self.zygote.peer.send(value, (theirs.fileno(),))
        theirs.close()
        self.hear(peer)
        return came

    def test_cannot_fork(self) -> None:
        """A worker, or the next zygote, that can't be made is given up, and why is told; the zygote lives on."""
        for value in (Fork(0, (0,)), Renew(False), Fork(0, (0,))):
            self.assertEqual(self.ask(value), ["gone"])
        words = "\n".join(["cannot fork: Resource temporarily unavailable"] * 3)
        self.assertEqual(self.zygotes.last_words(), [words])
        self.zygote.peer.doRead()
        self.assertEqual((self.zygote.peer.open, self.told), (True, []))
