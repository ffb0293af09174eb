"""Tests of L{edgegate.workers.worker_log}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.logger import LogEvent as TwistedEvent
from twisted.logger import formatEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from edgegate.startup import CannotStart
from edgegate.workers.messages import LogEvent
from edgegate.workers.worker_log import WorkerLog


class WorkerLogTests(SynchronousTestCase):
    """Both logs."""

    def setUp(self) -> None:
        """Have one."""
        self.log = WorkerLog()
        self.addCleanup(self.log.close)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def test_access_log(self) -> None:
        """The file is opened, and a new one when the old one was renamed; where that fails the old one stays."""
        self.log.open()
        self.assertIsNone(self.log.file)
        self.log.reopen()
        path = self.folder / "log"
        self.log.path = str(path)
        self.log.open()
        assert self.log.file is not None
        os.write(self.log.file, b"one")
        path.rename(self.folder / "old")
        self.log.reopen()
        os.write(self.log.file, b"two")
        self.assertEqual(((self.folder / "old").read_text(), path.read_text()), ("one", "two"))
        self.log.path = str(self.folder / "no" / "log")
        self.log.reopen()
        os.write(self.log.file, b"three")
        self.assertEqual(path.read_text(), "twothree")

    def test_cannot_open(self) -> None:
        """Where it can't be opened nothing starts."""
        self.log.path = str(self.folder / "no" / "log")
        error = self.assertRaises(CannotStart, self.log.open)
        self.assertIn("cannot open the access log", str(error))

    def test_service_log(self) -> None:
        """What a worker logs has its level and place, and tells which worker it was."""
        events: list[TwistedEvent] = []
        globalLogPublisher.addObserver(events.append)
        self.addCleanup(globalLogPublisher.removeObserver, events.append)
        self.log.tell(2, LogEvent("warn", "edgegate.x", "so {it} is"))
        (event,) = events
        self.assertEqual(formatEvent(event), "worker 2: so {it} is")
        self.assertEqual((event["log_level"].name, event["log_namespace"]), ("warn", "edgegate.x"))
