# Hot path: gets each request its connection.
"""
The tries of a request: which endpoint, on which connection, and what happens if that fails.

The endpoint whose turn it is comes first; then it is tried again elsewhere as
the route's retries say, as long as not a byte of a response went to the client
and the request's body is at hand, and as far as the cluster's limits let.
"""

from __future__ import annotations

from collections.abc import Hashable

from twisted.internet.interfaces import IDelayedCall

from edgegate.errors import (
    NO_HEALTHY_UPSTREAM,
    OVERFLOW,
    STREAM_IDLE,
    TRY_TIMEOUT,
    UPSTREAM_TIMEOUT,
    Fault,
    Source,
)
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.h1.upstream_connection import HTTP1UpstreamConnection
from edgegate.http.response import ResponseHead
from edgegate.http.router.hash_key import request_key
from edgegate.http.router.request_headers import begin_request, expected_time
from edgegate.http.router.retry_policy import Retries
from edgegate.http.router.shadow import Shadow, connection_options_of, shadows_of
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.policies import RetryPolicy
from edgegate.model.routes import HTTPRoute, WeightedCluster, milliseconds
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.registry import ClusterState, EndpointState

_NONE: list[Shadow] = []


class Trying(UpstreamCallbacks):
    """
    One request that looks for a connection; what is sent and received on it is a subclass's to say.

    It owns the connection that it took until the response is whole or it gives
    up, what is kept of the request's body for another try, and the copies for
    mirrors.
    """

    __slots__ = (
        "_attempts",
        "_cluster",
        "_connecting",
        "_connection",
        "_deadline",
        "_destination",
        "_entered",
        "_environment",
        "_exchange",
        "_held",
        "_key",
        "_needed",
        "_next_try",
        "_options",
        "_replayable",
        "_retries",
        "_reused",
        "_route",
        "_settled",
        "_shadows",
        "_tried",
        "_try_deadline",
    )

    def __init__(
        self,
        exchange: Exchange,
        cluster: ClusterState,
        destination: WeightedCluster,
        route: HTTPRoute,
        environment: HTTPEnvironment,
    ) -> None:
        self._exchange = exchange
        self._cluster = cluster
        self._destination = destination
        self._route = route
        self._environment = environment
        begin_request(self, exchange, destination.request)
        self._connection: UpstreamStream | None = None
        self._connecting: Connecting | None = None
        self._deadline: Deadline | None = None
        self._try_deadline: Deadline | None = None
        self._next_try: IDelayedCall | None = None
        self._retries: Retries | None = None
        self._entered: CircuitBreaker | None = None
        self._needed: CircuitBreaker | None = None
        self._options: ConnectionOptions | None = None
        self._tried: list[EndpointState] = []
        self._key = request_key(exchange, cluster.cluster.balancer, environment.random) if cluster.keyed else None
        self._held: list[bytes] = []
        self._attempts = 0
        self._replayable = True
        self._reused = self._settled = False
        self._shadows = _NONE
        if route.mirrors:
            self._shadows = shadows_of(self, exchange, route, destination.request, environment)

    # A subclass's -----------------------------------------------------------------------------------------------------

    def flush(self) -> None:
        """Send what is queued on the connection."""

    def _ask(self, connection: UpstreamStream) -> None:
        """Begin the request on a connection."""

    # ------------------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Ask the endpoint whose turn it is."""
        circuit_breaker = self._cluster.circuit_breaker
        if circuit_breaker is not None:
            if not circuit_breaker.enter():
                self._fail(OVERFLOW)
                return
            self._entered = circuit_breaker
        endpoint = self._cluster.next(self._key)
        if endpoint is not None:
            self._try(endpoint)
        else:
            self._cluster.when_resolved(self._resolved)

    @contained
    def _resolved(self) -> None:
        """The cluster's names are resolved, or have failed to be."""
        upload: object = self._exchange.upload
        if upload is not self:
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
        transport_socket = self._cluster.transport_socket
        self._options = options = (
            None if transport_socket is None else connection_options_of(transport_socket, exchange, self)
        )
        key = None if options is None else options.key
        connection: UpstreamStream | None = None if fresh else endpoint.pool.take(key)
        while connection is not None and endpoint.limits.connection_duration is not None and connection.worn:
            connection.close()
            connection = endpoint.pool.take(key)
        self._reused = connection is not None
        # a name of which one address is used at a time may have led to another when the connection was made
        exchange.upstream = (endpoint if connection is None else connection.endpoint).address
        if connection is not None:
            self._ask(connection)
        elif endpoint.circuit_breaker is None:
            self._connect()
        else:
            self._connect_if_admitted(endpoint.circuit_breaker, key)

    def _connect(self) -> None:
        timeout = self._cluster.cluster.connect_timeout
        address = self._tried[-1].address
        self._connecting = self._environment.connect(
            address, timeout, self._connected, self._connect_failed, self._options
        )

    def _connect_if_admitted(self, circuit_breaker: CircuitBreaker, key: Hashable) -> None:
        """Connect, or wait until the cluster's limits have room, or fail at once where too many wait already."""
        if not circuit_breaker.need():
            self._fail(OVERFLOW)
            return
        self._needed = circuit_breaker
        if circuit_breaker.connect():
            try:
                self._connect()
            except Exception:
                circuit_breaker.closed()
                raise
            return
        connection = self._cluster.free_one(key)
        if connection is None:
            circuit_breaker.wait(self)
        else:
            self.offered(connection)

    def offered(self, connection: UpstreamStream) -> bool:
        """Take a connection of the cluster that is free, unless it was made for something else."""
        if connection.key != (None if self._options is None else self._options.key):
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

    def broke(self) -> None:
        """An error of ours was raised in a callback: the exchange ends with it."""
        self._exchange.channel.exchange_broke(self._exchange)

    @contained
    def _connected(self, stream: Stream) -> None:
        endpoint = self._tried[-1]
        endpoint.connections += 1
        needed = self._end_need()
        self._connecting = None
        connection: HTTP1UpstreamConnection | None = None
        try:
            connection = HTTP1UpstreamConnection(endpoint, self._environment.wheel, self._environment.limits, needed)
            stream.start(connection)
            self._ask(connection)
            connection.flush()
        except Exception:
            # it may not have come so far that the request's end is its end, and the end of what counts it
            stream.abortConnection()
            if connection is None and needed is not None:
                needed.closed()
            raise

    @contained
    def _connect_failed(self, fault: Fault) -> None:
        self._connecting = None
        self._tried[-1].connect_failures += 1
        needed = self._end_need()
        if needed is not None:
            needed.closed()
        self._fail_or_try_again(fault)

    def _again_after(self, head: ResponseHead) -> bool:
        """Try again after a response, if the route wants that and it can be done."""
        policy = self._route.retries
        limited = any(name == b"x-envoy-ratelimited" for name, _ in head.fields)
        if policy is None or not policy.after_response(head.status, head.grpc_status, limited):
            return False
        connection = self._connection
        if not self._try_later():
            return False
        assert connection is not None
        self._connection = None
        connection.discard()
        return True

    def _fail_or_try_again(self, fault: Fault) -> None:
        """There is no connection any more, and no response from it."""
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
            retries = self._retries = Retries(policy, self._cluster.retry_budget, self._environment.random)
        wait = retries.again()
        if wait is None:
            self._exchange.mark(retries.refused)
            return False
        self._end_limit_on_try()
        self._next_try = self._environment.call_later(wait, self._try_again)
        return True

    @contained
    def _try_again(self) -> None:
        self._next_try = None
        policy = self._route.retries
        assert policy is not None
        others = self._cluster.others(self._tried, self._key) if policy.elsewhere else iter(())
        endpoint = next(others, None) or self._cluster.next(self._key)
        if endpoint is None:
            self._fail(NO_HEALTHY_UPSTREAM)
        else:
            self._tell_time_left(policy)
            self._try(endpoint)
            self.flush()

    def _tell_time_left(self, policy: RetryPolicy) -> None:
        """Tell the backend of a further try what is left of the route's time, where a try's is not less (Envoy)."""
        deadline = self._deadline
        if deadline is not None and self.expected is not None:
            self._environment.fine_wheel.look()
            left = max(deadline.left, 0.001)
            least = left if policy.per_try_timeout is None else min(left, policy.per_try_timeout)
            self.expected = expected_time(milliseconds(least))

    def _fail(self, fault: Fault) -> None:
        self._stop()
        exchange = self._exchange
        exchange.upload = None
        exchange.fail(fault)
        exchange.channel.flush()

    def _limit_try(self) -> None:
        """The request is sent: from now on its response must begin within the time that the route says."""
        policy = self._route.retries
        if policy is not None and policy.per_try_timeout is not None and not self._settled:
            self._try_deadline = self._environment.deadline(policy.per_try_timeout, self._try_expired)

    def _end_limit_on_try(self) -> None:
        if self._try_deadline is not None:
            self._try_deadline.end()
            self._try_deadline = None

    @contained
    def _try_expired(self) -> None:
        """This try has taken too long."""
        self._give_up_connection()
        self._fail_or_try_again(TRY_TIMEOUT)

    @contained
    def _expired(self) -> None:
        """The route's timeout has passed."""
        if self._give_up_connection():
            self._cluster.failed(self._tried[-1])
        self._fail(UPSTREAM_TIMEOUT)

    def _give_up_connection(self) -> bool:
        """End the connection, if there is one; return whether there was."""
        connection = self._connection
        if connection is None:
            return False
        connection.cancel(self)
        self._connection = None
        return True

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
            if self._next_try.active():
                self._next_try.cancel()
            self._next_try = None
        for shadow in self._shadows:
            shadow.abandon()
        self._held = []

    def _end_need(self) -> CircuitBreaker | None:
        """A connection was found, or will never be; return where it was needed."""
        needed, self._needed = self._needed, None
        if needed is not None:
            needed.end_need()
        return needed

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
