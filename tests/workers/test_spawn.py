"""Tests of L{edgegate.workers.spawn}; what it starts is tested by L{tests.workers.test_process}."""

from __future__ import annotations

import os
from pathlib import Path
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from edgegate.workers.spawn import Spawned

DESCRIPTORS = Path("/proc/self/fd")


class SpawnedTests(SynchronousTestCase):
    """A process that is started."""

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
