"""Tests of L{edgegate.access_log.record}."""

from __future__ import annotations

from edgegate.access_log.record import NO_RESPONSE, LogRecord
from tests.access_log.records import AHEAD, ENDED, RecordCase


class RecordTests(RecordCase):
    """What lines are made of."""

    def test_times(self) -> None:
        """A record knows when it began, by the clock on the wall, and how long it took."""
        record = LogRecord(self.exchange, ENDED, AHEAD)
        self.assertEqual((record.began, record.duration), (AHEAD + 1.0, 0.015625))

    def test_kinds(self) -> None:
        """A relay and a rejected connection are seen as exchanges without a request."""
        self.assertTrue(LogRecord(self.exchange, ENDED, AHEAD).is_request)
        for ended in (self.relay, self.rejected):
            record = LogRecord(ended, ENDED, AHEAD)
            self.assertFalse(record.is_request)
            stream = record.stream
            self.assertEqual((stream.head.method, stream.headers, stream.identity_fields()), (b"", [], []))
            self.assertEqual((stream.port, stream.status, stream.trailers), (80, 0, None))

    def test_message(self) -> None:
        """Operators of headers are asked about the message that the client got, which is made once."""
        record = LogRecord(self.exchange, ENDED, AHEAD)
        self.assertIs(record.message, record.message)
        self.assertIn((b"content-length", b"5"), record.message.fields)
        self.exchange.response = None
        self.assertIs(LogRecord(self.exchange, ENDED, AHEAD).message.answer, NO_RESPONSE)

    def test_request_fields(self) -> None:
        """The fields of the request are those that its backend got."""
        found = LogRecord(self.exchange, ENDED, AHEAD).request_fields()
        self.assertIn((b"x-added", b"yes"), found)
        self.assertIn((b":path", b"/new?b=c"), found)
        self.exchange.asked = None
        found = LogRecord(self.exchange, ENDED, AHEAD).request_fields()
        self.assertIn((b"x-a", b"1"), found)
        self.assertIn((b"x-request-id", self.exchange.request_id), found)
