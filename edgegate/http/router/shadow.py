# Hot path: copies each request of routes that have mirrors.
"""
Copies of requests on their way to where nobody waits for the response (Istio's C{HTTPMirrorPolicy}).

A L{Shadow} takes what its request takes. Whatever becomes of it, the request
does not notice: a mirror that can't be reached, or does not keep up with the
body, loses its copy.
"""

from __future__ import annotations

from collections.abc import Callable

from edgegate.errors import Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.response import ResponseHead
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_head import UpstreamHead
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.new_stream import new_stream
from edgegate.upstream.pending_stream import PendingStream
from edgegate.upstream.pooled_stream import PooledStream


class Shadow(UpstreamCallbacks):
    """
    The copy of one request.

    It owns its connection to the mirror until the response, which is thrown
    away, is whole. It ends by itself; the gateway knows it until then.

    @ivar on_end: Called once, at the end, with the address of the mirror that was asked, if one was, and the status of
        its response, or 0; L{None}: nobody wants to know.
    """

    __slots__ = (
        "_answered",
        "_blocked",
        "_cluster",
        "_deadline",
        "_endpoint",
        "_environment",
        "_held",
        "_held_bytes",
        "_options",
        "_over",
        "_pending",
        "_shares",
        "_status",
        "_stream",
        "_timeout",
        "_trailers",
        "_whole",
        "on_end",
    )

    def __init__(
        self,
        environment: HTTPEnvironment,
        cluster: ClusterState,
        head: UpstreamHead,
        timeout: float | None,
        options: ConnectionOptions | None = None,
        shares: bool = False,
    ) -> None:
        """
        @param head: All that the mirror gets but the body.
        @param timeout: Seconds from the whole request until the copy is given up; L{None}: no limit of its own.
        @param options: How a connection to the mirror begins.
        @param shares: Whether that carries other copies at the same time.
        """
        self._environment = environment
        self._cluster = cluster
        self.head = head
        self.identity, self.request_id = FieldBlock(), b""
        self.expected = self.attempt = self.context = None
        self._held: list[bytes] = []
        self._trailers: list[Field] = []
        self._timeout = timeout
        self._options = options
        self._shares = shares
        self._held_bytes = self._answered = self._status = 0
        self._endpoint: EndpointState | None = None
        self.on_end: Callable[[object, int], None] | None = None
        self._stream: UpstreamStream | None = None
        self._pending: PendingStream | None = None
        self._deadline: Deadline | None = None
        self._whole = self._blocked = self._over = False

    @contained
    def start(self) -> None:
        """Send the copy to the mirror whose turn it is."""
        self._environment.shadows.add(self)
        endpoint = self._cluster.next()
        if endpoint is not None:
            self._ask(endpoint)
        else:
            self._cluster.when_resolved(self._resolved)

    @contained
    def send(self, data: bytes) -> None:
        """Take a piece of the body."""
        if self._over:
            return
        stream = self._stream
        if stream is not None and not self._blocked:
            stream.body(data)
            return
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > self._environment.limits.upload_bytes:
            self.drop()

    @contained
    def finish(self, trailers: list[Field]) -> None:
        """The request is whole."""
        self._trailers = trailers
        self._whole = True
        if self._timeout is not None and not self._over:
            self._deadline = Deadline(self._environment.wheel, self.drop)
            self._deadline.start(self._timeout)
        if self._stream is not None and not self._blocked:
            self._stream.end(self._trailers)

    @contained
    def flush(self) -> None:
        """Send what was taken in this turn."""
        if self._stream is not None:
            self._stream.flush()

    @contained
    def abandon(self) -> None:
        """The request is over: a copy that is not whole never will be."""
        if not self._whole:
            self.drop()

    @contained
    def drop(self) -> None:
        """Give the copy up."""
        self.broke()

    def broke(self) -> None:
        """An error of ours was raised in what concerns the copy, and nothing but the copy: it is given up."""
        stream, self._stream = self._stream, None
        try:
            if stream is not None:
                stream.cancel(self)
        finally:
            self._end()

    # The backend connection's callbacks -------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """Nobody waits for it."""

    def response_head(self, head: ResponseHead) -> None:
        """Nobody waits for it, and it does not go on for long."""
        self._status = head.status
        if self._deadline is None:
            self._deadline = Deadline(self._environment.wheel, self.drop)
            self._deadline.start(self._environment.limits.stall_seconds)

    def response_body(self, data: bytes) -> None:
        """Nobody waits for it; the connection may be used again where it is short."""
        self._answered += len(data)
        if self._answered > self._environment.limits.linger_bytes:
            self.drop()

    def response_passed(self, count: int) -> None:
        """Nobody waits for it."""

    def response_sink(self) -> Stream | None:
        """There is nobody to pass it on to."""
        return None

    def response_flush(self) -> None:
        """Nobody waits for it."""

    def response_end(self, trailers: list[Field]) -> None:
        """The mirror has answered."""
        self._stream = None
        self._end()

    def response_fits(self, head: ResponseHead) -> bool:
        """No copy asks for an upgrade."""
        return False

    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """Never: see L{response_fits}."""

    def response_unprocessed(self, fault: Fault) -> None:
        """A copy is not worth another try."""
        self._stream = None
        self._end()

    def response_failed(self, fault: Fault, silent: bool) -> None:
        """The mirror failed, and that is all right."""
        self._stream = None
        self._end()

    def upload_blocked(self, blocked: bool) -> None:
        """The mirror cannot keep up with the body, or can again."""
        self._blocked = blocked
        if not blocked:
            self._send_held()

    # ------------------------------------------------------------------------------------------------------------------

    @contained
    def _resolved(self) -> None:
        if self._over:
            return
        endpoint = self._cluster.next()
        if endpoint is None:
            self._end()
        else:
            self._ask(endpoint)
            self.flush()

    def _ask(self, endpoint: EndpointState) -> None:
        self._endpoint = endpoint
        connector = self._environment.connector
        found = new_stream(self, self._cluster, endpoint, self._options, connector, False, False, self._shares)
        if isinstance(found, UpstreamStream):
            self._begin(found)
        elif isinstance(found, PendingStream):
            self._pending = found
        else:
            self._end()

    def stream_ready(self, stream: PooledStream, reused: bool) -> None:
        """There is a stream to the mirror."""
        self._pending = None
        assert isinstance(stream, UpstreamStream)
        self._begin(stream)

    def stream_failed(self, fault: Fault) -> None:
        """The mirror can't be reached."""
        self._pending = None
        self._end()

    def _begin(self, stream: UpstreamStream) -> None:
        self._stream = stream
        stream.send(self)
        self._send_held()

    def _send_held(self) -> None:
        stream = self._stream
        if stream is None:
            return
        for data in self._held:
            stream.body(data)
        self._held = []
        self._held_bytes = 0
        if self._whole:
            stream.end(self._trailers)
        stream.flush()

    def _end(self) -> None:
        self._over = True
        self._held = []
        pending, self._pending = self._pending, None
        if pending is not None:
            pending.cancel()
        if self._deadline is not None:
            self._deadline.end()
        self._environment.shadows.discard(self)
        on_end, self.on_end = self.on_end, None
        if on_end is not None:
            on_end(None if self._endpoint is None else self._endpoint.address, self._status)
