"""Tests of L{edgegate.net.nameless_file}."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.nameless_file import nameless_file


class NamelessFileTests(SynchronousTestCase):
    """A file that no folder holds."""

    def test_file(self) -> None:
        """What is written can be read; no process that is started has it unless it is given it."""
        fd = nameless_file("tests")
        self.addCleanup(os.close, fd)
        self.assertFalse(os.get_inheritable(fd))
        os.write(fd, b"content")
        os.lseek(fd, 0, os.SEEK_SET)
        self.assertEqual(os.read(fd, 100), b"content")
        self.assertEqual(os.fstat(fd).st_nlink, 0)
