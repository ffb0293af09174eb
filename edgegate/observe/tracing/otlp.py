# Hot path: writes each span.
"""
Spans in OpenTelemetry's protocol: the message C{ExportTraceServiceRequest} in protobuf, that goes to C{/v1/traces}.

Numbers are those of U{https://github.com/open-telemetry/opentelemetry-proto}, version 1.
"""

from __future__ import annotations

from binascii import a2b_hex
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from edgegate.observe.tracing.protobuf import bytes_field, fixed64_field, number_field, text_field
from edgegate.observe.tracing.span import Span, Tag

CONTENT_TYPE: Final = "application/x-protobuf"

_SERVER, _CLIENT = 2, 3
"""Of C{Span.SpanKind}."""

_ERROR: Final = bytes_field(15, number_field(3, 2))
"""C{Span.status} whose code is C{STATUS_CODE_ERROR}."""


class OTLPWriter:
    """
    Writes spans of one service.

    @ivar content_type: Of what is sent.
    """

    __slots__ = ("_resource", "_scope", "content_type")

    def __init__(self, resource: Sequence[Tag], scope: str, version: str) -> None:
        """
        @param resource: What the service says of itself.
        @param scope: The name of what makes the spans, with its version.
        """
        self.content_type: Final = CONTENT_TYPE
        self._resource = bytes_field(1, b"".join(_attribute(1, name, value) for name, value in resource))
        self._scope = bytes_field(1, text_field(1, scope) + text_field(2, version))

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
            parts.append(_attribute(9, name, value))
        if span.error:
            parts.append(_ERROR)
        return bytes_field(2, b"".join(parts))

    def batch(self, spans: Sequence[bytes]) -> bytes:
        """Return the message that has some spans."""
        return bytes_field(1, self._resource + bytes_field(2, self._scope + b"".join(spans)))


def _attribute(field: int, name: str, value: str) -> bytes:
    """Return a C{KeyValue}. Those that are short, as most are, are put together at once."""
    key, data = _key(name), value.encode("utf-8", "backslashreplace")
    size = len(data)
    whole = len(key) + size + 4
    if whole < 128:
        return b"%c%c%b\x12%c\x0a%c%b" % (field << 3 | 2, whole, key, size + 2, size, data)
    return bytes_field(field, key + bytes_field(2, bytes_field(1, data)))


@lru_cache(maxsize=256)
def _key(name: str) -> bytes:
    return text_field(1, name)
