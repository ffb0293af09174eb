# Hot path: writes what each span and each line of a log says.
"""
What OpenTelemetry's messages have in common, of traces as of logs: the service that they are of, and attributes.

Numbers are those of U{https://github.com/open-telemetry/opentelemetry-proto}, version 1: traces and logs have the same.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from edgegate import __version__
from edgegate.protobuf.writing import bytes_field, text_field

Attribute = tuple[str, str]

CONTENT_TYPE: Final = "application/x-protobuf"

SCOPE: Final = "edgegate"
"""The name of what makes spans and records."""


def service_resource(service: str, node: str) -> list[Attribute]:
    """
    Return what a process of the gateway says of itself.

    @param service: Its name, as others look for it.
    @param node: The machine's name; empty: nothing tells this gateway from others.
    """
    resource = [("service.name", service)]
    if node:
        # each process counts for itself
        resource += [("service.instance.id", f"{node}:{os.getpid()}"), ("host.name", node)]
    return resource


class OTLPBatches:
    """
    Makes messages of what one service has to tell: C{ExportTraceServiceRequest} and C{ExportLogsServiceRequest}.

    @ivar content_type: Of what is sent.
    """

    __slots__ = ("_resource", "_scope", "content_type")

    def __init__(self, resource: Sequence[Attribute]) -> None:
        """
        @param resource: What the service says of itself.
        """
        self.content_type: Final = CONTENT_TYPE
        self._resource = bytes_field(1, b"".join([attribute(1, name, value) for name, value in resource]))
        self._scope = bytes_field(1, text_field(1, SCOPE) + text_field(2, __version__))

    def batch(self, records: Sequence[bytes]) -> bytes:
        """
        Return the message that has some spans or records.

        @param records: Each as field 2 of its scope.
        """
        return bytes_field(1, self._resource + bytes_field(2, self._scope + b"".join(records)))


def attribute(field: int, name: str, value: str) -> bytes:
    """
    Return a C{KeyValue} whose value is text. Those that are short, as most are, are put together at once.

    @param field: Its number in what it belongs to, at most 15.
    """
    key, data = key_field(name), value.encode("utf-8", "backslashreplace")
    size = len(data)
    whole = len(key) + size + 4
    if whole < 128:
        return b"%c%c%b\x12%c\x0a%c%b" % (field << 3 | 2, whole, key, size + 2, size, data)
    return bytes_field(field, key + bytes_field(2, bytes_field(1, data)))


@lru_cache(maxsize=256)
def key_field(name: str) -> bytes:
    """Return the key of a C{KeyValue}."""
    return text_field(1, name)
