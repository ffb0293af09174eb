# Hot path: sends each request on.
"""
Sending a request on to a backend: which one, on which connection, and what happens if that fails.

A L{Forwarding} is the resource's side of one exchange. It asks the endpoint
whose turn it is, and tries again elsewhere as its route's retries say, as long
as not a byte of an answer went to the client and the request's body is at hand.
"""

from __future__ import annotations

from collections.abc import Hashable
from time import monotonic
from typing import TYPE_CHECKING, cast

from twisted.internet.interfaces import IDelayedCall

from edgegate.errors import (
    NO_CLUSTER,
    NO_HEALTHY_UPSTREAM,
    OVERFLOW,
    STREAM_IDLE,
    TRY_TIMEOUT,
    UPSTREAM_TIMEOUT,
    Fault,
    Source,
)
from edgegate.http.answer import AnswerHead
from edgegate.http.changes import changed_answer, request_lines
from edgegate.http.exchange import Exchange
from edgegate.http.fields import PASS, REQUEST_ROLES, Field
from edgegate.http.h1_backend import HTTP1Backend
from edgegate.http.hashing import request_key
from edgegate.http.mirroring import Shadow, opening_of, shadows_of
from edgegate.http.request import CHUNKED
from edgegate.http.retrying import Retries
from edgegate.http.tunnel import Tunnel
from edgegate.http.upgrade import fits
from edgegate.net.connecting import Connecting
from edgegate.net.opening import Opening
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.routing.headers import ATTEMPTS
from edgegate.routing.snapshot import HTTPRoute, WeightedCluster
from edgegate.upstream.admission import Admission
from edgegate.upstream.budget import SAVED
from edgegate.upstream.registry import ClusterState, EndpointState

if TYPE_CHECKING:
    from edgegate.http.gateway import HTTPGateway
    from edgegate.http.h1_channel import HTTP1Channel

_IDEMPOTENT = frozenset((b"GET", b"HEAD", b"OPTIONS", b"PUT", b"DELETE"))
"""RFC 9110 section 9.2.2."""


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
        "_destination",
        "_entered",
        "_exchange",
        "_gateway",
        "_head",
        "_held",
        "_held_bytes",
        "_key",
        "_needed",
        "_next_try",
        "_opening",
        "_paused",
        "_replayable",
        "_retries",
        "_reused",
        "_route",
        "_settled",
        "_shadows",
        "_tried",
        "_try_deadline",
        "_upload_paused",
        "_whole",
    )

    def __init__(
        self,
        exchange: Exchange,
        cluster: ClusterState,
        destination: WeightedCluster,
        route: HTTPRoute,
        gateway: HTTPGateway,
    ) -> None:
        self._exchange = exchange
        self._cluster = cluster
        self._destination = destination
        self._route = route
        self._gateway = gateway
        self._head = request_lines(exchange, destination.request)
        self._chunked = exchange.head.length == CHUNKED
        self._connection: HTTP1Backend | None = None
        self._connecting: Connecting | None = None
        self._deadline: Deadline | None = None
        self._try_deadline: Deadline | None = None
        self._next_try: IDelayedCall | None = None
        self._retries: Retries | None = None
        self._entered: Admission | None = None
        self._needed: Admission | None = None
        self._opening: Opening | None = None
        self._tried: list[EndpointState] = []
        self._key = request_key(exchange, cluster.cluster.balancer, gateway.random) if cluster.keyed else None
        self._held: list[bytes] = []
        self._held_bytes = self._attempts = 0
        self._replayable = True
        self._whole = self._paused = self._upload_paused = self._reused = self._settled = False
        self._asked_at = 0.0
        self._shadows = shadows_of(exchange, route, self._head, gateway) if route.mirrors else _NONE

    # The exchange's upload --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the endpoint whose turn it is."""
        admission = self._cluster.admission
        if admission is not None:
            if not admission.enter():
                self._fail(OVERFLOW)
                return
            self._entered = admission
        endpoint = self._cluster.next(self._key)
        if endpoint is not None:
            self._try(endpoint)
        else:
            self._cluster.when_resolved(self._resolved)

    def upload(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        if self._chunked:
            data = b"%x\r\n%b\r\n" % (len(data), data)
        for shadow in self._shadows:
            shadow.send(data)
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
        last = _last_chunk(trailers) if self._chunked else b""
        if last and self._replayable:
            self._held.append(last)
        for shadow in self._shadows:
            shadow.finish(last)
        connection = self._connection
        if connection is not None:
            if last:
                connection.queue(last)
            connection.request_whole()
            self._limit_try()
        timeout = self._route.timeout
        if timeout is not None:
            self._deadline = self._gateway.deadline(timeout, self._expired)

    def flush(self) -> None:
        """Send on what was taken in this turn."""
        if self._connection is not None:
            self._connection.flush()
        for shadow in self._shadows:
            shadow.flush()

    def splice_sink(self) -> Stream | None:
        """Let the kernel pass on a body that nobody else wants to see, and that can't be sent again anyway."""
        connection = self._connection
        return None if connection is None or self._replayable or self._shadows else connection.splice_sink()

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
        """Pass a 1xx answer on; with it the answer has begun, and is not another backend's any more (Envoy)."""
        self._settled = True
        self._replayable = False
        self._held = []
        self._end_limit_on_try()
        self._exchange.channel.answer_interim(head)

    def answer_head(self, head: AnswerHead) -> None:
        """The final answer begins; unless it is one to try again after, it goes to the client."""
        cluster = self._cluster
        if cluster.outliers is not None:
            cluster.answered(self._tried[-1], head.status)
        if (head.status >= 400 or head.grpc_status) and self._again_after(head):
            return
        budget = cluster.retry_budget
        if budget.left < SAVED and head.status < 500:
            budget.earn()
        # as for an interim answer, but no call of its own
        self._settled = True
        self._replayable = False
        self._held = []
        if self._try_deadline is not None:
            self._end_limit_on_try()
        exchange = self._exchange
        exchange.upstream_time = spent = int((monotonic() - self._asked_at) * 1000)
        extra = b"x-envoy-upstream-service-time: %d\r\n%b" % (spent, exchange.cookie)
        changes = self._destination.response
        if changes:
            head, extra = changed_answer(head, extra, changes, exchange)
        exchange.answer(head, extra)

    def answer_body(self, data: bytes) -> None:
        """Pass on a piece of the answer."""
        self._exchange.send(data)

    def answer_spliced(self, count: int) -> None:
        """Count what the kernel passed on."""
        self._exchange.sent += count

    def answer_sink(self) -> Stream | None:
        """Let the kernel pass on what comes, where the client gets it as it is."""
        return self._exchange.channel.splice_sink()

    def answer_flush(self) -> None:
        """Send what came in one read."""
        self._exchange.channel.flush()

    def answer_end(self, trailers: list[Field]) -> None:
        """The answer is whole."""
        self._connection = None
        self._stop()
        self._exchange.finish(trailers)

    def answer_fits(self, head: AnswerHead) -> bool:
        """Whether a 101 is one that the client asked for."""
        return fits(self._exchange.head, head)

    def answer_switched(self, stream: Stream, rest: bytes) -> None:
        """The two connections are a tunnel from here on; the route's timeout does not cut it."""
        exchange = self._exchange
        connection, self._connection = self._connection, None
        assert connection is not None
        self._stop()
        exchange.upload = None
        # no other channel's requests ask for an upgrade
        client, early = cast("HTTP1Channel", exchange.channel).hand_over()
        Tunnel(exchange, self._gateway, connection.end_tunnel).start(client, stream, early, rest)

    def answer_failed(self, fault: Fault, silent: bool) -> None:
        """
        The connection failed.

        A kept one that its backend closed before it saw the request is
        replaced at once: that is no try of the request's.
        """
        self._connection = None
        if silent and self._reused and self._replayable and self._exchange.head.method in _IDEMPOTENT:
            self._end_limit_on_try()
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

    def _resolved(self) -> None:
        """The cluster's names are resolved, or have failed to be."""
        if self._exchange.upload is not self:
            return
        endpoint = self._cluster.next(self._key)
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
        contact = self._cluster.contact
        self._opening = opening = None if contact is None else opening_of(contact, exchange, self._head)
        key = None if opening is None else opening.key
        connection: HTTP1Backend | None = None if fresh else endpoint.pool.take(key)
        while connection is not None and endpoint.limits.connection_duration is not None and connection.worn:
            connection.close()
            connection = endpoint.pool.take(key)
        self._reused = connection is not None
        # a name of which one address is used at a time may have led to another when the connection was made
        exchange.upstream = (endpoint if connection is None else connection.endpoint).address
        if connection is not None:
            self._ask(connection)
        elif endpoint.admission is None:
            self._connect()
        else:
            self._connect_if_admitted(endpoint.admission, key)

    def _connect(self) -> None:
        timeout = self._cluster.cluster.connect_timeout
        address = self._tried[-1].address
        self._connecting = self._gateway.connect(address, timeout, self._connected, self._connect_failed, self._opening)

    def _connect_if_admitted(self, admission: Admission, key: Hashable) -> None:
        """Connect, or wait until the cluster's limits have room, or fail at once where too many wait already."""
        if not admission.need():
            self._fail(OVERFLOW)
            return
        self._needed = admission
        if admission.connect():
            self._connect()
            return
        connection = self._cluster.free_one(key)
        if connection is None:
            admission.wait(self)
        else:
            self.offered(connection)

    def offered(self, connection: HTTP1Backend) -> bool:
        """Take a connection of the cluster that is free, unless it was made for something else."""
        if connection.key != (None if self._opening is None else self._opening.key):
            return False
        self._end_need()
        self._tried[-1] = connection.endpoint
        self._exchange.upstream = connection.endpoint.address
        self._reused = True
        self._ask(connection)
        connection.flush()
        return True

    def may_connect(self) -> None:
        """The cluster's limits have room for a connection."""
        self._connect()

    def _end_need(self) -> Admission | None:
        """A connection was found, or will never be; return where it was needed."""
        needed, self._needed = self._needed, None
        if needed is not None:
            needed.end_need()
        return needed

    def _connected(self, stream: Stream) -> None:
        self._connecting = None
        endpoint = self._tried[-1]
        endpoint.connections += 1
        connection = HTTP1Backend(endpoint, self._gateway.wheel, self._gateway.limits, self._end_need())
        stream.start(connection)
        self._ask(connection)
        connection.flush()

    def _connect_failed(self, fault: Fault) -> None:
        self._connecting = None
        self._tried[-1].connect_failures += 1
        needed = self._end_need()
        if needed is not None:
            needed.closed()
        self._fail_or_try_again(fault)

    def _again_after(self, head: AnswerHead) -> bool:
        """Try again after an answer, if the route wants that and it can be done."""
        policy = self._route.retries
        limited = any(name == b"x-envoy-ratelimited" for name, _ in head.fields)
        if policy is None or not policy.after_answer(head.status, head.grpc_status, limited):
            return False
        connection = self._connection
        if not self._try_later():
            return False
        assert connection is not None
        self._connection = None
        connection.discard()
        return True

    def _fail_or_try_again(self, fault: Fault) -> None:
        """There is no connection any more, and no answer from it."""
        if fault.source is Source.UPSTREAM:
            self._cluster.failed(self._tried[-1])
        policy = self._route.retries
        # who was silent for minutes was waited for long enough, whatever the route says (Envoy)
        hopeless = policy is None or fault is STREAM_IDLE or not policy.after_failure(fault.unconnected)
        if hopeless or not self._try_later():
            self._fail(fault)

    def _try_later(self) -> bool:
        """Arrange for the next try, if there may be one."""
        policy = self._route.retries
        if policy is None or not self._replayable:
            return False
        retries = self._retries
        if retries is None:
            retries = self._retries = Retries(policy, self._cluster.retry_budget, self._gateway.random)
        wait = retries.again()
        if wait is None:
            self._exchange.mark(retries.refused)
            return False
        self._end_limit_on_try()
        self._next_try = self._gateway.call_later(wait, self._try_again)
        return True

    def _try_again(self) -> None:
        self._next_try = None
        policy = self._route.retries
        assert policy is not None
        others = self._cluster.others(self._tried, self._key) if policy.elsewhere else iter(())
        endpoint = next(others, None) or self._cluster.next(self._key)
        if endpoint is None:
            self._fail(NO_HEALTHY_UPSTREAM)
        else:
            self._try(endpoint)
            self.flush()

    def _ask(self, connection: HTTP1Backend) -> None:
        self._connection = connection
        exchange = self._exchange
        exchange.upstream_local = connection.local
        self._asked_at = monotonic()
        changes = self._destination.request
        if changes is None or ATTEMPTS not in changes.names:
            attempts = b"x-envoy-attempt-count: %d\r\n\r\n" % self._attempts
        else:
            attempts = b"\r\n"
        connection.ask(self, exchange.head.method == b"HEAD", [*self._head, attempts, *self._held])
        if self._held_bytes > self._gateway.limits.upload_bytes:
            self._replayable = False
            self._held = []
        if self._whole:
            connection.request_whole()
            self._limit_try()
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

    def _limit_try(self) -> None:
        """The request is sent: from now on its answer must begin within the time that the route says."""
        policy = self._route.retries
        if policy is not None and policy.per_try_timeout is not None and not self._settled:
            self._try_deadline = self._gateway.deadline(policy.per_try_timeout, self._try_expired)

    def _end_limit_on_try(self) -> None:
        if self._try_deadline is not None:
            self._try_deadline.end()
            self._try_deadline = None

    def _try_expired(self) -> None:
        """This try has taken too long."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.cancel()
        self._fail_or_try_again(TRY_TIMEOUT)

    def _expired(self) -> None:
        """The route's timeout has passed."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.cancel()
            self._cluster.failed(self._tried[-1])
        self._fail(UPSTREAM_TIMEOUT)

    def _stop(self) -> None:
        """Leave nothing behind but the connection."""
        if self._needed is not None:
            self._need_no_more()
        if self._entered is not None:
            self._entered.leave()
            self._entered = None
        if self._retries is not None:
            self._retries.end()
        if self._connecting is not None:
            self._connecting.cancel()
            self._connecting = None
        if self._deadline is not None:
            self._deadline.end()
        if self._try_deadline is not None:
            self._end_limit_on_try()
        if self._next_try is not None:
            self._next_try.cancel()
            self._next_try = None
        for shadow in self._shadows:
            shadow.abandon()
        self._held = []

    def _need_no_more(self) -> None:
        """Give up a connection that is being made, or waited for."""
        needed = self._end_need()
        if needed is None:
            return
        if self._connecting is None:
            needed.give_up(self)
            return
        self._connecting.cancel()
        self._connecting = None
        needed.closed()


_NONE: list[Shadow] = []


def forward(exchange: Exchange, route: HTTPRoute, gateway: HTTPGateway) -> None:
    """Begin to send an exchange's request to a cluster of its route."""
    destination = gateway.clusters.pick(route.destinations)
    cluster = None if destination is None else gateway.clusters.get(destination.cluster)
    if destination is None or cluster is None:
        exchange.fail(NO_CLUSTER)
        return
    exchange.cluster = cluster.name
    forwarding = Forwarding(exchange, cluster, destination, route, gateway)
    exchange.upload = forwarding
    forwarding.start()


def _last_chunk(trailers: list[Field]) -> bytes:
    """End a chunked body; of its trailer fields those pass which would pass in a head (RFC 9110 section 6.5.1)."""
    lines = b"".join(b"%b: %b\r\n" % (name, value) for name, value in trailers if REQUEST_ROLES.of(name)[1] == PASS)
    return b"0\r\n%b\r\n" % lines
