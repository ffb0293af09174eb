"""Tests of L{edgegate.http.formatter_context}."""

from __future__ import annotations

from edgegate.access_log.record import LogRecord
from edgegate.http.formatter_context import Message, StreamInfo
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import MEANINGS
from tests.access_log.records import AHEAD, ENDED, RecordCase

ASKED = {name for name in vars(StreamInfo) if not name.startswith("_")}
"""What operators may ask a stream for."""


class StreamInfoTests(RecordCase):
    """Those who are asked what operators stand for."""

    def test_known(self) -> None:
        """A request, a relay and a rejected connection know all that they may be asked for."""
        self.assertIn("upstream_local", ASKED)
        for ended in (self.exchange, self.relay, self.rejected):
            stream = LogRecord(ended, ENDED, AHEAD).stream
            for name in ASKED:
                self.assertTrue(hasattr(stream, name), (ended, name))

    def test_answered(self) -> None:
        """Each operator has a value for each of them, of a request and of a response; none raises."""
        answer = ResponseHead(200, b"OK", [(b"x-b", b"b")])
        for ended in (self.exchange, self.relay, self.rejected):
            stream = LogRecord(ended, ENDED, AHEAD).stream
            for message in (Message([(b"x-a", b"1")]), Message(answer.fields, answer)):
                for name, meaning in MEANINGS.items():
                    argument = "DS_RX_BEG:US_RX_BEG" if name == "COMMON_DURATION" else ""
                    self.assertIsInstance(meaning(stream, message, argument), bytes, name)
