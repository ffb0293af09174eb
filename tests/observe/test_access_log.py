"""Tests of L{edgegate.observe.access_log}."""

from __future__ import annotations

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.access_log import BATCH, DELAY, AccessLog, AccessLogService
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.log_file import LogFile
from edgegate.observe.log_lines import Values, text_line
from tests.observe.test_log_lines import AnyConnection, AnyRequest


class AccessLogTests(SynchronousTestCase):
    """When lines are made."""

    def setUp(self) -> None:
        """Make a log whose lines are one field."""
        self.written: list[bytes] = []
        self.timers: list[float] = []
        self.made = 0
        self.log = AccessLog(self.line, self.written.append, self.timers.append)

    def line(self, values: Values) -> str:
        """Make a line."""
        self.made += 1
        return f"{values[4]}\n"

    def test_together(self) -> None:
        """Lines wait for others for a while, and are made and written together."""
        for status in (200, 404):
            self.log.request_ended(AnyRequest(status=status))
        self.assertEqual((self.made, self.timers), (0, [DELAY]))
        self.log.flush()
        self.assertEqual(self.written, [b"200\n404\n"])
        self.log.flush()
        self.assertEqual(len(self.written), 1)

    def test_many(self) -> None:
        """Many do not wait."""
        for _ in range(2 * BATCH + 1):
            self.log.request_ended(AnyRequest())
        self.assertEqual([lines.count(b"\n") for lines in self.written], [BATCH, BATCH])

    def test_all_kinds(self) -> None:
        """Requests, relays and rejected connections are told apart."""
        log = AccessLog(text_line, self.written.append, self.timers.append)
        log.relay_ended(RelayEnd(AnyConnection()))
        log.connection_rejected(RejectedConnection("peer", "local", "timeout"))
        log.request_ended(AnyRequest())
        log.flush()
        (lines,) = self.written
        self.assertEqual(
            [(b"timeout" in line, b"GET" in line) for line in lines.splitlines()],
            [(False, False), (True, False), (False, True)],
        )

    def test_line_that_cannot_be_made(self) -> None:
        """One line that can't be made is left out, alone; that it is so is logged once."""

        def line(values: Values) -> str:
            if values[4] == 500:
                raise ValueError("no line")
            return f"{values[4]}\n"

        log = AccessLog(line, self.written.append, self.timers.append)
        for status in (200, 500, 404, 500):
            log.request_ended(AnyRequest(status=status))
        log.flush()
        self.assertEqual(self.written, [b"200\n404\n"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)


class AccessLogServiceTests(SynchronousTestCase):
    """The log in its file."""

    def setUp(self) -> None:
        """Make a log in a file."""
        self.path = Path(self.mktemp())
        self.clock = Clock()
        self.service = AccessLogService(self.clock, LogFile(str(self.path), self.fail), lambda values: f"{values[4]}\n")

    def start(self) -> None:
        """Start as an application does."""
        self.service.privilegedStartService()
        self.service.startService()

    def test_end(self) -> None:
        """The end writes everything, and leaves no timer behind."""
        self.start()
        self.service.log.request_ended(AnyRequest())
        self.service.stopService()
        self.assertEqual(self.path.read_bytes(), b"200\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_timer(self) -> None:
        """One timer serves all that wait; none runs while nothing does."""
        self.start()
        for _ in range(3):
            self.service.log.request_ended(AnyRequest())
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(DELAY)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.service.log.request_ended(AnyRequest())
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.service.stopService()
        self.assertEqual(self.path.read_bytes(), b"200\n" * 4)

    def test_reopen(self) -> None:
        """What ended before the file was renamed stands in the old one."""
        self.start()
        self.service.log.request_ended(AnyRequest())
        other = self.path.rename(self.path.with_suffix(".1"))
        self.service.reopen()
        self.service.log.request_ended(AnyRequest(status=404))
        self.service.stopService()
        self.assertEqual((other.read_bytes(), self.path.read_bytes()), (b"200\n", b"404\n"))

    def test_cannot_open(self) -> None:
        """A log that can't be opened ends the start with one line."""
        service = AccessLogService(self.clock, LogFile(f"{self.path}/no/log", self.fail), text_line)
        self.assertRaises(SystemExit, service.privilegedStartService)
