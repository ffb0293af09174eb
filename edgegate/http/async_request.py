# Compiled: inherits from a class that is.
"""
Requests of the gateway's own to a cluster (Envoy's C{Http::AsyncClient}): whether a client may pass, how often it may.

They take the connections that serve clients' requests, within the same limits, with the same TLS and by the version of
HTTP that the cluster speaks. One is short: its body is at hand, its response is kept whole, up to a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from edgegate.errors import (
    INTERNAL,
    NO_CLUSTER,
    NO_HEALTHY_UPSTREAM,
    OVERFLOW,
    UPSTREAM_BODY_TOO_LARGE,
    UPSTREAM_TIMEOUT,
    Fault,
    Source,
)
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.response import ResponseHead
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_head import UpstreamHead
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.new_stream import new_stream
from edgegate.upstream.pending_stream import PendingStream
from edgegate.upstream.pooled_stream import PooledStream

MAX_RESPONSE: Final = 1024 * 1024
"""Bytes of a response's body that are taken, unless who asks says another bound."""


class AsyncResponse:
    """
    A whole response.

    @ivar fields: Of its head, names in lower case; those of the connection are not among them.
    """

    __slots__ = ("body", "fields", "status", "trailers")

    def __init__(self, status: int, fields: list[Field], body: bytes, trailers: list[Field]) -> None:
        self.status: Final = status
        self.fields: Final = fields
        self.body: Final = body
        self.trailers: Final = trailers

    def __repr__(self) -> str:
        return f"<AsyncResponse {self.status} with {len(self.body)} bytes>"


class AsyncRequest(UpstreamCallbacks):
    """
    One request, from L{start} until it has told what came of it, or L{cancel}.

    What was sent on a connection that had been idle, and that ended without a byte of a response, is sent once more on
    a new one; and nothing else is.

    @ivar endpoint: That was asked last; L{None}: none was.
    """

    __slots__ = (
        "_again",
        "_body",
        "_cluster",
        "_deadline",
        "_downstream",
        "_entered",
        "_environment",
        "_length",
        "_most",
        "_pending",
        "_pieces",
        "_reused",
        "_sent",
        "_stream",
        "_told",
        "endpoint",
    )

    def __init__(
        self,
        environment: HTTPEnvironment,
        cluster: ClusterState,
        head: UpstreamHead,
        body: bytes,
        told: Callable[[AsyncResponse | Fault], None],
        downstream: ConnectionInfo,
        most: int = MAX_RESPONSE,
    ) -> None:
        """
        @param head: With the body's length. Where it is C{grpc} it goes by HTTP/2, whatever the cluster speaks.
        @param told: Called once, with a whole response whatever its status, or with why there is none; perhaps before
            L{start} has returned, and never after L{cancel}.
        @param downstream: Of whom a PROXY header tells, where the cluster wants one.
        @param most: Bytes of the response's body.
        """
        self.head = head
        self.identity, self.request_id = FieldBlock(), b""
        self.expected = self.attempt = self.context = None
        self._environment = environment
        self._cluster = cluster
        self._body = body
        self._told: Callable[[AsyncResponse | Fault], None] | None = told
        self._downstream = downstream
        self._most = most
        self._length = 0
        self._again = True
        self._reused = False
        self._sent: ResponseHead | None = None
        self._pieces: list[bytes] = []
        self._entered: CircuitBreaker | None = None
        self._stream: UpstreamStream | None = None
        self._pending: PendingStream | None = None
        self._deadline: Deadline | None = None
        self.endpoint: EndpointState | None = None

    def __repr__(self) -> str:
        return f"<AsyncRequest to {self._cluster.name}>"

    @contained
    def start(self, timeout: float) -> None:
        """
        Ask the endpoint whose turn it is.

        @param timeout: Seconds from now until nobody waits any longer, the time to connect included.
        """
        cluster = self._cluster
        if cluster.hosts is not None:
            # it has no endpoints, but those of hosts that clients name
            self._end(NO_CLUSTER)
            return
        circuit_breaker = cluster.circuit_breaker
        if circuit_breaker is not None:
            if not circuit_breaker.enter():
                self._end(OVERFLOW)
                return
            self._entered = circuit_breaker
        self._deadline = self._environment.deadline(timeout, self._expired)
        endpoint = cluster.next()
        if endpoint is not None:
            self._ask(endpoint, False)
        else:
            cluster.when_resolved(self._resolved)

    def cancel(self) -> None:
        """Nobody wants the response any more. May be called at any time."""
        self._told = None
        stream = self._stop()
        if stream is not None:
            stream.cancel(self)

    def broke(self) -> None:
        """An error of ours was raised, and was logged: there will be no response."""
        self._give_up(INTERNAL)

    # As one that asks for a stream ------------------------------------------------------------------------------------

    def stream_ready(self, stream: PooledStream, reused: bool) -> None:
        """There is a stream."""
        self._pending = None
        assert isinstance(stream, UpstreamStream)
        self._begin(stream, reused)

    def stream_failed(self, fault: Fault) -> None:
        """There is no connection."""
        self._pending = None
        self._fail(fault)

    # The stream's callbacks -------------------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """The final response is what counts."""

    def response_head(self, head: ResponseHead) -> None:
        """The final response begins."""
        self._sent = head
        if self._cluster.outliers is not None and self.endpoint is not None:
            self._cluster.answered(self.endpoint, head.status)

    def response_body(self, data: bytes) -> None:
        """Keep a piece of the response."""
        self._length += len(data)
        if self._length > self._most:
            self._give_up(UPSTREAM_BODY_TOO_LARGE)
        elif self._told is not None:
            self._pieces.append(data)

    def response_passed(self, count: int) -> None:
        """Never: see L{response_sink}."""

    def response_sink(self) -> Stream | None:
        """All is looked at."""
        return None

    def response_flush(self) -> None:
        """The rest is awaited."""

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""
        self._stream = None
        head = self._sent
        assert head is not None
        self._end(AsyncResponse(head.status, head.fields, b"".join(self._pieces), trailers))

    def response_fits(self, head: ResponseHead) -> bool:
        """No upgrade is asked for."""
        return False

    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """Never: see L{response_fits}."""

    def response_failed(self, fault: Fault, silent: bool) -> None:
        """The stream failed; one that was idle may have been closed before the request came."""
        if silent:
            self.response_unprocessed(fault)
        else:
            self._stream = None
            self._fail(fault)

    def response_unprocessed(self, fault: Fault) -> None:
        """The request was not looked at."""
        self._stream = None
        if self._reused and self._again and self.endpoint is not None:
            self._again = False
            self._ask(self.endpoint, True)
        else:
            self._fail(fault)

    def upload_blocked(self, blocked: bool) -> None:
        """The body waits with the stream: it is at hand anyway."""

    # ------------------------------------------------------------------------------------------------------------------

    @contained
    def _resolved(self) -> None:
        """The cluster's names are resolved, or have failed to be."""
        if self._told is None:
            return
        endpoint = self._cluster.next()
        if endpoint is None:
            self._end(NO_HEALTHY_UPSTREAM)
        else:
            self._ask(endpoint, False)

    def _ask(self, endpoint: EndpointState, fresh: bool) -> None:
        self.endpoint = endpoint
        cluster, transport_socket = self._cluster, self._cluster.transport_socket
        shares = self.head.grpc or cluster.shares(False)
        # what is asked for is the service: the host may be that of its client's request
        options = None if transport_socket is None else transport_socket.for_request(self._downstream, "", shares)
        found = new_stream(self, cluster, endpoint, options, self._environment.connector, fresh, True, shares)
        if isinstance(found, UpstreamStream):
            self._begin(found, True)
        elif isinstance(found, PendingStream):
            self._pending = found
        elif isinstance(found, Fault):
            self._end(found)

    def _begin(self, stream: UpstreamStream, reused: bool) -> None:
        self._reused = reused
        self._stream = stream
        before = self.endpoint
        if before is None or before.pool is not stream.endpoint.pool:
            # a name of which one address is used at a time may lead elsewhere since the connection was made
            self.endpoint = stream.endpoint
        stream.send(self)
        # each of these may end it at once
        if self._body and self._stream is stream:
            stream.body(self._body)
        if self._stream is stream:
            stream.end([])
            stream.flush()

    @contained
    def _expired(self) -> None:
        """Nobody waits any longer."""
        if self._stream is not None and self.endpoint is not None:
            self._cluster.failed(self.endpoint)
        self._give_up(UPSTREAM_TIMEOUT)

    def _fail(self, fault: Fault) -> None:
        if fault.source is Source.UPSTREAM and self.endpoint is not None:
            self._cluster.failed(self.endpoint)
        self._end(fault)

    def _give_up(self, fault: Fault) -> None:
        """End the stream as well."""
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                stream.cancel(self)
        finally:
            self._end(fault)

    def _end(self, outcome: AsyncResponse | Fault) -> None:
        told, self._told = self._told, None
        self._stop()
        if told is not None:
            told(outcome)

    def _stop(self) -> UpstreamStream | None:
        """Leave nothing behind but the stream, which is returned."""
        stream, self._stream = self._stream, None
        pending, self._pending = self._pending, None
        self._pieces = []
        if self._deadline is not None:
            self._deadline.end()
        entered, self._entered = self._entered, None
        if entered is not None:
            entered.leave()
        if pending is not None:
            pending.cancel()
        return stream
