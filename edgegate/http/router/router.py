# Hot path: sends each request on.
"""
Sending a request on to a backend: which one, on which connection, and what happens if that fails.

A L{Forwarding} is the resource's side of one exchange: it sends what the client
sends on the connection that L{edgegate.http.router.upstream_request} has found, and gives the
client what comes back.
"""

from __future__ import annotations

from time import monotonic
from typing import TYPE_CHECKING, Final, cast

from edgegate.errors import NO_CLUSTER, Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.response import ResponseHead
from edgegate.http.router.request_headers import FIRST_ATTEMPT, asked_host, attempt
from edgegate.http.router.response_headers import changed_response, own_response_fields
from edgegate.http.router.tunnel import Tunnel
from edgegate.http.router.upstream_request import Trying
from edgegate.http.upgrade import fits
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.headers import ATTEMPTS
from edgegate.model.routes import HTTPRoute, WeightedCluster
from edgegate.net.stream import Stream
from edgegate.upstream.registry import ClusterState
from edgegate.upstream.retry_budget import SAVED

if TYPE_CHECKING:
    from edgegate.http.h1.downstream_connection import HTTP1Channel

_IDEMPOTENT: Final = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
"""RFC 9110 section 9.2.2."""

_NO_TRAILERS: Final[list[Field]] = []


class Forwarding(Trying):
    """
    One request on its way to a backend, and the response on its way back.

    A body is kept for another try up to the limit on it, and while no
    connection is there yet the client is not read beyond that limit.
    """

    __slots__ = (
        "_asked_at",
        "_held_bytes",
        "_paused",
        "_trailers",
        "_upload_paused",
        "_whole",
    )

    def __init__(
        self,
        exchange: Exchange,
        cluster: ClusterState,
        destination: WeightedCluster,
        route: HTTPRoute,
        environment: HTTPEnvironment,
    ) -> None:
        super().__init__(exchange, cluster, destination, route, environment)
        self._held_bytes = 0
        self._whole = self._paused = self._upload_paused = False
        self._asked_at = 0.0
        self._trailers = _NO_TRAILERS

    # The exchange's upload --------------------------------------------------------------------------------------------

    def upload(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        for shadow in self._shadows:
            shadow.send(data)
        if self._replayable:
            self._held.append(data)
            self._held_bytes += len(data)
        connection = self._connection
        over = self._held_bytes > self._environment.limits.upload_bytes
        if connection is not None:
            connection.body(data)
            if over and self._replayable:
                self._replayable = False
                self._held = []
        elif over and not self._upload_paused:
            self._upload_paused = True
            self._exchange.channel.pause_upload()

    def upload_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        self._whole = True
        self._trailers = trailers
        for shadow in self._shadows:
            shadow.finish(trailers)
        connection = self._connection
        if connection is not None:
            connection.end(trailers)
            retries = self._route.retries
            if retries is not None and retries.per_try_timeout is not None:
                self._limit_try()
        timeout = self._route.timeout
        if timeout is not None:
            self._deadline = self._environment.deadline(timeout, self._expired)

    def flush(self) -> None:
        """Send on what was taken in this turn."""
        if self._connection is not None:
            self._connection.flush()
        for shadow in self._shadows:
            shadow.flush()

    def run_sink(self) -> Stream | None:
        """Let the kernel pass on a body that nobody else wants to see, and that can't be sent again anyway."""
        connection = self._connection
        return None if connection is None or self._replayable or self._shadows else connection.run_sink()

    def pause(self) -> None:
        """The client does not read its response."""
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
        """Nobody wants the response."""
        try:
            self._give_up_connection()
        finally:
            self._stop()

    # The backend connection's callbacks -------------------------------------------------------------------------------

    def response_interim(self, head: ResponseHead) -> None:
        """Pass a 1xx response on; with it the response has begun, and is not another backend's any more (Envoy)."""
        self._settled = True
        self._replayable = False
        self._held = []
        self._end_limit_on_try()
        self._exchange.channel.response_interim(head)

    def response_head(self, head: ResponseHead) -> None:
        """The final response begins; unless it is one to try again after, it goes to the client."""
        cluster = self._cluster
        if cluster.outliers is not None:
            cluster.answered(self._tried[-1], head.status)
        if (head.status >= 400 or head.grpc_status) and self._again_after(head):
            return
        budget = cluster.retry_budget
        if budget.left < SAVED and head.status < 500:
            budget.earn()
        # as for an interim response, but no call of its own
        self._settled = True
        self._replayable = False
        self._held = []
        if self._try_deadline is not None:
            self._end_limit_on_try()
        exchange = self._exchange
        exchange.upstream_time = spent = int((monotonic() - self._asked_at) * 1000)
        own = own_response_fields(spent, exchange.cookie)
        changes = self._destination.response
        if changes:
            head, own = changed_response(head, own, changes, exchange, self._connection, self)
        exchange.answer(head, own)

    def response_body(self, data: bytes) -> None:
        """Pass on a piece of the response."""
        self._exchange.send(data)

    def response_passed(self, count: int) -> None:
        """Count what the kernel passed on."""
        self._exchange.sent += count

    def response_sink(self) -> Stream | None:
        """Let the kernel pass on what comes, where the client gets it as it is."""
        return self._exchange.channel.run_sink()

    def response_flush(self) -> None:
        """Send what came in one read."""
        self._exchange.channel.flush()

    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""
        self._connection = None
        self._stop()
        self._exchange.finish(trailers)

    def response_fits(self, head: ResponseHead) -> bool:
        """Whether a 101 is one that the client asked for."""
        return fits(self._exchange.head, head)

    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """The two connections are a tunnel from here on; the route's timeout does not cut it."""
        exchange = self._exchange
        connection, self._connection = self._connection, None
        assert connection is not None
        self._stop()
        exchange.upload = None
        # no other channel's requests ask for an upgrade
        client, early = cast("HTTP1Channel", exchange.channel).hand_over()
        Tunnel(exchange, self._environment, connection.end_tunnel).start(client, stream, early, rest)

    def response_failed(self, fault: Fault, silent: bool) -> None:
        """
        The connection failed.

        A kept one that its backend closed before it saw the request is
        replaced at once: that is no try of the request's.
        """
        self._connection = None
        if silent and self._reused and self._replayable and self._exchange.head.method in _IDEMPOTENT:
            self._end_limit_on_try()
            self._attempts -= 1
            self._try(self._tried.pop(), fresh=True)
        else:
            self._fail_or_try_again(fault)

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

    def _ask(self, connection: UpstreamStream) -> None:
        self._connection = connection
        exchange = self._exchange
        exchange.upstream_local = connection.local
        self._asked_at = monotonic()
        changes = self._destination.request
        if changes is None or ATTEMPTS not in changes.names:
            self.attempt = FIRST_ATTEMPT if self._attempts == 1 else attempt(self._attempts)
        connection.send(self)
        for piece in self._held:
            connection.body(piece)
        if self._held_bytes > self._environment.limits.upload_bytes:
            self._replayable = False
            self._held = []
        if self._whole:
            connection.end(self._trailers)
            self._limit_try()
        if self._paused:
            connection.pause()
        if exchange.head.expects_continue:
            exchange.channel.continue_upload()
        if self._upload_paused:
            self._upload_paused = False
            exchange.channel.resume_upload()


def forward(exchange: Exchange, route: HTTPRoute, environment: HTTPEnvironment) -> None:
    """Begin to send an exchange's request to a cluster of its route."""
    destination = environment.clusters.pick(route.destinations)
    cluster: ClusterState | None = None
    if destination is not None:
        exchange.changes = destination.response
        held = exchange.clusters
        cluster = environment.clusters.get(destination.cluster) if held is None else held.get(destination.cluster)
    if destination is None or cluster is None:
        exchange.fail(NO_CLUSTER)
        return
    exchange.cluster = cluster.name
    if cluster.hosts is not None:
        named = cluster.hosts.of(asked_host(exchange.head, destination.request))
        if isinstance(named, Fault):
            exchange.fail(named)
            return
        cluster = named
    forwarding = Forwarding(exchange, cluster, destination, route, environment)
    # it has what it needs of them
    exchange.clusters = None
    exchange.upload = forwarding
    forwarding.start()
