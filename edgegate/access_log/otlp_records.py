# Hot path: makes each record of a log that goes to a collector.
"""
Lines of the access log as records of OpenTelemetry's (C{LogRecord}), of the shape that Envoy's logger gives them.

The text is the body, what the files ask for besides are attributes, and all values of operators are texts there; the
trace and the span are those of the gateway, where the request is traced.
"""

from __future__ import annotations

import json
from binascii import a2b_hex
from collections.abc import Callable
from struct import pack
from typing import Final

from edgegate.access_log.conditions import Condition, condition
from edgegate.access_log.lines import plain, record_line, template_of
from edgegate.access_log.record import LogRecord
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import (
    DefaultFormat,
    JSONArray,
    JSONConstant,
    JSONFormat,
    JSONObject,
    Node,
    TextFormat,
)
from edgegate.observe.access_log import Entry, Output, line_of
from edgegate.observe.events import Ended, RejectedConnection, RelayEnd
from edgegate.observe.export.otlp import key_field
from edgegate.observe.log_lines import NAMES, Values, text_line
from edgegate.observe.tracing.trace import Trace
from edgegate.protobuf.writing import bytes_field, fixed32_field, fixed64_field, number_field

Body = Callable[[LogRecord], str]

Attributes = Callable[[LogRecord], bytes]
"""Gives the C{attributes} of a record, each with its number."""

AnyValue = Callable[[LogRecord], bytes]
"""Gives a C{AnyValue}; empty: there is none, and its key is left out."""

_STRING, _BOOL, _INT, _DOUBLE, _ARRAY, _KEYS = 1, 2, 3, 4, 5, 6
"""Fields of C{AnyValue}."""

_BODY, _ATTRIBUTES, _FLAGS, _TRACE, _SPAN, _OBSERVED = 5, 6, 8, 9, 10, 11
"""Fields of C{LogRecord}; the first is when it happened."""

_SAMPLED: Final = fixed32_field(_FLAGS, 1)


class RecordWriter:
    """Makes the records of one log."""

    __slots__ = ("_attributes", "_body", "_holds", "_unmatched")

    def __init__(self, wanted: AccessLogFile) -> None:
        """
        @raise edgegate.model.cel.BadExpression: Its filter is no expression.
        """
        form = wanted.format
        self._holds: Condition | None = condition(wanted.filter) if wanted.filter else None
        self._unmatched = wanted.unmatched
        self._body = _body(form if isinstance(form, TextFormat) else None)
        self._attributes: Attributes | None = None
        if wanted.attributes is not None:
            self._attributes = _attributes(wanted.attributes, False)
        elif isinstance(form, JSONFormat):
            self._attributes = _attributes(form.value, form.omit_empty)
        elif form is DefaultFormat.JSON:
            self._attributes = _default_attributes()

    def record(self, ended: Ended | RelayEnd | RejectedConnection, at: float, ahead: float) -> bytes:
        """Return what ended as it stands in a batch; empty: it is none of what is logged."""
        if not self._unmatched and isinstance(ended, RejectedConnection) and ended.unknown:
            return b""
        seen = LogRecord(ended, at, ahead)
        if self._holds is not None and not self._holds(seen):
            return b""
        body = self._body(seen).removesuffix("\n").encode("utf-8", "backslashreplace")
        parts = [
            fixed64_field(1, _nanoseconds(seen.began)),
            bytes_field(_BODY, bytes_field(_STRING, body)),
        ]
        if self._attributes is not None:
            parts.append(self._attributes(seen))
        trace = seen.stream.trace
        if trace is not None:
            parts.append(_trace(trace))
        parts.append(fixed64_field(_OBSERVED, _nanoseconds(at + ahead)))
        return bytes_field(2, b"".join(parts))


class RecordOutput(Output):
    """Has what ended sent to a collector."""

    __slots__ = ("_add", "_writer")

    def __init__(self, writer: RecordWriter, add: Callable[[bytes], None]) -> None:
        """
        @param add: Takes a record.
        """
        super().__init__()
        self._writer = writer
        self._add = add

    def put(self, entries: list[Entry], ahead: float) -> None:
        """See L{Output.put}."""
        for ended, at in entries:
            try:
                record = self._writer.record(ended, at, ahead)
            except Exception:
                self.broke()
                continue
            if record:
                self._add(record)


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e6) * 1000


def _trace(trace: Trace) -> bytes:
    """Return where a record belongs; a short id of B3 is filled up."""
    ids = bytes_field(_TRACE, a2b_hex(trace.trace_id.rjust(32, b"0"))) + bytes_field(_SPAN, a2b_hex(trace.span_id))
    return _SAMPLED + ids if trace.sampled else ids


def _body(form: TextFormat | None) -> Body:
    """Return what makes the text, by default Istio's line."""
    if form is not None:
        return record_line(form)
    make = line_of(text_line)
    return lambda record: make(record.ended, record.at, record.began - record.stream.started)


# Attributes -----------------------------------------------------------------------------------------------------------


def _attributes(value: JSONObject, omit_empty: bool) -> Attributes:
    return _keys(value, omit_empty, _ATTRIBUTES)


def _keys(value: JSONObject, omit_empty: bool, field: int) -> Callable[[LogRecord], bytes]:
    """
    Return what makes C{KeyValue}s.

    @param field: Their number in what they belong to.
    """
    made = [(key_field(key), _any_value(each, omit_empty)) for key, each in value.fields]

    def keys(record: LogRecord) -> bytes:
        found = [(key, value(record)) for key, value in made]
        return b"".join([bytes_field(field, key + bytes_field(2, value)) for key, value in found if value])

    return keys


def _any_value(node: Node, omit_empty: bool) -> AnyValue:
    if isinstance(node, JSONObject):
        keys = _keys(node, omit_empty, 1)
        return lambda record: bytes_field(_KEYS, keys(record))
    if isinstance(node, JSONArray):
        items = [_any_value(each, omit_empty) for each in node.items]

        def listed(record: LogRecord) -> bytes:
            return bytes_field(_ARRAY, b"".join([bytes_field(1, each(record)) for each in items]))

        return listed
    if isinstance(node, JSONConstant):
        constant = _constant(node)
        return lambda record: constant
    return _text(node, omit_empty)


def _text(form: TextFormat, omit_empty: bool) -> AnyValue:
    template, getters = template_of(form)
    empty = "" if omit_empty else "-"

    def text(record: LogRecord) -> bytes:
        found = template % tuple([plain(find(record), empty) or empty for find in getters])
        return b"" if omit_empty and not found else _string(found)

    return text


def _string(text: str) -> bytes:
    return bytes_field(_STRING, text.encode("utf-8", "backslashreplace"))


def _constant(node: JSONConstant) -> bytes:
    value: object = json.loads(node.text)
    if value is True or value is False:
        return number_field(_BOOL, 1 if value is True else 0)
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        # negative numbers are those of 64 bits
        return number_field(_INT, value % 2**64)
    if isinstance(value, int | float):
        return b"%c%b" % (_DOUBLE << 3 | 1, pack("<d", value))
    return b""


def _default_attributes() -> Attributes:
    """Return what makes attributes of the default fields."""
    keys = [key_field(name) for name in NAMES]

    def written(values: Values) -> bytes:
        texts = ["-" if value is None else str(value) for value in values]
        pairs = zip(keys, texts, strict=True)
        return b"".join([bytes_field(_ATTRIBUTES, key + bytes_field(2, _string(text))) for key, text in pairs])

    make = line_of(written)
    return lambda record: make(record.ended, record.at, record.began - record.stream.started)
