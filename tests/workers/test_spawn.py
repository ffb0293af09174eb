"""Tests of L{edgegate.workers.spawn}; what it starts is tested by L{tests.workers.test_process}."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.access_logs import STANDARD_ERROR
from edgegate.observe.log_file import STREAMS
from edgegate.workers.spawn import Spawned

DESCRIPTORS = Path("/proc/self/fd")


class SpawnedTests(SynchronousTestCase):
    """A process that is started."""

    def test_silent(self) -> None:
        """Nothing of a daemon holds what it was started with: whoever reads that waits for the end of it."""
        for silent in (True, False):
            read, write = os.pipe()
            self.addCleanup(os.close, read)
            os.set_blocking(read, False)
            self.addCleanup(STREAMS.update, dict(STREAMS))
            STREAMS[STANDARD_ERROR] = write
            spawned = Spawned(silent=silent)
            os.close(write)
            self.addCleanup(self.end, spawned)
            if silent:
                self.assertEqual(os.read(read, 1), b"")
            else:
                self.assertRaises(BlockingIOError, os.read, read, 1)

    def end(self, spawned: Spawned) -> None:
        """End it, which waits to be told what to load."""
        spawned.channel.close()
        os.close(spawned.errors)
        while not spawned.reap():
            os.sched_yield()

    @skipUnless(DESCRIPTORS.is_dir(), "the system does not tell which descriptors are open")
    def test_fails(self) -> None:
        """One that can't be started leaves nothing behind: the files are read again, and it is tried again."""
        read, write = os.pipe()
        self.addCleanup(os.close, write)
        self.addCleanup(os.close, read)
        before = {each.name for each in DESCRIPTORS.iterdir()}
        # a pipe can't be read from its beginning
        error = self.assertRaises(OSError, Spawned, read)
        self.assertEqual(error.strerror, "Illegal seek")
        self.assertEqual({each.name for each in DESCRIPTORS.iterdir()} - before, set())
