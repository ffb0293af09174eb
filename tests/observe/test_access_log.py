"""Tests of L{edgegate.observe.access_log}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.access_log import BATCH, DELAY, AccessLog, LineOutput, line_of
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.log_lines import Values, text_line
from tests.observe.test_log_lines import AnyConnection, AnyRequest


class AccessLogTests(SynchronousTestCase):
    """When lines are made."""

    def setUp(self) -> None:
        """Make a log whose lines are one field."""
        self.written: list[bytes] = []
        self.timers: list[float] = []
        self.made = 0
        self.log = AccessLog([LineOutput(line_of(self.line), self.written.append)], self.timers.append)

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
        log = AccessLog([LineOutput(line_of(text_line), self.written.append)], self.timers.append)
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

        log = AccessLog([LineOutput(line_of(line), self.written.append)], self.timers.append)
        for status in (200, 500, 404, 500):
            log.request_ended(AnyRequest(status=status))
        log.flush()
        self.assertEqual(self.written, [b"200\n404\n"])
        self.assertEqual(len(self.flushLoggedErrors(ValueError)), 1)

    def test_several(self) -> None:
        """Each log has lines of its own; one that has none to write is not written to."""
        others: list[bytes] = []
        nobodys: list[bytes] = []
        self.log.use(
            [
                LineOutput(line_of(self.line), self.written.append),
                LineOutput(lambda ended, at, ahead: "x\n", others.append),
                LineOutput(lambda ended, at, ahead: "", nobodys.append),
            ]
        )
        self.log.request_ended(AnyRequest())
        self.log.flush()
        self.assertEqual((self.written, others, nobodys), ([b"200\n"], [b"x\n"], []))

    def test_others(self) -> None:
        """What ended before other logs are used is written to those before."""
        others: list[bytes] = []
        self.log.request_ended(AnyRequest())
        self.log.use([LineOutput(line_of(self.line), others.append)])
        self.log.request_ended(AnyRequest(status=404))
        self.log.flush()
        self.assertEqual((self.written, others), ([b"200\n"], [b"404\n"]))
