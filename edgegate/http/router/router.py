# Hot path: sends each request on.
"""
Sending a request on to a backend: which one, how often, how long, and what is kept for that.

A L{Router} is the resource's side of one exchange. The endpoint whose turn it
is comes first; then the request is tried again elsewhere as the route's retries
say, as long as not a byte of a response went to the client and the request's
body is at hand, and as far as the cluster's limits let. Each try is an
L{edgegate.http.router.upstream_request.UpstreamRequest}.
"""

from __future__ import annotations

from twisted.internet.interfaces import IDelayedCall

from edgegate.errors import (
    NO_CLUSTER,
    NO_HEALTHY_UPSTREAM,
    OVERFLOW,
    STREAM_IDLE,
    UPSTREAM_REFUSED,
    UPSTREAM_TIMEOUT,
    Fault,
    Source,
)
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import NO_CLUSTERS, Exchange
from edgegate.http.fields import Field
from edgegate.http.grpc_messages import MessageCounts
from edgegate.http.grpc_web import GRPCWebTranslation, grpc_head, is_grpc_web
from edgegate.http.response import ResponseHead
from edgegate.http.router.hash_key import request_key
from edgegate.http.router.request_body import NO_SHADOWS, NO_TRAILERS, RequestBody
from edgegate.http.router.request_headers import asked_host, begin_request, begin_try, expected_time
from edgegate.http.router.retry_policy import Retries
from edgegate.http.router.shadows import shadows_of
from edgegate.http.router.upstream_request import UpstreamRequest
from edgegate.http.tracing import trace_try
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.policies import RetryPolicy
from edgegate.model.routes import HTTPRoute, WeightedCluster, milliseconds
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState


class Router(RequestBody):
    """
    One request on its way to a backend, through all its tries.

    It owns the try that is under way until the response is whole or it gives up.
    """

    __slots__ = (
        "_cluster",
        "_deadline",
        "_destination",
        "_entered",
        "_key",
        "_next_try",
        "_retries",
        "_tried",
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
        request = UpstreamRequest(self, exchange, cluster, destination.response, environment)
        self._request = request
        begin_request(request, exchange, destination.request)
        if request.head.grpc and exchange.bodies is None:
            exchange.bodies = MessageCounts()
        self._deadline: Deadline | None = None
        self._next_try: IDelayedCall | None = None
        self._retries: Retries | None = None
        self._entered: CircuitBreaker | None = None
        self._tried: list[EndpointState] = []
        self._key = request_key(exchange, cluster.cluster.balancer, environment.random) if cluster.keyed else None
        self._held = []
        self._held_bytes = 0
        self._trailers = NO_TRAILERS
        self.replayable = True
        self._settled = self._whole = self._paused = self._upload_paused = False
        self._shadows = NO_SHADOWS
        if route.mirrors:
            self._shadows = shadows_of(request, exchange, route, destination.request, environment)

    def start(self) -> None:
        """Ask the endpoint whose turn it is."""
        circuit_breaker = self._cluster.circuit_breaker
        if circuit_breaker is not None:
            if not circuit_breaker.enter():
                self.fail(OVERFLOW)
                return
            self._entered = circuit_breaker
        endpoint = self._cluster.next(self._key)
        if endpoint is not None:
            request = self._request
            assert request is not None
            self._exchange.attempts = 1
            request.start(endpoint)
        else:
            self._cluster.when_resolved(self._resolved)

    def cancel(self) -> None:
        """Nobody wants the response."""
        try:
            if self._request is not None:
                self._request.give_up()
        finally:
            self._stop()

    def broke(self) -> None:
        """An error of ours was raised in a callback: the exchange ends with it."""
        self._exchange.stream.exchange_broke(self._exchange)

    # As the owner of its tries ----------------------------------------------------------------------------------------

    def tries_after(self, head: ResponseHead) -> bool:
        """Try again after a response, if the route wants that and it can be done."""
        policy = self._route.retries
        limited = any(name == b"x-envoy-ratelimited" for name, _ in head.fields)
        if policy is None or not policy.after_response(head.status, head.grpc_status, limited):
            return False
        return self._try_later()

    def response_whole(self, trailers: list[Field]) -> None:
        """The response is whole."""
        self._stop()
        exchange = self._exchange
        exchange.finish(trailers)
        exchange.stream.flush()

    def response_switched(self, stream: Stream, rest: bytes, carrier: UpstreamStream) -> None:
        """The two connections are a tunnel from here on; the route's timeout does not cut it."""
        exchange = self._exchange
        self._stop()
        exchange.upload = None
        exchange.stream.tunnel(stream, rest, carrier.end_tunnel)

    def try_failed(self, fault: Fault) -> None:
        """Try again, if the route wants that and it can be done."""
        if fault.source is Source.UPSTREAM and self._request is not None:
            self._cluster.failed(self._request.endpoint)
        policy = self._route.retries
        # who was silent for minutes was waited for long enough, whatever the route says (Envoy)
        hopeless = (
            policy is None
            or fault is STREAM_IDLE
            or not policy.after_failure(fault.unconnected, fault is UPSTREAM_REFUSED)
        )
        if hopeless or not self._try_later():
            self.fail(fault)

    def fail(self, fault: Fault) -> None:
        """The request can't be answered."""
        self._stop()
        exchange = self._exchange
        exchange.upload = None
        exchange.fail(fault)
        exchange.stream.flush()

    # ------------------------------------------------------------------------------------------------------------------

    @contained
    def _resolved(self) -> None:
        """The cluster's names are resolved, or have failed to be."""
        upload: object = self._exchange.upload
        if upload is not self:
            return
        endpoint, request = self._cluster.next(self._key), self._request
        if endpoint is None or request is None:
            self.fail(NO_HEALTHY_UPSTREAM)
        else:
            self._exchange.attempts = 1
            request.start(endpoint)
            self.flush()

    def _try_later(self) -> bool:
        """Arrange for the next try, if there may be one."""
        policy, request = self._route.retries, self._request
        if policy is None or request is None or not self.replayable:
            return False
        retries = self._retries
        if retries is None:
            retries = self._retries = Retries(policy, self._cluster.retry_budget, self._environment.random)
        wait = retries.again()
        if wait is None:
            self._exchange.mark(retries.refused)
            return False
        request.stop()
        self._next_try = self._environment.call_later(wait, self._try_again)
        return True

    @contained
    def _try_again(self) -> None:
        self._next_try = None
        policy, before = self._route.retries, self._request
        assert policy is not None
        assert before is not None
        self._tried.append(before.endpoint)
        others = self._cluster.others(self._tried, self._key) if policy.elsewhere else iter(())
        endpoint = next(others, None) or self._cluster.next(self._key)
        if endpoint is None:
            self.fail(NO_HEALTHY_UPSTREAM)
            return
        exchange = self._exchange
        exchange.attempts += 1
        self._request = request = UpstreamRequest(
            self, exchange, self._cluster, self._destination.response, self._environment
        )
        begin_try(request, before, exchange.attempts)
        if exchange.trace is not None:
            trace_try(request, exchange.trace)
        self._tell_time_left(request, policy)
        request.start(endpoint)
        self.flush()

    def _tell_time_left(self, request: UpstreamRequest, policy: RetryPolicy) -> None:
        """Tell the backend of a further try what is left of the route's time, where a try's is not less (Envoy)."""
        deadline = self._deadline
        if deadline is not None and request.expected is not None:
            self._environment.fine_wheel.look()
            left = max(deadline.left, 0.001)
            least = left if policy.per_try_timeout is None else min(left, policy.per_try_timeout)
            request.expected = expected_time(milliseconds(least))

    def _limit(self, seconds: float) -> None:
        """The route's timeout counts from now on."""
        self._deadline = self._environment.deadline(seconds, self._expired)

    @contained
    def _expired(self) -> None:
        """The route's timeout has passed."""
        request = self._request
        if request is not None and request.give_up(UPSTREAM_TIMEOUT):
            self._cluster.failed(request.endpoint)
        self.fail(UPSTREAM_TIMEOUT)

    def _stop(self) -> None:
        """Leave nothing behind but the stream."""
        # each knows the other: neither is to keep the other in memory
        request, self._request = self._request, None
        if request is not None and (request.pending is not None or request.deadline is not None):
            request.stop()
        if self._entered is not None:
            self._entered.leave()
            self._entered = None
        if self._retries is not None:
            self._retries.end()
        if self._deadline is not None:
            self._deadline.end()
        if self._next_try is not None:
            if self._next_try.active():
                self._next_try.cancel()
            self._next_try = None
        for shadow in self._shadows:
            shadow.abandon()
        if self._held:
            self._let_go()


def forward(exchange: Exchange, route: HTTPRoute, environment: HTTPEnvironment) -> None:
    """Begin to send an exchange's request to a cluster of its route."""
    destinations = route.destinations
    destination = destinations[0] if len(destinations) == 1 else environment.clusters.pick(destinations)
    cluster: ClusterState | None = None
    if destination is not None:
        exchange.changes = destination.response
        cluster = exchange.clusters.get(destination.cluster)
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
    exchange.meter = cluster.meter
    if cluster.cluster.grpc_web and exchange.bodies is None and is_grpc_web(exchange.head):
        exchange.bodies = GRPCWebTranslation(exchange.head)
        exchange.replace_head(grpc_head(exchange.head))
    router = Router(exchange, cluster, destination, route, environment)
    # it has what it needs of them, and may last longer than they do
    exchange.clusters = NO_CLUSTERS
    exchange.upload = router
    router.start()
