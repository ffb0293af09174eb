# Compiled: connections ask it for each of their requests, once a second.
"""
Requests that take too long in all, whatever their routes say (Envoy's C{max_stream_duration}).

Nothing is set for each request: connections are asked from time to time for
what is under way on them.
"""

from __future__ import annotations

from edgegate.errors import DURATION_EXCEEDED, REQUEST_DURATION_EXCEEDED, Fault
from edgegate.http.exchange import Exchange
from edgegate.http.grpc import is_grpc_call


class Overdue:
    """Tells which requests have taken too long."""

    __slots__ = ("_before", "_grpc_before")

    def __init__(self, now: float, seconds: float, grpc_seconds: float) -> None:
        """
        @param now: In seconds of C{monotonic}.
        @param seconds: That a request may take from its head to the end of its response; C{inf}: any time.
        @param grpc_seconds: The same of calls of gRPC, which may be streams.
        """
        self._before = now - seconds
        self._grpc_before = now - grpc_seconds

    def fault_of(self, exchange: Exchange) -> Fault | None:
        """Return what an exchange ends with; L{None}: it has time. A client that is still sending is to blame."""
        started = exchange.started
        if started >= self._before and started >= self._grpc_before:
            return None
        if started >= (self._grpc_before if is_grpc_call(exchange.head.fields) else self._before):
            return None
        return DURATION_EXCEEDED if exchange.request_whole else REQUEST_DURATION_EXCEEDED
