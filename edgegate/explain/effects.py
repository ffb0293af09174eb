"""
What follows a decision: what the client is answered, or what each backend gets of the request.

All of it is asked of the functions that serve: nothing is sent, and nothing drawn. Where the gateway would draw, each
outcome is here with its share.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from edgegate.errors import NO_CLUSTER, NO_HEALTHY_UPSTREAM, Fault, aborted, response_flags
from edgegate.explain.decision import Decider, Decision
from edgegate.explain.judgement import Judgement
from edgegate.explain.recorded import RecordedStream, RecordedTry
from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock, fields_in
from edgegate.http.fields import Field
from edgegate.http.filters.cors import CORSFilter, origin_of, response_fields
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.grpc_web import GRPCWebTranslation, grpc_head, is_grpc_web
from edgegate.http.guards.refusal import refuse
from edgegate.http.request import refused_head
from edgegate.http.resources import HTTPSRedirectResource, answer_by_files
from edgegate.http.router.request_headers import asked_host, begin_request, own_fields, shadow_head
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, Endpoints
from edgegate.model.hosts import covers
from edgegate.model.routes import HTTPRoute, WeightedCluster
from edgegate.routing.snapshot import Snapshot
from edgegate.upstream.transport_socket import asked_name

NEW_REQUEST_ID: Final = b"00000000-0000-4000-8000-000000000000"
"""Stands for the C{x-request-id} that each request gets anew."""


@dataclass(frozen=True, slots=True)
class Answer:
    """
    A response that the gateway gives itself.

    @ivar flags: Envoy's response flags, as the access log shows them; empty: none.
    @ivar details: Envoy's C{RESPONSE_CODE_DETAILS}, where there is a word for it.
    @ivar reason: What went wrong, if anything did.
    """

    status: int
    fields: tuple[Field, ...] = ()
    body: bytes = b""
    flags: str = ""
    details: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Sent:
    """
    What a backend gets of a request.

    @ivar fields: All but C{host} and what frames the body.
    """

    method: bytes
    target: bytes
    authority: bytes
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Destination:
    """
    Where a request or a connection may go.

    @ivar said: By the route.
    @ivar share: Of all, between 0 and 1.
    @ivar cluster: L{None}: the files have none of that name.
    @ivar endpoints: Of the cluster, by the files.
    @ivar sent: What of a request goes there.
    @ivar answer: What a request is answered that can't be sent there.
    @ivar server_name: The name that the backend's certificate is asked for by SNI; empty: none, or no TLS.
    """

    said: WeightedCluster
    share: float
    cluster: Cluster | None
    endpoints: tuple[Endpoint, ...] = ()
    sent: Sent | None = None
    answer: Answer | None = None
    server_name: str = ""


@dataclass(frozen=True, slots=True)
class Copy:
    """
    A copy for a mirror.

    @ivar share: Of the requests that are copied, between 0 and 1.
    """

    cluster: str
    share: float
    sent: Sent


@dataclass(frozen=True, slots=True)
class Effects:
    """
    What follows a decision.

    @ivar answer: What the gateway answers every such request; L{None}: a backend answers, or nobody.
    @ivar destinations: Where such requests go.
    @ivar copies: For mirrors.
    @ivar delay: Seconds for which some are held, with the share of them.
    @ivar abort: What some are answered on purpose, with the share of them; where that is all, it is C{answer}.
    @ivar cors: What the head of a response gets for the page that asks.
    """

    answer: Answer | None = None
    destinations: tuple[Destination, ...] = ()
    copies: tuple[Copy, ...] = ()
    delay: tuple[float, float] | None = None
    abort: tuple[Answer, float] | None = None
    cors: tuple[Field, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectsFinder:
    """
    Finds what follows the decisions of one L{Decider}.

    @ivar endpoints: Of the clusters, by the files.
    @ivar shadow_hosts: As C{--shadow-hosts}: whether copies have C{-shadow} behind their host.
    """

    decider: Decider
    endpoints: Endpoints = field(default_factory=dict)
    shadow_hosts: bool = False

    @property
    def snapshot(self) -> Snapshot:
        """The Snapshot by which it is decided."""
        return self.decider.snapshot

    def of(self, decision: Decision) -> Effects:
        """Return what follows a decision."""
        route = decision.route
        if decision.asked is None:
            if decision.fault is not None:
                return Effects(self._refused(decision, decision.fault))
            destinations = () if route is None else route.destinations
            return Effects(destinations=tuple(self._relayed(destinations)))
        if decision.denied is not None:
            return Effects(self._denied(decision, decision.denied))
        if decision.fault is not None:
            return Effects(self._failed(decision, decision.fault))
        if decision.redirect_port is not None:
            exchange = self._exchange(decision)
            HTTPSRedirectResource(decision.redirect_port).render(exchange)
            return Effects(_answer_of(exchange))
        assert isinstance(route, HTTPRoute)
        return self._routed(decision, route)

    def _routed(self, decision: Decision, route: HTTPRoute) -> Effects:
        """Go through what a route does, in the order of the filters: faults, then CORS, then the route's answer."""
        delay = abort = None
        if route.faults is not None and route.faults.delay is not None:
            delay = route.faults.delay.seconds, route.faults.delay.share
        if route.faults is not None and route.faults.abort is not None:
            made = route.faults.abort
            abort = self._aborted(decision, route, aborted(made.status, made.grpc_status)), made.share
            if made.share >= 1:
                return Effects(abort[0], delay=delay)
        cors: tuple[Field, ...] = ()
        if route.cors is not None:
            exchange = self._exchange(decision)
            if CORSFilter(route.cors).request_head(exchange) is FilterStatus.STOP:
                return Effects(_answer_of(exchange), delay=delay, abort=abort)
            origin = origin_of(exchange.head)
            cors = tuple(response_fields(route.cors, origin)) if origin else ()
        if route.redirect is not None or route.direct is not None:
            exchange = self._exchange(decision)
            answer_by_files(exchange, route)
            return Effects(_answer_of(exchange), delay=delay, abort=abort, cors=cors)
        total = sum(each.weight for each in route.destinations)
        if not total:
            return Effects(self._failed(decision, NO_CLUSTER), delay=delay, abort=abort, cors=cors)
        destinations = tuple(self._destination(decision, each, total) for each in route.destinations)
        copies = tuple(self._copies(decision, route))
        only = destinations[0].answer if len(destinations) == 1 else None
        return Effects(only, destinations, copies, delay, abort, cors)

    def _destination(self, decision: Decision, said: WeightedCluster, total: int) -> Destination:
        """Say what a destination gets of a request, or why it gets nothing."""
        exchange = self._exchange(decision)
        exchange.changes = said.response
        share = said.weight / total
        cluster = self.snapshot.clusters.get(said.cluster)
        if cluster is None:
            return Destination(said, share, None, answer=_failed(exchange, NO_CLUSTER))
        endpoints = self.endpoints.get(cluster.name, ())
        host = asked_host(exchange.head, said.request)
        if cluster.grpc_web and exchange.bodies is None and is_grpc_web(exchange.head):
            exchange.bodies = GRPCWebTranslation(exchange.head)
            exchange.replace_head(grpc_head(exchange.head))
        request = RecordedTry()
        begin_request(request, exchange, said.request)
        sent = Sent(request.head.method, request.head.target, request.head.authority, tuple(_all_fields(request)))
        name = "" if cluster.tls is None else asked_name(cluster.name, cluster.tls, host)
        answer = None
        if not _reachable(cluster, endpoints, host):
            answer = _failed(exchange, NO_HEALTHY_UPSTREAM)
        return Destination(said, share, cluster, endpoints, sent, answer, name)

    def _copies(self, decision: Decision, route: HTTPRoute) -> Sequence[Copy]:
        """Say what each mirror gets. Copies are made of what the request's own destination gets: of the first here."""
        found: list[Copy] = []
        for mirror in route.mirrors:
            exchange, request = self._exchange(decision), RecordedTry()
            changes = route.destinations[0].request
            begin_request(request, exchange, changes)
            head = shadow_head(request, exchange, changes, self.shadow_hosts)
            if not exchange.head.upgrade and mirror.cluster in self.snapshot.clusters:
                sent = Sent(head.method, head.target, head.authority, tuple(head.fields))
                found.append(Copy(mirror.cluster, mirror.share, sent))
        return found

    def _relayed(self, destinations: tuple[WeightedCluster, ...]) -> Sequence[Destination]:
        """Say where a connection may go."""
        total = sum(each.weight for each in destinations)
        found: list[Destination] = []
        for each in destinations:
            cluster = self.snapshot.clusters.get(each.cluster)
            endpoints = self.endpoints.get(each.cluster, ())
            share = each.weight / total if total else 0.0
            name = "" if cluster is None or cluster.tls is None else asked_name(cluster.name, cluster.tls, "")
            found.append(Destination(each, share, cluster, endpoints, server_name=name))
        return found

    def _aborted(self, decision: Decision, route: HTTPRoute, fault: Fault) -> Answer:
        exchange = self._exchange(decision)
        if route.destinations:
            exchange.changes = route.destinations[0].response
        elif route.response is not None:
            exchange.changes = (route.response,)
        return _failed(exchange, fault)

    def _denied(self, decision: Decision, denied: Judgement) -> Answer:
        """Return what answers a request that a guard refuses."""
        exchange = self._exchange(decision)
        assert denied.refusal is not None
        refuse(exchange, denied.guard, denied.refusal)
        return replace(_answer_of(exchange), details=denied.refusal.details, reason=denied.words)

    def _failed(self, decision: Decision, fault: Fault) -> Answer:
        return _failed(self._exchange(decision), fault)

    def _refused(self, decision: Decision, fault: Fault) -> Answer:
        """Return what answers a head that could not be read."""
        assert decision.connection is not None
        return _failed(self.decider.exchange(decision.connection, refused_head()), fault)

    def _exchange(self, decision: Decision) -> Exchange:
        """Return an exchange as it is when the filters of its route see it."""
        assert decision.connection is not None
        assert decision.asked is not None
        head = decision.asked.head
        exchange = self.decider.exchange(decision.connection, head)
        if not (self.decider.trusted_hops and head.request_id):
            exchange.request_id = NEW_REQUEST_ID
        translates = decision.connection.chain.grpc_web and is_grpc_web(head)
        if translates:
            exchange.bodies = GRPCWebTranslation(head)
        if isinstance(decision.route, HTTPRoute):
            exchange.route = decision.route
            if translates:
                exchange.replace_head(grpc_head(head))
        return exchange


def _all_fields(request: RecordedTry) -> list[Field]:
    """Return all fields that a request gets on its first try."""
    fields = own_fields(request)
    blocks: tuple[FieldBlock | None, ...] = (request.attempt, request.context)
    return [*fields, *(field for block in blocks if block is not None for field in block.fields)]


def _reachable(cluster: Cluster, endpoints: tuple[Endpoint, ...], host: str) -> bool:
    """Whether a cluster has an endpoint by the files, as far as they can tell."""
    if cluster.discovery is not Discovery.DYNAMIC:
        return bool(endpoints)
    address = endpoints[0].address if endpoints else None
    return isinstance(address, TCPAddress) and covers(address.host, host)


def _failed(exchange: Exchange, fault: Fault) -> Answer:
    exchange.fail(fault)
    return _answer_of(exchange)


def _answer_of(exchange: Exchange) -> Answer:
    """Return what an exchange was answered."""
    stream, fault = exchange.stream, exchange.fault
    assert isinstance(stream, RecordedStream)
    assert stream.answered is not None
    fields = (*stream.answered.fields, *fields_in(stream.own))
    details = exchange.details or ("" if fault is None else fault.details)
    flags = ",".join(response_flags(fault, exchange.flags))
    reason = "" if fault is None else fault.reason
    return Answer(stream.answered.status, fields, stream.body, flags, details, reason)
