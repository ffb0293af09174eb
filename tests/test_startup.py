"""Tests of L{edgegate.startup}; whole processes are started in tests/acceptance."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

from twisted.application.service import Service
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from twisted.trial.unittest import SynchronousTestCase

from edgegate.startup import CannotStart, Startup


class Refusing(Service):
    """Can't begin."""

    def __init__(self, privileged: bool) -> None:
        self.privileged = privileged

    def privilegedStartService(self) -> None:
        if self.privileged:
            raise CannotStart("no way")

    def startService(self) -> None:
        raise CannotStart("no way")


class StartupTests(SynchronousTestCase):
    """What whoever started a process is told."""

    def setUp(self) -> None:
        """Make what stands for the standard error of the terminal."""
        self.told = Path(self.mktemp())

    def startup(self, logged: bool) -> Startup:
        """Return what runs under twistd."""
        self.descriptor = os.open(self.told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        return Startup(self.descriptor, logged)

    def test_exception(self) -> None:
        """What ends the start is what twistd tells its parent of, and Python makes an exit status and a line of."""
        error = CannotStart("no way")
        self.assertIsInstance(error, Exception)
        self.assertEqual((error.code, str(error)), ("no way", "no way"))

    def test_refused(self) -> None:
        """The line is told in either step; where the log is seen at the same place it is left out there."""
        events: list[LogEvent] = []
        observer = cast(ILogObserver, events.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)
        for privileged in (True, False):
            for logged in (True, False):
                startup = self.startup(logged)
                Refusing(privileged).setServiceParent(startup)  # type: ignore[no-untyped-call]
                if not privileged:
                    startup.privilegedStartService()
                begin = startup.privilegedStartService if privileged else startup.startService
                error = self.assertRaises(CannotStart, begin)
                self.assertEqual(error.code, 1)
                self.assertEqual([event["line"] for event in events if "line" in event], ["no way"] if logged else [])
                events.clear()
                self.assertEqual(self.told.read_text(), "no way\n")
                self.assertRaises(OSError, os.fstat, self.descriptor)

    def test_nobody_listens(self) -> None:
        """Where the terminal is gone the log has the line."""
        reader, writer = os.pipe()
        os.close(reader)
        startup = Startup(writer, False)
        Refusing(True).setServiceParent(startup)  # type: ignore[no-untyped-call]
        error = self.assertRaises(CannotStart, startup.privilegedStartService)
        self.assertEqual(error.code, "no way")

    def test_begun(self) -> None:
        """Once all has begun, standard error is let go: whoever reads it sees its end."""
        startup = self.startup(True)
        Service().setServiceParent(startup)  # type: ignore[no-untyped-call]
        startup.privilegedStartService()
        startup.startService()
        self.assertRaises(OSError, os.fstat, self.descriptor)
        self.assertEqual(self.told.read_text(), "")
