# Hot path: each request that is traced has one.
"""The trace that a request is in: who has begun it, whether it is sampled, and what its tries came to."""

from __future__ import annotations

from collections.abc import Sequence
from random import getrandbits
from typing import Final

from edgegate.errors import Fault
from edgegate.model.tracing import Propagation
from edgegate.observe.tracing.context import (
    B3_NAMES,
    W3C_NAMES,
    Field,
    TraceContext,
    read_b3,
    read_w3c,
    write_b3,
    write_w3c,
)


class Propagator:
    """
    Takes traces from requests and gives them to backends, in the headers of one way to do so.

    @ivar writes: Whether backends are told at all.
    @ivar names: Of the fields that are read and written.
    """

    __slots__ = ("_b3", "_w3c", "names", "writes")

    def __init__(self, propagation: Propagation, writes: bool = True) -> None:
        self._b3 = propagation is not Propagation.W3C
        self._w3c = propagation is not Propagation.B3
        self.writes: Final = writes
        self.names: Final = (B3_NAMES if self._b3 else frozenset()) | (W3C_NAMES if self._w3c else frozenset())

    def read(self, fields: Sequence[Field]) -> TraceContext | None:
        """Return what a request says of its trace, if that is in order."""
        found = read_b3(fields) if self._b3 else None
        if self._w3c and (found is None or not found.trace_id):
            other = read_w3c(fields)
            if found is None or other is None:
                return found if other is None else other
            # B3 has only decided
            return TraceContext(other.trace_id, other.span_id, found.sampled, other.state)
        return found

    def write(self, trace: Trace, span_id: bytes) -> list[Field]:
        """Return the fields by which a backend knows in which span it is asked."""
        fields: list[Field] = []
        if self._b3:
            fields = write_b3(trace.trace_id, span_id, trace.span_id, trace.sampled)
        if self._w3c:
            fields += write_w3c(trace.trace_id, span_id, trace.sampled, trace.state)
        return fields


class Try:
    """
    One try to have a backend answer, of a request that is sampled.

    @ivar span_id: 16 hexadecimal digits.
    @ivar number: 1 for the first one.
    @ivar endpoint: The address that was asked.
    @ivar protocol: C{HTTP/1.1} or C{HTTP/2}; C{-} where there was no connection.
    @ivar started: When it began, in seconds of C{monotonic}; C{ended}: when its response's head was whole, or none was
        to be had.
    @ivar status: Of the response; 0 where there is none.
    @ivar fault: Why there is none; L{None} where there is one, and where nobody wanted it any more.
    @ivar retried: Whether another try was to take the place of its response.
    """

    __slots__ = ("ended", "endpoint", "fault", "number", "protocol", "retried", "span_id", "started", "status")

    def __init__(
        self,
        span_id: bytes,
        number: int,
        endpoint: object,
        protocol: str,
        started: float,
        ended: float,
        status: int,
        fault: Fault | None,
    ) -> None:
        self.span_id: Final = span_id
        self.number: Final = number
        self.endpoint: Final = endpoint
        self.protocol: Final = protocol
        self.started: Final = started
        self.ended: Final = ended
        self.status: Final = status
        self.fault: Final = fault
        self.retried = False


class Trace:
    """
    The trace of one request, and the span of the request in it.

    @ivar trace_id: 32 hexadecimal digits, or 16 where B3 said so.
    @ivar span_id: Of the request's own span: 16 hexadecimal digits.
    @ivar parent_id: Of the span that the client asks in, or empty.
    @ivar sampled: Whether its spans are sent to a collector.
    @ivar state: The tracestate that backends get, or empty.
    @ivar carried: Whether the request's fields tell anything of a trace, in order or not.
    @ivar request_id: Of the request, which tells how it was decided.
    @ivar try_id: The span of the try that is under way.
    @ivar tries: Those whose outcome is known, where it is sampled.
    @ivar grpc_status: What the response said, where it is sampled and one of gRPC; so C{grpc_message}.
    """

    __slots__ = (
        "carried",
        "grpc_message",
        "grpc_status",
        "parent_id",
        "propagator",
        "request_id",
        "sampled",
        "span_id",
        "state",
        "trace_id",
        "tries",
        "try_id",
    )

    def __init__(
        self, propagator: Propagator, context: TraceContext | None, carried: bool, sampled: bool, request_id: bytes
    ) -> None:
        self.propagator: Final = propagator
        self.carried: Final = carried
        self.sampled: Final = sampled
        self.request_id: Final = request_id
        if context is not None and context.trace_id:
            self.trace_id, self.parent_id, self.state = context.trace_id, context.span_id, context.state
        else:
            self.trace_id, self.parent_id, self.state = b"%032x" % (getrandbits(128) or 1), b"", b""
        self.span_id = new_span_id()
        self.try_id = self.grpc_status = self.grpc_message = b""
        self.tries: list[Try] = []

    def begin_try(self) -> list[Field]:
        """Begin the span of a try, and return the fields by which its backend knows of it."""
        self.try_id = span_id = new_span_id()
        return self.propagator.write(self, span_id) if self.propagator.writes else []

    def note(self, fields: Sequence[Field]) -> None:
        """Take note of what a response says of gRPC's status, in its head or its trailers."""
        for name, value in fields:
            if name == b"grpc-status":
                self.grpc_status = value
            elif name == b"grpc-message":
                self.grpc_message = value


def new_span_id() -> bytes:
    """Return an id that no other span has."""
    return b"%016x" % (getrandbits(64) or 1)
