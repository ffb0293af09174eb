"""
Tests of L{edgegate.workers.supervisor}: its start, up to where workers begin; L{tests.acceptance.test_workers} has all
of it.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import cast

from twisted.internet import reactor as installed
from twisted.internet.interfaces import IReactorFDSet
from twisted.trial.unittest import TestCase

from edgegate.startup import CannotStart
from edgegate.workers.supervisor import Supervisor
from tests.workers.test_process import FILES


class SupervisorTests(TestCase):
    """One whose zygote is a real process."""

    def setUp(self) -> None:
        """Write the files, for a port that another one has."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.dead = False
        self.taken = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(self.taken.close)
        self.port = self.taken.getsockname()[1]
        (self.folder / "a.yaml").write_text(FILES.format(port=self.port, body="one"))

    def make(self, *more: str) -> Supervisor:
        """Make one, which is ended with the test."""
        arguments = ("--config", str(self.folder), "--workers", "2", *more)
        gateway = Supervisor(cast(IReactorFDSet, installed), str(self.folder), arguments, 2, 1.0)
        self.addCleanup(self.end, gateway)
        return gateway

    async def end(self, gateway: Supervisor) -> None:
        """End it; nothing is left of its processes."""
        if self.dead:
            gateway._zygotes.stop()
        else:
            await gateway.stopService()
        while gateway._zygotes._spawned:
            gateway._zygotes.reap()
            os.sched_yield()

    def test_reads(self) -> None:
        """What its zygote has read is told; where it can't be served, with what is wrong."""
        gateway = self.make()
        read = gateway.load()
        self.assertTrue(read.sound)
        self.assertEqual([each.port for each in read.openings], [self.port])
        self.assertEqual((gateway.ready, gateway.ports, gateway.connections), (False, {}, 0))
        (self.folder / "b.yaml").write_text("kind: Gateway\nspec: [\n")
        refused = self.make().load()
        self.assertFalse(refused.sound)
        self.assertIn("b.yaml:3:1: error", str(next(iter(refused.problems))))

    def test_cannot_open(self) -> None:
        """A port that is taken is told with its place, a log that can't be written with its path; nothing is open."""
        gateway = self.make()
        gateway.load()
        error = self.assertRaises(CannotStart, gateway.privilegedStartService)
        self.assertIn(f"cannot bind 127.0.0.1:{self.port} for Gateway default/gw (a.yaml:6): Address", str(error))
        self.taken.close()
        gateway.log_to(str(self.folder / "no" / "log"))
        error = self.assertRaises(CannotStart, gateway.privilegedStartService)
        self.assertIn("no/log: No such file or directory", str(error))
        self.assertEqual((gateway.ready, gateway.ports), (False, {}))

    def test_cannot_read(self) -> None:
        """A zygote that dies is told with what it said last."""
        self.dead = True
        error = self.assertRaises(CannotStart, self.make("--nonsense").load)
        self.assertIn("the process that read the files has died\n", str(error))
        self.assertIn("nonsense", str(error))
