"""Tests of L{edgegate.access_log.destinations}."""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.destinations import LONGEST, log_file
from edgegate.observe.log_file import LogFile

MESSAGE = re.compile(rb"<134>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z \S+ edgegate \d+ access - (.*)")
PATIENCE = 10.0


class SyslogTests(SynchronousTestCase):
    """Lines that go to a syslog."""

    def setUp(self) -> None:
        """Have a syslog."""
        self.path = Path(f"/tmp/edgegate-test-syslog-{os.getpid()}")
        self.addCleanup(lambda: self.path.unlink(missing_ok=True))
        self.said: list[str] = []

    def syslog(self) -> socket.socket:
        """Listen."""
        self.path.unlink(missing_ok=True)
        made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        made.bind(str(self.path))
        made.settimeout(PATIENCE)
        self.addCleanup(made.close)
        return made

    def log(self, path: str) -> LogFile:
        """Open a log."""
        log = log_file(path, self.said.append)
        log.open()
        self.addCleanup(log.close)
        return log

    def test_local(self) -> None:
        """Each line is a message, as RFC 5424 has it; one that is too long for a message is cut."""
        syslog = self.syslog()
        log = self.log(f"syslog:unix:{self.path}")
        log.write(b"one\ntwo\n" + b"x" * (LONGEST + 1) + b"\n")
        found = [MESSAGE.fullmatch(syslog.recv(1 << 17)) for _ in range(3)]
        self.assertEqual([each and each[1] for each in found], [b"one", b"two", b"x" * LONGEST])

    def test_udp(self) -> None:
        """So is each by UDP."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as syslog:
            syslog.bind(("127.0.0.1", 0))
            syslog.settimeout(PATIENCE)
            log = self.log(f"syslog:udp:127.0.0.1:{syslog.getsockname()[1]}")
            log.write(b"one\n")
            self.assertTrue(MESSAGE.fullmatch(syslog.recv(1000)))

    def test_started_anew(self) -> None:
        """A syslog that was started anew gets the lines from then on; those in between are counted."""
        syslog = self.syslog()
        log = self.log(f"syslog:unix:{self.path}")
        syslog.close()
        self.path.unlink()
        log.write(b"lost\n")
        log.close()
        self.assertEqual(log.lost, 1)
        self.assertIn("lines are lost until it can be written again, 1 so far", self.said[0])
        first = self.syslog()
        log = self.log(f"syslog:unix:{self.path}")
        first.close()
        again = self.syslog()
        log.write(b"kept\n")
        self.assertTrue(MESSAGE.fullmatch(again.recv(1000)))
        self.assertEqual(log.lost, 0)

    def test_none(self) -> None:
        """One that is not there when the log is opened is told."""
        self.assertRaises(FileNotFoundError, self.log, "syslog:unix:/nowhere/log")
