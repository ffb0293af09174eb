# Hot path: says of each span what it was.
"""What spans say of their requests, in Envoy's names (C{HttpTracerUtility}) and Istio's."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Final

from edgegate.errors import response_flags
from edgegate.model.tracing import CustomTag, TagSource, Tracing
from edgegate.observe.events import Ended
from edgegate.observe.tracing.span import Tag
from edgegate.observe.tracing.trace import Trace, Try

_GRPC_ERRORS: Final = frozenset((b"2", b"4", b"12", b"13", b"14", b"15"))
"""Statuses that are a backend's fault: unknown, deadline exceeded, unimplemented, internal, unavailable, data loss."""

_PROTOCOLS: Final = {"1.0": "HTTP/1.0", "1.1": "HTTP/1.1", "2": "HTTP/2"}


class Tags:
    """
    Makes the tags of spans.

    @ivar common: Those that all spans have; it never changes.
    """

    __slots__ = ("_headers", "_length", "common")

    def __init__(self, tracing: Tracing, environment: Mapping[str, str] = os.environ) -> None:
        """
        @param environment: The process's.
        """
        self._length = tracing.tag_length
        self.common: Final[list[Tag]] = [("component", "proxy")]
        if tracing.node:
            self.common.append(("node_id", tracing.node))
        if tracing.zone:
            self.common.append(("zone", tracing.zone))
        self.common.extend(tracing.istio_tags)
        self._headers: list[CustomTag] = []
        for tag in tracing.tags:
            if tag.source is TagSource.HEADER:
                self._headers.append(tag)
                continue
            value = tag.value if tag.source is TagSource.LITERAL else environment.get(tag.value, tag.default)
            if value:
                self.common.append((tag.name, value))

    def of_request(self, exchange: Ended, trace: Trace) -> tuple[list[Tag], bool]:
        """Return what the span of a request says, and whether that is an error."""
        head = exchange.head
        fields = head.fields
        length = self._length
        tags = [
            ("guid:x-request-id", _text(exchange.request_id, length)),
            ("http.url", self._url(exchange)),
            ("http.method", _text(head.method, length)),
            ("http.protocol", _PROTOCOLS.get(head.version, "-")),
            ("http.status_code", str(exchange.status)),
            ("user_agent", _value(fields, b"user-agent", length)),
            ("downstream_cluster", _value(fields, b"x-envoy-downstream-service-cluster", length)),
            ("peer.address", _host(exchange.connection.peer)),
            ("request_size", str(exchange.received)),
            ("response_size", str(exchange.sent)),
            ("response_flags", ",".join(response_flags(exchange.fault, exchange.flags)) or "-"),
        ]
        if exchange.cluster:
            tags += _cluster(exchange.cluster)
        error = exchange.status == 0 or exchange.status >= 500
        if exchange.asks_grpc:
            error = self._grpc(exchange, trace, tags) or error
        for tag in self._headers:
            value = _value(fields, tag.value.encode("ascii"), length, tag.default)
            if value:
                tags.append((tag.name, value))
        if error:
            tags.append(("error", "true"))
        return tags, error

    def of_try(self, exchange: Ended, trace: Trace, tried: Try, last: bool) -> tuple[list[Tag], bool]:
        """
        Return what the span of a try says, and whether that is an error.

        @param last: Whether its response is the request's.
        """
        fault = exchange.fault if last and tried.fault is None else tried.fault
        address = str(tried.endpoint)
        tags = [
            ("http.protocol", tried.protocol),
            *_cluster(exchange.cluster),
            ("upstream_address", address),
            ("peer.address", address),
            ("http.status_code", str(tried.status)),
            ("response_flags", ",".join(response_flags(fault, "")) or "-"),
        ]
        if tried.number > 1:
            tags.append(("retry.count", str(tried.number - 1)))
        cancelled = tried.status == 0 and tried.fault is None
        if cancelled:
            tags.append(("canceled", "true"))
        error = cancelled or fault is not None or tried.status >= 500
        if last and trace.grpc_status:
            tags += self._grpc_status(trace)
            error = error or trace.grpc_status in _GRPC_ERRORS
        if error:
            tags.append(("error", "true"))
        return tags, error

    def of_shadow(self, cluster: str, endpoint: object, status: int) -> tuple[list[Tag], bool]:
        """Return what the span of a copy for a mirror says, and whether that is an error."""
        tags = [*_cluster(cluster), ("http.status_code", str(status))]
        if endpoint is not None:
            tags += [("upstream_address", str(endpoint)), ("peer.address", str(endpoint))]
        error = status == 0 or status >= 500
        if error:
            tags.append(("error", "true"))
        return tags, error

    def _url(self, exchange: Ended) -> str:
        head, length = exchange.head, self._length
        authority, target = _text(head.authority, length), _text(head.target, length)
        return f"{_text(exchange.scheme, length)}://{authority}{target}"

    def _grpc(self, exchange: Ended, trace: Trace, tags: list[Tag]) -> bool:
        head, length = exchange.head, self._length
        tags += (
            ("grpc.path", _text(head.target, length)),
            ("grpc.authority", _text(head.authority, length)),
            ("grpc.content_type", _value(head.fields, b"content-type", length)),
        )
        timeout = _value(head.fields, b"grpc-timeout", length, "")
        if timeout:
            tags.append(("grpc.timeout", timeout))
        tags += self._grpc_status(trace)
        return trace.grpc_status in _GRPC_ERRORS

    def _grpc_status(self, trace: Trace) -> list[Tag]:
        tags = []
        if trace.grpc_status:
            tags.append(("grpc.status_code", _text(trace.grpc_status, self._length)))
        if trace.grpc_message:
            tags.append(("grpc.message", _text(trace.grpc_message, self._length)))
        return tags


def _cluster(name: str) -> tuple[Tag, Tag]:
    return ("upstream_cluster", name), ("upstream_cluster.name", f"{name};")


def _value(fields: Sequence[tuple[bytes, bytes]], wanted: bytes, longest: int, default: str = "-") -> str:
    for name, value in fields:
        if name == wanted:
            return _text(value, longest)
    return default


def _host(peer: object) -> str:
    """Return an address without its port, as Envoy has it."""
    host: object = getattr(peer, "host", None)
    return str(peer) if host is None else str(host)


def _text(data: bytes, longest: int) -> str:
    """
    Return what somebody sent, cut, so that nobody makes large spans.

    @param longest: Bytes that are shown; each that is no UTF-8 is one sign.
    """
    return data[:longest].decode("utf-8", "replace")
