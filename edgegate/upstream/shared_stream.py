# Hot path: waits for the streams of requests that find no room.
"""A stream on a connection that carries many, and that is not there yet."""

from __future__ import annotations

from collections.abc import Hashable

from edgegate.errors import INTERNAL, OVERFLOW, Fault
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.containment import broke, contained
from edgegate.net.stream import Stream
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pending_stream import Connector, PendingStream
from edgegate.upstream.pool_decision import PoolView, Step, decide
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_pool import STREAMS, SharedPool


class PendingSharedStream(PendingStream):
    """
    It waits for a connection that is being made, together with others; or at the cluster's limits.

    Where the endpoint does not agree on HTTP/2 it has a connection of its own, like any L{PendingStream}.
    """

    __slots__ = ()

    @property
    def _shared(self) -> SharedPool:
        return self.endpoint.pool.sharing()

    def begin(self) -> PooledStream | PendingStream | Fault:
        """Do what can be done first; see L{edgegate.upstream.new_stream.new_stream}."""
        circuit_breaker = self.endpoint.circuit_breaker
        if circuit_breaker is not None:
            if not circuit_breaker.need():
                return OVERFLOW
            self._needed = circuit_breaker
        return self._look()

    def connect(self) -> PendingStream | Fault:
        """Connect at once, or wait for a connection that is being made, or have nothing."""
        step = self._step()
        if step is Step.BORROW:
            return OVERFLOW
        if step is Step.JOIN:
            self._shared.wait(self)
        else:
            self._open_counted(self.endpoint.circuit_breaker)
        return self

    def cancel(self) -> None:
        """Nobody wants it any more. May be called at any time."""
        if self._shared.leave(self):
            self._end_need()
        else:
            super().cancel()

    # As one that waits in a circuit breaker ---------------------------------------------------------------------------

    def offered(self, stream: PooledStream) -> bool:
        """Take a stream of the cluster that is free, unless it was made for something else."""
        if stream.key != self.key or not (stream.shared or self._shared.refused):
            return False
        self._end_need()
        self._sink.stream_ready(stream, True)
        return True

    def may_connect(self) -> None:
        """The cluster's limits have room for a connection, which is counted already."""
        self._open(self.endpoint.circuit_breaker)

    # As one that waits in a pool --------------------------------------------------------------------------------------

    def room_came(self, stream: PooledStream, reused: bool) -> None:
        """There is a stream."""
        self._end_need()
        self._sink.stream_ready(stream, reused)

    def opening_failed(self, fault: Fault) -> None:
        """The connection that it waited for could not be made."""
        self._end_need()
        self._sink.stream_failed(fault)

    def go_on(self) -> None:
        """Look for room elsewhere."""
        found = self._look() if self._needed is not None or self.endpoint.circuit_breaker is None else self.connect()
        if isinstance(found, Fault):
            self._sink.stream_failed(found)
        elif isinstance(found, PooledStream):
            self._sink.stream_ready(found, True)

    # ------------------------------------------------------------------------------------------------------------------

    def _look(self) -> PooledStream | PendingStream:
        step = self._step()
        if step is Step.JOIN:
            self._shared.wait(self)
        elif step is Step.OPEN:
            self._open_counted(self.endpoint.circuit_breaker)
        else:
            free = self._cluster.free_one(self.key, True)
            if free is not None:
                self._end_need()
                return free
            circuit_breaker = self.endpoint.circuit_breaker
            assert circuit_breaker is not None
            circuit_breaker.wait(self)
        return self

    def _step(self) -> Step:
        """Return what comes next; a connection that may be made for it is counted."""
        shared, circuit_breaker = self._shared, self.endpoint.circuit_breaker
        opening = 0 if shared.refused else shared.opening(self.key)
        room = opening <= 0 and (circuit_breaker is None or circuit_breaker.connect())
        return decide(PoolView(opening=opening, room=room))

    def _open_counted(self, counted: CircuitBreaker | None) -> None:
        try:
            self._open(counted)
        except Exception:
            self._end_need()
            if counted is not None:
                counted.closed()
            raise

    def _open(self, counted: CircuitBreaker | None) -> None:
        """Make a connection, which is counted already."""
        shared = self._shared
        if shared.refused:
            self._connect()
            self._counted = counted
            return
        opening = SharedOpening(self.endpoint, shared, self._connector, counted, self.key)
        opening.begin(self._cluster, self._options)
        shared.wait(self)

    @contained
    def _connected(self, connection: Stream) -> None:
        """It has one of its own: what it carries the endpoint decides anew each time."""
        self._connecting = None
        self.endpoint.connected()
        self._end_need()
        stream: PooledStream
        try:
            shared = self._connector.share(connection, self.endpoint, self._counted)
            if shared is None:
                stream = self._connector.stream(connection, self.endpoint, self._counted)
            self._counted = None
        except Exception:
            connection.abortConnection()
            self._uncount()
            raise
        if shared is not None:
            stream = shared.open()
        self._sink.stream_ready(stream, False)
        if shared is not None:
            self._shared.opened(None, shared)


class SharedOpening:
    """A connection that is being made for all who wait in a pool. It owns it until then."""

    __slots__ = ("_connecting", "_connector", "_counted", "_endpoint", "_pool", "key")

    def __init__(
        self,
        endpoint: EndpointState,
        pool: SharedPool,
        connector: Connector,
        counted: CircuitBreaker | None,
        key: Hashable,
    ) -> None:
        """
        @param counted: Where it is counted.
        """
        self._endpoint = endpoint
        self._pool = pool
        self._connector = connector
        self._counted = counted
        self._connecting: Connecting | None = None
        self.key = key

    @property
    def promised(self) -> int:
        """For how many requests it will have room, as far as can be told."""
        limits = self._endpoint.limits
        most = min(limits.streams or STREAMS, STREAMS)
        return most if limits.requests_per_connection is None else min(most, limits.requests_per_connection)

    def begin(self, cluster: ClusterState, options: ConnectionOptions | None) -> None:
        """Connect."""
        timeout = cluster.cluster.connect_timeout
        address = self._endpoint.address
        self._connecting = self._connector.connect(address, timeout, self._connected, self._failed, options)
        self._pool.begun(self)

    def cancel(self) -> None:
        """Nobody waits for it."""
        if self._connecting is not None:
            self._connecting.cancel()
        self._uncount()

    def broke(self) -> None:
        """An error of ours was raised as it was made known: nobody is to wait for it any longer."""
        self._uncount()
        self._pool.failed(self, INTERNAL)

    @contained
    def _connected(self, connection: Stream) -> None:
        self._connecting = None
        self._endpoint.connected()
        try:
            shared = self._connector.share(connection, self._endpoint, self._counted)
            if shared is None:
                self._alone(connection)
                return
            self._counted = None
        except Exception:
            connection.abortConnection()
            raise
        self._pool.opened(self, shared)

    def _alone(self, connection: Stream) -> None:
        """The endpoint does not agree on HTTP/2: the connection is for one who waits, and then for the other pool."""
        stream = self._connector.stream(connection, self._endpoint, self._counted)
        self._counted = None
        waiter = self._pool.alone(self)
        if waiter is None:
            # others had room on another connection meanwhile
            stream.close()
        else:
            try:
                waiter.room_came(stream, False)
            except Exception:
                # it may not have come so far that the end of who asked is its end
                connection.abortConnection()
                broke(waiter)
        self._pool.settle(self.key)

    @contained
    def _failed(self, fault: Fault) -> None:
        self._connecting = None
        self._endpoint.not_connected(fault)
        self._uncount()
        self._pool.failed(self, fault)

    def _uncount(self) -> None:
        counted, self._counted = self._counted, None
        if counted is not None:
            counted.closed()
