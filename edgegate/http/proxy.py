# Hot path: sends each request on.
"""
Sending a request on to a backend: which one, on which connection, and what happens if that fails.

A L{Forwarding} is the resource's side of one exchange. It asks the cluster for
endpoints in the order to try them, and goes to the next one only while nothing
of the request can have been acted upon: a connect that failed, or a kept
connection that its backend closed before the first byte of an answer to an
idempotent request (RFC 9110 section 9.2.2).
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING

from edgegate.errors import NO_CLUSTER, NO_HEALTHY_UPSTREAM, UPSTREAM_TIMEOUT, Fault
from edgegate.http.answer import AnswerHead
from edgegate.http.exchange import Exchange, Phase
from edgegate.http.fields import PASS, REQUEST_ROLES, Field
from edgegate.http.h1_backend import HTTP1Backend
from edgegate.http.request import CHUNKED, RequestHead
from edgegate.net.connecting import Connecting
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.routing.snapshot import HTTPRoute
from edgegate.upstream.registry import ClusterState, EndpointState

if TYPE_CHECKING:
    from edgegate.http.gateway import HTTPGateway

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))


class Forwarding:
    """
    One request on its way to a backend, and the answer on its way back.

    It owns the connection that it took until the answer is whole or it gives
    up. A body is kept for another try up to the limit on it, and while no
    connection is there yet the client is not read beyond that limit.
    """

    __slots__ = (
        "_asked_at",
        "_attempts",
        "_chunked",
        "_cluster",
        "_connecting",
        "_connection",
        "_deadline",
        "_exchange",
        "_gateway",
        "_head",
        "_held",
        "_held_bytes",
        "_paused",
        "_replayable",
        "_reused",
        "_route",
        "_tried",
        "_upload_paused",
        "_whole",
    )

    def __init__(self, exchange: Exchange, cluster: ClusterState, route: HTTPRoute, gateway: HTTPGateway) -> None:
        self._exchange = exchange
        self._cluster = cluster
        self._route = route
        self._gateway = gateway
        self._head = request_lines(exchange)
        self._chunked = exchange.head.length == CHUNKED
        self._connection: HTTP1Backend | None = None
        self._connecting: Connecting | None = None
        self._deadline: Deadline | None = None
        self._tried: list[EndpointState] = []
        self._held: list[bytes] = []
        self._held_bytes = self._attempts = 0
        self._replayable = True
        self._whole = self._paused = self._upload_paused = self._reused = False
        self._asked_at = 0.0

    # The exchange's upload --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the endpoint whose turn it is."""
        endpoint = self._cluster.next()
        if endpoint is not None:
            self._try(endpoint)
        else:
            self._cluster.when_resolved(self._resolved)

    def upload(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        if self._replayable:
            self._held.append(data)
            self._held_bytes += len(data)
        connection = self._connection
        over = self._held_bytes > self._gateway.limits.upload_bytes
        if connection is not None:
            connection.queue(data)
            if over and self._replayable:
                self._replayable = False
                self._held = []
        elif over and not self._upload_paused:
            self._upload_paused = True
            self._exchange.channel.pause_upload()

    def upload_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        self._whole = True
        if self._chunked:
            self._end_chunks(trailers)
        if self._connection is not None:
            self._connection.request_whole()
        timeout = self._route.timeout
        if timeout is not None:
            self._deadline = Deadline(self._gateway.wheel, self._expired)
            self._deadline.start(timeout)

    def flush(self) -> None:
        """Send on what was taken in this turn."""
        if self._connection is not None:
            self._connection.flush()

    def pause(self) -> None:
        """The client does not read its answer."""
        if not self._paused:
            self._paused = True
            if self._connection is not None:
                self._connection.pause()

    def resume(self) -> None:
        """The client reads again."""
        if self._paused:
            self._paused = False
            if self._connection is not None:
                self._connection.resume()

    def cancel(self) -> None:
        """Nobody wants the answer."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.cancel()
        self._stop()

    # The backend connection's asker -----------------------------------------------------------------------------------

    def answer_interim(self, head: AnswerHead) -> None:
        """Pass a 1xx answer on."""
        self._exchange.channel.answer_interim(head)

    def answer_head(self, head: AnswerHead) -> None:
        """The final answer begins: no other backend is tried from here on."""
        self._replayable = False
        self._held = []
        exchange = self._exchange
        exchange.upstream_time = spent = int((monotonic() - self._asked_at) * 1000)
        exchange.answer(head, b"x-envoy-upstream-service-time: %d\r\n" % spent)

    def answer_body(self, data: bytes) -> None:
        """Pass on a piece of the answer."""
        self._exchange.send(data)

    def answer_flush(self) -> None:
        """Send what came in one read."""
        self._exchange.channel.flush()

    def answer_end(self, trailers: list[Field]) -> None:
        """The answer is whole."""
        self._connection = None
        if self._deadline is not None:
            self._deadline.end()
        self._exchange.finish(trailers)

    def answer_failed(self, fault: Fault, silent: bool) -> None:
        """The connection failed: try once more where that is safe, else say so."""
        self._connection = None
        exchange = self._exchange
        if (
            silent
            and self._reused
            and self._replayable
            and exchange.phase is Phase.AWAITED
            and exchange.head.method in _IDEMPOTENT
            and self._attempts < self._gateway.limits.attempts
        ):
            endpoint = self._tried.pop()
            self._try(endpoint, fresh=True)
        else:
            self._fail(fault)

    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the body, or can again."""
        channel = self._exchange.channel
        if blocked and not self._upload_paused:
            self._upload_paused = True
            channel.pause_upload()
        elif not blocked and self._upload_paused:
            self._upload_paused = False
            channel.resume_upload()

    # ------------------------------------------------------------------------------------------------------------------

    def _end_chunks(self, trailers: list[Field]) -> None:
        """End a chunked body; of its trailer fields those pass which would pass in a head (RFC 9110 section 6.5.1)."""
        lines = b"".join(b"%b: %b\r\n" % (name, value) for name, value in trailers if REQUEST_ROLES.of(name)[1] == PASS)
        last = b"0\r\n%b\r\n" % lines
        if self._replayable:
            self._held.append(last)
        if self._connection is not None:
            self._connection.queue(last)

    def _resolved(self) -> None:
        """The cluster's names are resolved, or have failed to be."""
        if self._exchange.upload is not self:
            return
        endpoint = self._cluster.next()
        if endpoint is None:
            self._fail(NO_HEALTHY_UPSTREAM)
        else:
            self._try(endpoint)
            self.flush()

    def _try(self, endpoint: EndpointState, fresh: bool = False) -> None:
        self._tried.append(endpoint)
        self._attempts += 1
        exchange = self._exchange
        exchange.attempts = self._attempts
        exchange.upstream = endpoint.address
        connection = None if fresh else endpoint.pool.take()
        if connection is not None:
            self._reused = True
            self._ask(connection)
            return
        self._reused = False
        self._connecting = self._gateway.connect(
            endpoint.address, self._cluster.cluster.connect_timeout, self._connected, self._connect_failed
        )

    def _connected(self, stream: Stream) -> None:
        self._connecting = None
        endpoint = self._tried[-1]
        endpoint.connections += 1
        connection = HTTP1Backend(endpoint, self._gateway.wheel, self._gateway.limits)
        stream.start(connection)
        self._ask(connection)
        connection.flush()

    def _connect_failed(self, fault: Fault) -> None:
        self._connecting = None
        self._tried[-1].connect_failures += 1
        if self._attempts < self._gateway.limits.attempts:
            for endpoint in self._cluster.others(self._tried):
                self._try(endpoint)
                self.flush()
                return
        self._fail(fault)

    def _ask(self, connection: HTTP1Backend) -> None:
        self._connection = connection
        exchange = self._exchange
        exchange.upstream_local = connection.local
        self._asked_at = monotonic()
        attempts = b"x-envoy-attempt-count: %d\r\n\r\n" % self._attempts
        connection.ask(self, exchange.head.method == b"HEAD", [*self._head, attempts, *self._held])
        if self._held_bytes > self._gateway.limits.upload_bytes:
            self._replayable = False
            self._held = []
        if self._whole:
            connection.request_whole()
        if self._paused:
            connection.pause()
        if exchange.head.expects_continue:
            exchange.channel.continue_upload()
        if self._upload_paused:
            self._upload_paused = False
            exchange.channel.resume_upload()

    def _fail(self, fault: Fault) -> None:
        self._stop()
        exchange = self._exchange
        exchange.upload = None
        exchange.fail(fault)
        exchange.channel.flush()

    def _expired(self) -> None:
        """The route's timeout has passed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.cancel()
        self._fail(UPSTREAM_TIMEOUT)

    def _stop(self) -> None:
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._deadline is not None:
            self._deadline.end()
        self._held = []


def forward(exchange: Exchange, route: HTTPRoute, gateway: HTTPGateway) -> None:
    """Begin to send an exchange's request to a cluster of its route."""
    cluster = gateway.clusters.pick(route.destinations)
    if cluster is None:
        exchange.fail(NO_CLUSTER)
        return
    exchange.cluster = cluster.name
    forwarding = Forwarding(exchange, cluster, route, gateway)
    exchange.upload = forwarding
    forwarding.start()


def request_lines(exchange: Exchange) -> list[bytes]:
    """
    Serialise a request's head for an HTTP/1.1 backend, up to the fields that differ from try to try.

    What the client's framing and connection said is not copied but said anew.
    """
    head = exchange.head
    exchange.identity = identity = exchange.channel.client.lines(head)
    lines = [head.h1_lines or _h1_lines(head), identity]
    if exchange.route is not None and exchange.route.timeout is not None:
        lines.append(b"x-envoy-expected-rq-timeout-ms: %d\r\n" % (exchange.route.timeout * 1000))
    return lines


def _h1_lines(head: RequestHead) -> bytes:
    lines = [b"%b %b HTTP/1.1\r\nhost: %b\r\n" % (head.method, head.target, head.authority)]
    for name, value in head.fields:
        lines += (name, b": ", value, b"\r\n")
    if head.length == CHUNKED:
        lines.append(b"transfer-encoding: chunked\r\n")
    elif head.sized:
        lines.append(b"content-length: %d\r\n" % head.length)
    head.h1_lines = b"".join(lines)
    return head.h1_lines
