"""Tests of L{edgegate.access_log.otlp_records}: what OpenTelemetry's own messages read of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from edgegate.access_log.otlp_records import RecordOutput, RecordWriter
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import DefaultFormat, JSONObject, json_format, read_json_format, text_format
from edgegate.model.tracing import Propagation
from edgegate.observe.events import RejectedConnection
from edgegate.observe.export.otlp import OTLPBatches
from edgegate.observe.log_lines import NAMES
from edgegate.observe.tracing.context import TraceContext
from edgegate.observe.tracing.trace import Propagator, Trace
from tests.access_log.records import AHEAD, ENDED, STARTED, RecordCase

WANTED = AccessLogFile("otlp:http://collector.example")


def labels(**given: Any) -> JSONObject:
    """Return what a provider's labels are read as."""
    return json_format(given).value


def nanoseconds(seconds: float) -> int:
    """Return a time as records have it."""
    return int(seconds * 1e6) * 1000


class OTLPRecordsTests(RecordCase):
    """What a collector reads of one line."""

    def read(self, wanted: AccessLogFile, ended: Any = None) -> LogRecord:
        """Return the record of a request, or of what else ended."""
        found = ExportLogsServiceRequest()
        written = RecordWriter(wanted).record(self.exchange if ended is None else ended, ENDED, AHEAD)
        found.ParseFromString(OTLPBatches([]).batch([written]))
        (record,) = found.resource_logs[0].scope_logs[0].log_records
        return record

    def attributes(self, wanted: AccessLogFile) -> dict[str, Any]:
        """Return what the record of a request says besides its text."""
        found = self.read(wanted)
        return {each.key: MessageToDict(each.value) for each in found.attributes}

    def test_default(self) -> None:
        """By default the text is Istio's line, and there is nothing besides."""
        record = self.read(WANTED)
        self.assertEqual(record.body.string_value + "\n", self.line(DefaultFormat.TEXT))
        self.assertEqual(record.time_unix_nano, nanoseconds(STARTED + AHEAD))
        self.assertEqual(record.observed_time_unix_nano, nanoseconds(ENDED + AHEAD))
        self.assertEqual((len(record.attributes), record.trace_id, record.span_id, record.flags), (0, b"", b"", 0))

    def test_all_kinds(self) -> None:
        """Relays and rejected connections have records, too."""
        for ended in (self.relay, self.rejected):
            record = self.read(WANTED, ended)
            self.assertEqual(record.body.string_value + "\n", self.line(DefaultFormat.TEXT, ended))

    def test_formats(self) -> None:
        """A provider says what the text is, and what there is besides; all values of operators are texts."""
        wanted = replace(
            WANTED,
            format=text_format("%REQ(x-added)% took %DURATION%"),
            attributes=labels(code="%RESPONSE_CODE%", both="%PROTOCOL% %REQ(none)%", none="%REQ(none)%"),
        )
        self.assertEqual(self.read(wanted).body.string_value, "yes took 15")
        expected = {"code": "200", "both": "HTTP/1.1 -", "none": "-"}
        self.assertEqual(self.attributes(wanted), {key: {"stringValue": text} for key, text in expected.items()})

    def test_nested(self) -> None:
        """Objects, lists and constants are what they are."""
        wanted = replace(
            WANTED, attributes=labels(a={"b": ["%PROTOCOL%", 1, -2, 2.5, True, None], "c": {}}, none=None, big=2**70)
        )
        values = [
            {"stringValue": "HTTP/1.1"},
            {"intValue": "1"},
            {"intValue": "-2"},
            {"doubleValue": 2.5},
            {"boolValue": True},
            {},
        ]
        inner = [
            {"key": "b", "value": {"arrayValue": {"values": values}}},
            {"key": "c", "value": {"kvlistValue": {}}},
        ]
        self.assertEqual(
            self.attributes(wanted), {"a": {"kvlistValue": {"values": inner}}, "big": {"doubleValue": float(2**70)}}
        )

    def test_json(self) -> None:
        """A JSON format of an option, or of a file's provider, says what there is besides the default text."""
        wanted = replace(WANTED, format=read_json_format('{"code": "%RESPONSE_CODE%", "none": "%REQ(none)%"}'))
        self.assertEqual(self.attributes(wanted), {"code": {"stringValue": "200"}, "none": {"stringValue": "-"}})
        self.assertIn('"GET ', self.read(wanted).body.string_value)
        sparse = replace(wanted, format=replace(wanted.format, omit_empty=True))  # type: ignore[type-var]
        self.assertEqual(self.attributes(sparse), {"code": {"stringValue": "200"}})
        every = self.attributes(replace(WANTED, format=DefaultFormat.JSON))
        self.assertEqual(list(every), list(NAMES))
        self.assertEqual(
            (every["response_code"], every["requested_server_name"]), ({"stringValue": "200"}, {"stringValue": "-"})
        )

    def test_traced(self) -> None:
        """Where the request is traced its record is in the same trace, by the gateway's span."""
        propagator = Propagator(Propagation.B3)
        for context, sampled, whole in (
            (None, True, None),
            (TraceContext(b"a" * 16, b"b" * 16, False), False, "0" * 16 + "a" * 16),
        ):
            trace = self.exchange.trace = Trace(propagator, context, False, sampled, b"")
            record = self.read(WANTED)
            self.assertEqual(record.trace_id.hex(), whole or trace.trace_id.decode())
            self.assertEqual(record.span_id.hex(), trace.span_id.decode())
            self.assertEqual(record.flags, int(sampled))

    def test_filter(self) -> None:
        """What a filter does not let through has no record, nor what is not to be logged of unknown servers."""
        filtered = RecordWriter(replace(WANTED, filter="response.code >= 500"))
        self.assertEqual(filtered.record(self.exchange, ENDED, AHEAD), b"")
        self.exchange.status = 503
        self.assertNotEqual(filtered.record(self.exchange, ENDED, AHEAD), b"")
        known = RecordWriter(replace(WANTED, unmatched=False))
        self.assertEqual(known.record(self.rejected, ENDED, AHEAD), b"")
        slow = RejectedConnection(self.rejected.peer, self.rejected.local, "timeout")
        self.assertNotEqual(known.record(slow, ENDED, AHEAD), b"")

    def test_no_text(self) -> None:
        """What is no UTF-8 is escaped, so that the batch can be read."""
        self.exchange.head.fields.append((b"x-raw", b"\xff\n"))
        self.exchange.asked = None
        wanted = replace(WANTED, format=text_format("%REQ(x-raw)%"), attributes=labels(raw="%REQ(x-raw)%"))
        self.assertEqual(self.read(wanted).body.string_value, "\\xff\\x0a")
        self.assertEqual(self.attributes(wanted), {"raw": {"stringValue": "\\xff\n"}})

    def test_output(self) -> None:
        """A record that can't be made takes no others with it, and is logged once."""
        sent: list[bytes] = []
        output = RecordOutput(RecordWriter(WANTED), sent.append)
        broken: Any = object()
        output.put([(self.exchange, ENDED), (broken, ENDED), (broken, ENDED), (self.relay, ENDED)], AHEAD)
        self.assertEqual(len(sent), 2)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
