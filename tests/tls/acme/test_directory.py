"""Tests of L{edgegate.tls.acme.directory}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme import directory
from edgegate.tls.acme.directory import OLD, DirectoryStorage
from tests.tls.acme.test_storage import StorageContract


class DirectoryTests(StorageContract, SynchronousTestCase):
    """Entries as files."""

    def setUp(self) -> None:
        self.folder = Path(self.mktemp()).absolute() / "deep" / "store"
        self.storage = DirectoryStorage(str(self.folder))
        self.other = DirectoryStorage(str(self.folder))

    def test_left_behind(self) -> None:
        """What was to be there for a while and was left behind goes, once it is old."""
        with self.storage.shown("challenges/a", b"a"):
            left = self.folder / "challenges" / "b"
            left.write_text("b")
            os.utime(left, (1, 1))
            with self.storage.shown("challenges/c", b"c"):
                self.assertFalse(left.exists())
            self.assertEqual(self.storage.read("challenges/a"), b"a")
        self.assertGreater(OLD, 3600)

    def test_held_for_ever(self) -> None:
        """A lock that somebody holds who was stopped is not waited for without an end."""
        self.patch(directory, "LONGEST_WAIT", 0.0)
        with self.storage.lock("a.lock", wait=True):
            error = self.assertRaises(OSError, self.other.lock("a.lock", wait=True).__enter__)
        self.assertEqual(str(error), f"{self.folder}/a.lock: somebody holds this lock for more than 0 s")
        with self.other.lock("a.lock", wait=True) as lock:
            self.assertIsNotNone(lock)

    def test_no_links(self) -> None:
        """A link that somebody has put there is not followed when a lock is taken."""
        with self.storage.lock("a.lock", wait=False):
            pass
        lock, target = self.folder / "a.lock", self.folder / "target"
        lock.unlink()
        lock.symlink_to(target)
        with self.assertRaises(OSError), self.storage.lock("a.lock", wait=False):
            pass
        self.assertFalse(target.exists())

    def test_cannot_write(self) -> None:
        """Where nothing can be written what is there stays, and nothing is left behind."""
        self.storage.write("a.state", b"x")
        (self.folder / "a.pem").mkdir()
        self.assertRaises(OSError, self.storage.write, "a.pem", b"y")
        self.assertEqual(sorted(each.name for each in self.folder.iterdir()), ["a.pem", "a.state"])
