# Hot path: writes each span.
"""
Spans in OpenTelemetry's protocol: the message C{ExportTraceServiceRequest} in protobuf, that goes to C{/v1/traces}.

Numbers are those of U{https://github.com/open-telemetry/opentelemetry-proto}, version 1.
"""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Sequence
from struct import Struct
from typing import Final

from edgegate.observe.export.otlp import Attribute, OTLPBatches, attribute
from edgegate.observe.tracing.span import Span, Tag
from edgegate.protobuf.writing import bytes_field, number_field, text_field

_SERVER, _CLIENT = 2, 3
"""Of C{Span.SpanKind}."""

_ERROR: Final = bytes_field(15, number_field(3, 2))
"""C{Span.status} whose code is C{STATUS_CODE_ERROR}."""


_TIMES: Final = Struct("<BBBQBQ")
"""C{Span.kind}, field 6, and the times, fields 7 and 8 of 64 bits, each behind its number."""


class OTLPWriter(OTLPBatches):
    """Writes spans of one service."""

    __slots__ = ("_common", "_written")

    def __init__(self, resource: Sequence[Attribute]) -> None:
        super().__init__(resource)
        # the tags that all spans have are written once
        self._common: list[Tag] = []
        self._written = b""

    def span(self, span: Span) -> bytes:
        """Return a span as it stands in a batch."""
        # fields 1 and 2, of 16 and 8 bytes
        parts = [b"\x0a\x10%b\x12\x08%b" % (a2b_hex(span.trace_id.rjust(32, b"0")), a2b_hex(span.span_id))]
        if span.state:
            parts.append(bytes_field(3, span.state))
        if span.parent_id:
            parts.append(bytes_field(4, a2b_hex(span.parent_id)))
        parts.append(text_field(5, span.name))
        parts.append(_TIMES.pack(0x30, _SERVER if span.server else _CLIENT, 0x39, span.started, 0x41, span.ended))
        if span.common is not self._common:
            self._common = span.common
            self._written = b"".join([attribute(9, name, value) for name, value in span.common])
        parts.append(self._written)
        for name, value in span.tags:
            parts.append(attribute(9, name, value))
        if span.error:
            parts.append(_ERROR)
        return bytes_field(2, b"".join(parts))
