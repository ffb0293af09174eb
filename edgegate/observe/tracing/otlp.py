# Hot path: writes each span.
"""
Spans in OpenTelemetry's protocol: the message C{ExportTraceServiceRequest} in protobuf, that goes to C{/v1/traces}.

Numbers are those of U{https://github.com/open-telemetry/opentelemetry-proto}, version 1.
"""

from __future__ import annotations

from binascii import a2b_hex
from typing import Final

from edgegate.observe.export.otlp import OTLPBatches, attribute
from edgegate.observe.export.protobuf import bytes_field, fixed64_field, number_field, text_field
from edgegate.observe.tracing.span import Span

_SERVER, _CLIENT = 2, 3
"""Of C{Span.SpanKind}."""

_ERROR: Final = bytes_field(15, number_field(3, 2))
"""C{Span.status} whose code is C{STATUS_CODE_ERROR}."""


class OTLPWriter(OTLPBatches):
    """Writes spans of one service."""

    __slots__ = ()

    def span(self, span: Span) -> bytes:
        """Return a span as it stands in a batch."""
        parts = [
            bytes_field(1, a2b_hex(span.trace_id.rjust(32, b"0"))),
            bytes_field(2, a2b_hex(span.span_id)),
        ]
        if span.state:
            parts.append(bytes_field(3, span.state))
        if span.parent_id:
            parts.append(bytes_field(4, a2b_hex(span.parent_id)))
        parts.append(text_field(5, span.name))
        parts.append(number_field(6, _SERVER if span.server else _CLIENT))
        parts.append(fixed64_field(7, span.started))
        parts.append(fixed64_field(8, span.ended))
        for name, value in span.tags:
            parts.append(attribute(9, name, value))
        if span.error:
            parts.append(_ERROR)
        return bytes_field(2, b"".join(parts))
