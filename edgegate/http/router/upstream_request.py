# Hot path: carries each try of each request.
"""
One try of a request: on which stream it is, and what comes back on that.

What becomes of the request when the try comes to nothing is for who owns it to
say, the L{edgegate.http.router.router}.
"""

from __future__ import annotations

from time import monotonic
from typing import Final

from edgegate.errors import TRY_TIMEOUT, Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.grpc import http_status_of
from edgegate.http.response import ResponseHead
from edgegate.http.router.request_headers import connection_options_of
from edgegate.http.router.request_owner import RequestOwner
from edgegate.http.router.response_headers import SERVICE_TIMES, changed_response, own_fields_of_response
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upgrade import fits
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.clusters import HTTPVersion
from edgegate.model.headers import HeaderChanges
from edgegate.net.client_counts import NOBODY, ClientCounts
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.observe.events import UpstreamTry
from edgegate.observe.tracing.trace import Try
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.new_stream import new_stream
from edgegate.upstream.pending_stream import PendingStream
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.retry_budget import SAVED

_IDEMPOTENT: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
"""RFC 9110 section 9.2.2."""


class UpstreamRequest(UpstreamCallbacks):
    """
    One try of a request. It owns its stream, or what waits for one, until it ends or is given up.

    What is sent is set before L{start}.

    @ivar endpoint: That is asked; another one of the cluster where a stream to that was free.
    @ivar stream: What carries it; L{None}: nothing yet, or no more.
    @ivar pending: What waits for a stream, or connects.
    @ivar deadline: By which the response must begin, where there is one.
    """

    __slots__ = (
        "_asked_at",
        "_began",
        "_changes",
        "_cluster",
        "_environment",
        "_exchange",
        "_owner",
        "_reused",
        "deadline",
        "endpoint",
        "pending",
        "stream",
    )

    endpoint: EndpointState

    def __init__(
        self,
        owner: RequestOwner,
        exchange: Exchange,
        cluster: ClusterState,
        changes: tuple[HeaderChanges, ...],
        environment: HTTPEnvironment,
    ) -> None:
        """
        @param changes: Of the response's fields.
        """
        self._owner = owner
        self._exchange = exchange
        self._cluster = cluster
        self._changes = changes
        self._environment = environment
        self._asked_at = self._began = 0.0
        self._reused = False
        self.deadline: Deadline | None = None
        self.pending: PendingStream | None = None
        self.stream: UpstreamStream | None = None

    def client_counts(self) -> ClientCounts | None:
        """See L{UpstreamCallbacks.client_counts}."""
        counts = self._exchange.connection.counts
        return None if counts is NOBODY else counts

    def start(self, endpoint: EndpointState, fresh: bool = False) -> None:
        """
        Ask an endpoint. What is sent at once leaves with the next flush.

        @param fresh: Whether on a new connection.
        """
        self.endpoint = endpoint
        exchange, cluster = self._exchange, self._cluster
        exchange.upstream = endpoint.address
        exchange.meter = endpoint.meter
        trace = exchange.trace
        if (self._environment.observer.wants_tries or (trace is not None and trace.sampled)) and not self._began:
            self._began = monotonic()
        transport_socket = cluster.transport_socket
        shares = False
        if cluster.cluster.http is not HTTPVersion.HTTP1 and not self.head.upgrade:
            shares = cluster.shares(exchange.head.version == "2")
        options = None if transport_socket is None else connection_options_of(transport_socket, exchange, self, shares)
        found = new_stream(self, cluster, endpoint, options, self._environment.connector, fresh, True, shares)
        if isinstance(found, UpstreamStream):
            self._begin(found, True)
        elif isinstance(found, PendingStream):
            self.pending = found
        elif isinstance(found, Fault):
            self._tell(0, found)
            self._owner.fail(found)

    def limit(self, seconds: float) -> None:
        """Have the response begin within a time from now on."""
        self.deadline = self._environment.deadline(seconds, self._expired)

    def give_up(self, fault: Fault | None = None) -> bool:
        """
        Nobody wants a response any more.

        @param fault: Why; L{None}: the client has left.
        @return: Whether the request was sent somewhere.
        """
        self._tell(0, fault)
        stream = self.stream
        if stream is None:
            return False
        stream.cancel(self)
        self.stream = None
        return True

    def stop(self) -> None:
        """Leave nothing behind but the stream."""
        pending, self.pending = self.pending, None
        if pending is not None:
            pending.cancel()
        self._end_deadline()

    def broke(self) -> None:
        """An error of ours was raised in a callback: the exchange ends with it."""
        self._exchange.stream.exchange_broke(self._exchange)

    # As one that asks for a stream ------------------------------------------------------------------------------------

    def stream_ready(self, stream: PooledStream, reused: bool) -> None:
        """There is one."""
        self.pending = None
        assert isinstance(stream, UpstreamStream)
        self._begin(stream, reused)
        stream.flush()

    def stream_failed(self, fault: Fault) -> None:
        """There is no connection."""
        self.pending = None
        self._fail(fault)

    # The stream's callbacks -------------------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """Pass a 1xx response on; with it the response has begun, and is not another backend's any more (Envoy)."""
        self._owner.settle()
        self._end_deadline()
        self._exchange.stream.response_interim(head)

    def response_head(self, head: ResponseHead) -> None:
        """The final response begins; unless it is one to try again after, it goes to the client."""
        cluster = self._cluster
        if self._began:
            self._tell(head.status, None)
        if cluster.outliers is not None:
            # What a status of gRPC means to its client is what counts, if it is there before any message (Envoy).
            by_grpc = self.head.grpc and head.grpc_status != b""
            cluster.answered(self.endpoint, http_status_of(head.grpc_status) if by_grpc else head.status)
        if (head.status >= 400 or head.grpc_status) and self._owner.tries_after(head):
            trace = self._exchange.trace
            if trace is not None and trace.tries:
                trace.tries[-1].retried = True
            self._discard()
            return
        budget = cluster.retry_budget
        if budget.left < SAVED and head.status < 500:
            budget.earn()
        self._owner.settle()
        if self.deadline is not None:
            self._end_deadline()
        exchange = self._exchange
        exchange.responded_at = now = monotonic()
        exchange.upstream_time = spent = int((now - self._asked_at) * 1000)
        if exchange.cookie is None and spent < len(SERVICE_TIMES):
            own = SERVICE_TIMES[spent]
        else:
            own = own_fields_of_response(spent, exchange.cookie)
        if self._changes:
            head, own = changed_response(head, own, self._changes, exchange, self.stream, self)
        exchange.answer(head, own)

    def response_body(self, data: bytes) -> None:
        """Pass on a piece of the response."""
        self._exchange.send(data)

    def response_passed(self, count: int) -> None:
        """Count what the kernel passed on."""
        self._exchange.sent += count

    def response_sink(self) -> Stream | None:
        """Let the kernel pass on what comes, where the client gets it as it is."""
        exchange = self._exchange
        return exchange.stream.run_sink() if exchange.bodies is None else None

    def response_flush(self) -> None:
        """Send what came in one read."""
        self._exchange.stream.flush()

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""
        self.stream = None
        self._owner.response_whole(trailers)

    def response_fits(self, head: ResponseHead) -> bool:
        """Whether a 101 is one that the client asked for."""
        return fits(self._exchange.head, head)

    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """The two connections are a tunnel from here on."""
        carrier, self.stream = self.stream, None
        assert carrier is not None
        self._owner.response_switched(stream, rest, carrier)

    def response_failed(self, fault: Fault, silent: bool) -> None:
        """
        The stream failed.

        An idle one that its backend closed before it saw the request is
        replaced at once: that is no try of the request's.
        """
        if silent and self._exchange.head.method in _IDEMPOTENT:
            self.response_unprocessed(fault)
        else:
            self.stream = None
            self._fail(fault)

    def response_unprocessed(self, fault: Fault) -> None:
        """The request was not looked at: on a stream that was idle it is sent anew, which is the same try."""
        self.stream = None
        if self._reused and self._owner.replayable:
            self._end_deadline()
            self.start(self.endpoint, fresh=True)
            self._flush()
        else:
            self._fail(fault)

    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the body, or can again."""
        self._owner.upload_blocked(blocked)

    # ------------------------------------------------------------------------------------------------------------------

    def _flush(self) -> None:
        """Send what is queued, on a stream that was free at once."""
        stream = self.stream
        if stream is not None:
            stream.flush()

    def _begin(self, stream: UpstreamStream, reused: bool) -> None:
        self._reused = reused
        self.stream = stream
        endpoint = stream.endpoint
        exchange = self._exchange
        if endpoint is not self.endpoint:
            # a name of which one address is used at a time may have led to another when the connection was made
            exchange.upstream = endpoint.address
            exchange.meter = endpoint.meter
            if endpoint.pool is not self.endpoint.pool:
                self.endpoint = endpoint
        exchange.upstream_local = stream.local
        exchange.backend = stream
        self._asked_at = exchange.asked_at = monotonic()
        stream.send(self)
        self._owner.begin(stream)

    def _discard(self) -> None:
        """Another try takes the place of this one's response."""
        stream, self.stream = self.stream, None
        self._end_deadline()
        assert stream is not None
        stream.discard()

    def _end_deadline(self) -> None:
        if self.deadline is not None:
            self.deadline.end()
            self.deadline = None

    @contained
    def _expired(self) -> None:
        """This try has taken too long."""
        self.give_up(TRY_TIMEOUT)
        self._owner.try_failed(TRY_TIMEOUT)

    def _fail(self, fault: Fault) -> None:
        self._tell(0, fault)
        self._owner.try_failed(fault)

    def _tell(self, status: int, fault: Fault | None) -> None:
        """Tell those who want to know what has become of the try, once."""
        began, self._began = self._began, 0.0
        if began:
            now = monotonic()
            exchange, trace, address = self._exchange, self._exchange.trace, self.endpoint.address
            number = exchange.attempts
            if trace is not None and trace.sampled:
                # another try's, where this one has come to no connection
                backend = exchange.backend if self._asked_at else None
                protocol = "-" if backend is None else "HTTP/2" if backend.shared else "HTTP/1.1"
                trace.tries.append(Try(trace.try_id, number, address, protocol, began, now, status, fault))
            observer = self._environment.observer
            if observer.wants_tries:
                seconds = now - began
                observer.upstream_tried(
                    UpstreamTry(exchange, number, address, began, seconds, status, fault, self._reused)
                )
