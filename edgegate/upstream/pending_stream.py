# Hot path: waits for the streams of requests that find none.
"""
A stream that is not there yet: whoever wants one, whoever makes connections, and the one that is waited for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable
from typing import Protocol

from edgegate.errors import OVERFLOW, Fault
from edgegate.model.addresses import Address
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pool_decision import PoolView, Step, decide
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_pool import SharedConnection


class StreamSink(Protocol):
    """Who asks for a stream. Hears once of one, or of why there is none, and nothing after L{PendingStream.cancel}."""

    def stream_ready(self, stream: PooledStream, reused: bool) -> None:
        """
        There is one, which is the sink's.

        @param reused: Whether it has carried a request before: its endpoint may be another of the cluster then.
        """

    def stream_failed(self, fault: Fault) -> None:
        """There will be none."""

    def broke(self) -> None:
        """An error of ours was raised meanwhile; see L{edgegate.net.containment}."""


class Connector(ABC):
    """Makes connections, and what speaks on them. Provided by those who speak."""

    __slots__ = ()

    @abstractmethod
    def connect(
        self,
        address: Address,
        timeout: float,
        connected: Callable[[Stream], None],
        failed: Callable[[Fault], None],
        options: ConnectionOptions | None,
    ) -> Connecting:
        """Connect, within so many seconds; neither is called before this has returned."""

    @abstractmethod
    def stream(self, connection: Stream, endpoint: EndpointState, counted: CircuitBreaker | None) -> PooledStream:
        """
        Return what carries a request on a connection that was made, and owns it.

        @param counted: Where the connection is counted: it is taken off there when it is no more.
        @raise Exception: It does not own the connection, nor take it off.
        """

    @abstractmethod
    def share(
        self, connection: Stream, endpoint: EndpointState, counted: CircuitBreaker | None
    ) -> SharedConnection | None:
        """
        Return what carries many requests on a connection that was made, and owns it; L{None}: it carries one at a
        time, for L{stream}, as the two ends have agreed.

        @param counted: As of L{stream}.
        @raise Exception: As of L{stream}.
        """


class PendingStream:
    """
    A stream that is not there yet: waited for, or its connection is being made. It owns that connection until then.

    @ivar endpoint: To which it leads, unless it is one that was free elsewhere.
    """

    __slots__ = ("_cluster", "_connecting", "_connector", "_counted", "_needed", "_options", "_sink", "endpoint")

    def __init__(
        self,
        sink: StreamSink,
        cluster: ClusterState,
        endpoint: EndpointState,
        options: ConnectionOptions | None,
        connector: Connector,
    ) -> None:
        self._sink = sink
        self._cluster = cluster
        self._options = options
        self._connector = connector
        self._connecting: Connecting | None = None
        self._counted: CircuitBreaker | None = None
        self._needed: CircuitBreaker | None = None
        self.endpoint = endpoint

    def __repr__(self) -> str:
        return f"<PendingStream to {self.endpoint.address}: {'waits' if self._connecting is None else 'connects'}>"

    @property
    def key(self) -> Hashable:
        """Which streams it may have; see L{PooledStream}."""
        return None if self._options is None else self._options.key

    def begin(self) -> PooledStream | PendingStream | Fault:
        """Do what can be done first; see L{edgegate.upstream.new_stream.new_stream}."""
        circuit_breaker = self.endpoint.circuit_breaker
        if circuit_breaker is None:
            self._connect()
            return self
        may_wait = circuit_breaker.need()
        if may_wait:
            self._needed = circuit_breaker
        step = decide(PoolView(may_wait=may_wait, room=may_wait and circuit_breaker.connect()))
        if step is Step.REFUSE:
            return OVERFLOW
        if step is Step.OPEN:
            self._connect_counted(circuit_breaker)
            return self
        free = self._cluster.free_one(self.key)
        if free is None:
            circuit_breaker.wait(self)
            return self
        self._end_need()
        return free

    def connect(self) -> PendingStream | Fault:
        """Connect at once, or not at all."""
        circuit_breaker = self.endpoint.circuit_breaker
        if circuit_breaker is None:
            self._connect()
        elif circuit_breaker.connect():
            self._connect_counted(circuit_breaker)
        else:
            return OVERFLOW
        return self

    def cancel(self) -> None:
        """Nobody wants it any more. May be called at any time."""
        needed = self._needed
        self._end_need()
        connecting, self._connecting = self._connecting, None
        if connecting is not None:
            connecting.cancel()
        elif needed is not None:
            needed.give_up(self)
        self._uncount()

    # As one that waits in a circuit breaker ---------------------------------------------------------------------------

    def offered(self, stream: PooledStream) -> bool:
        """Take a stream of the cluster that is free, unless it was made for something else."""
        if stream.key != self.key or stream.shared:
            return False
        self._end_need()
        self._sink.stream_ready(stream, True)
        return True

    def may_connect(self) -> None:
        """The cluster's limits have room for a connection, which is counted already."""
        self._connect()
        self._counted = self._needed

    def broke(self) -> None:
        """An error of ours was raised in a callback."""
        self._sink.broke()

    # ------------------------------------------------------------------------------------------------------------------

    def _connect_counted(self, circuit_breaker: CircuitBreaker) -> None:
        try:
            self._connect()
        except Exception:
            self._end_need()
            circuit_breaker.closed()
            raise
        self._counted = circuit_breaker

    def _connect(self) -> None:
        timeout = self._cluster.cluster.connect_timeout
        self._connecting = self._connector.connect(
            self.endpoint.address, timeout, self._connected, self._failed, self._options
        )

    @contained
    def _connected(self, connection: Stream) -> None:
        self._connecting = None
        self.endpoint.connected()
        self._end_need()
        try:
            stream = self._connector.stream(connection, self.endpoint, self._counted)
            self._counted = None
            self._sink.stream_ready(stream, False)
        except Exception:
            # it may not have come so far that the end of who asked is its end
            connection.abortConnection()
            self._uncount()
            raise

    @contained
    def _failed(self, fault: Fault) -> None:
        self._connecting = None
        self.endpoint.not_connected(fault)
        self._end_need()
        self._uncount()
        self._sink.stream_failed(fault)

    def _end_need(self) -> None:
        needed, self._needed = self._needed, None
        if needed is not None:
            needed.end_need()

    def _uncount(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            counted.closed()
