# Compiled: it is made from a class that is.
"""Connections to backends that speak HTTP/1."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.internet.interfaces import IProtocol

from edgegate.errors import Fault
from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.http.limits import Limits
from edgegate.model.addresses import Address
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.new_stream import Connector
from edgegate.upstream.pooled_stream import PooledStream

Connect = Callable[
    [Address, float, Callable[[Stream], None], Callable[[Fault], None], ConnectionOptions | None], Connecting
]
"""Opens a stream to an address, given seconds; L{edgegate.net.connecting.connect} on a reactor."""


class HTTP1Connector(Connector):
    """Has every connection speak HTTP/1."""

    __slots__ = ("_connect", "_limits", "_wheel")

    def __init__(self, connect: Connect, wheel: TimerWheel, limits: Limits) -> None:
        self._connect = connect
        self._wheel = wheel
        self._limits = limits

    def connect(
        self,
        address: Address,
        timeout: float,
        connected: Callable[[Stream], None],
        failed: Callable[[Fault], None],
        options: ConnectionOptions | None,
    ) -> Connecting:
        """Connect."""
        return self._connect(address, timeout, connected, failed, options)

    def stream(self, connection: Stream, endpoint: EndpointState, counted: CircuitBreaker | None) -> PooledStream:
        """Return a connection of HTTP/1."""
        stream = HTTP1UpstreamConnection(endpoint, self._wheel, self._limits, counted)
        try:
            connection.start(cast(IProtocol, stream))
        except Exception:
            # who called counts it
            stream.counted = None
            raise
        return stream
