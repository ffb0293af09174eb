"""Tests of L{edgegate.server.pidfile}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.pidfile import Pidfile


class PidfileTests(SynchronousTestCase):
    """A file that is taken away, and comes back."""

    def setUp(self) -> None:
        """Have one."""
        self.path = Path(self.mktemp())
        self.path.write_text("1")
        self.runner: dict[str, object] = {"pidfile": str(self.path)}
        self.pidfile = Pidfile(self.runner)

    def test_kept(self) -> None:
        """Where the new process fails it is this one's again, whoever has written it."""
        self.pidfile.prepare()
        self.assertFalse(self.path.exists())
        self.path.write_text("2")
        self.pidfile.keep()
        self.assertEqual(self.path.read_text(), str(os.getpid()))

    def test_handed_over(self) -> None:
        """The runner does not remove that of the new process."""
        self.pidfile.prepare()
        self.successResultOf(self.pidfile.hand_over(2))
        self.assertEqual((self.runner, self.pidfile.handed()), ({"pidfile": ""}, []))

    def test_none(self) -> None:
        """A runner without one has nothing to do."""
        for runner in ({}, {"pidfile": ""}, {"pidfile": None}):
            pidfile = Pidfile(dict[str, object](runner))
            pidfile.prepare()
            pidfile.keep()
        self.assertEqual(self.path.read_text(), "1")

    def test_cannot(self) -> None:
        """What can't be taken away is an error; what can't be written is logged."""
        pidfile = Pidfile({"pidfile": self.mktemp() + "/there/is/no/such"})
        pidfile.prepare()
        pidfile.keep()
        folder = Path(self.mktemp())
        folder.mkdir()
        self.assertRaises(OSError, Pidfile({"pidfile": str(folder)}).prepare)
