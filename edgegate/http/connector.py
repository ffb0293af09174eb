# Compiled: it is made from classes that are.
"""Connections to backends, of whichever version of HTTP."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, cast

from twisted.internet.interfaces import IProtocol

from edgegate.errors import Fault
from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.http.h2.upstream_connection import HTTP2UpstreamConnection
from edgegate.http.limits import Limits
from edgegate.model.addresses import Address
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pending_stream import Connector
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_pool import SharedConnection

Connect = Callable[
    [Address, float, Callable[[Stream], None], Callable[[Fault], None], ConnectionOptions | None], Connecting
]
"""Opens a stream to an address, given seconds; L{edgegate.net.connecting.connect} on a reactor."""

_HTTP1: Final = b"http/1.1"


class HTTPConnector(Connector):
    """Has every connection speak HTTP/1, unless it is to carry many requests and its backend agrees."""

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

    def share(
        self, connection: Stream, endpoint: EndpointState, counted: CircuitBreaker | None
    ) -> SharedConnection | None:
        """Return a connection of HTTP/2; L{None}: its backend has chosen HTTP/1.1 by ALPN."""
        secured = connection.secured
        if secured is not None and secured.get_alpn_proto_negotiated() == _HTTP1:
            return None
        shared = HTTP2UpstreamConnection(endpoint, self._wheel, self._limits, counted)
        try:
            connection.start(cast(IProtocol, shared))
        except Exception:
            # who called counts it
            shared.counted = None
            raise
        return shared
