# Hot path: writes each span.
"""Spans as Zipkin's JSON, version 2, that goes to C{/api/v2/spans} (U{https://zipkin.io/zipkin-api/})."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from edgegate.observe.tracing.span import Span

CONTENT_TYPE: Final = "application/json"


class ZipkinWriter:
    """
    Writes spans of one service.

    @ivar content_type: Of what is sent.
    """

    __slots__ = ("_endpoint", "content_type")

    def __init__(self, service: str) -> None:
        self.content_type: Final = CONTENT_TYPE
        self._endpoint = {"serviceName": service}

    def span(self, span: Span) -> bytes:
        """Return a span as it stands in a batch. Zipkin counts microseconds, of which it has at least one."""
        shown: dict[str, object] = {
            "traceId": span.trace_id.decode("ascii"),
            "id": span.span_id.decode("ascii"),
            "name": span.name,
            "kind": "SERVER" if span.server else "CLIENT",
            "timestamp": span.started // 1000,
            "duration": max((span.ended - span.started) // 1000, 1),
            "localEndpoint": self._endpoint,
            "tags": {**dict(span.common), **dict(span.tags)},
        }
        if span.parent_id:
            shown["parentId"] = span.parent_id.decode("ascii")
        return json.dumps(shown, separators=(",", ":")).encode("ascii")

    def batch(self, spans: Sequence[bytes]) -> bytes:
        """Return the list that has some spans."""
        return b"[%b]" % b",".join(spans)
