# Hot path: made once for each request.
"""
One request and its response, between the stream that carries them and the resource that answers.

The exchange keeps what the log and the metrics want to know, and sees to it
that exactly one answer is given: its L{Phase} only goes forward.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from enum import IntEnum
from time import monotonic
from typing import Any, Final

from edgegate.access.verdict import Mutation
from edgegate.errors import CLIENT_GONE, INTERNAL, Fault, status_of
from edgegate.http.body_filter import BodyFilter, ResponseRest
from edgegate.http.downstream_stream import DownstreamStream
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field, check_response_fields
from edgegate.http.forwarded import Client
from edgegate.http.grpc import is_grpc
from edgegate.http.header_mutation import changed_reply
from edgegate.http.local_reply import REASONS, grpc_reply, plain_reply
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.http.response import ResponseHead
from edgegate.http.upload import Upload
from edgegate.http.upstream_head import UpstreamHead
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.model.addresses import Address
from edgegate.model.claims import NO_CLAIMS
from edgegate.model.guards.guard import Guard
from edgegate.model.guards.jwt import METADATA, PAYLOAD
from edgegate.model.headers import HeaderChanges
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.observe.metrics.meters import Meter
from edgegate.observe.tracing.trace import Trace
from edgegate.upstream.cluster import ClusterState


class Phase(IntEnum):
    """How far the response is."""

    AWAITED = 0
    BEGUN = 1
    OVER = 2


class HTTPFilters(ABC):
    """The filters of an exchange's route, and how far the exchange is among them."""

    __slots__ = ()

    @abstractmethod
    def go_on(self, exchange: Exchange) -> None:
        """The filter that has stopped the request lets it go on."""

    @abstractmethod
    def response_head(self, exchange: Exchange, head: ResponseHead) -> ResponseHead:
        """Return the head of the response after the filters that the request has passed."""

    @property
    @abstractmethod
    def answering(self) -> str:
        """The name of the filter that the request is at; empty: it has passed them all."""


NO_CLUSTERS: Final[Mapping[str, ClusterState]] = {}


class Exchange:
    """
    One request and its response.

    @ivar stream: Carries it.
    @ivar connection: What is known of its connection, port and filter chain as they were when it began.
    @ivar clusters: Those of the Snapshot that it began with, so that it ends on it; L{NO_CLUSTERS} once it has chosen.
    @ivar upload: Who takes the request's body; L{None}: it is thrown away.
    @ivar request_whole: Whether the request's last byte was received.
    @ivar phase: How far the response is.
    @ivar status: Of the final response; 0 before it.
    @ivar fault: What went wrong, if anything did.
    @ivar flags: Envoy's response flags of what is no fault of its own, with commas: C{DI,URX}.
    @ivar filters: The guards and filters that it is at, or has passed, if it meets any.
    @ivar guard: That has refused it; L{None}: none has.
    @ivar metadata: What guards have found out about it, by the names that Envoy's filters give their dynamic metadata;
        L{None}: nothing.
    @ivar route_head: By which its route is looked for, where guards have changed what is sent; L{None}: by C{head}.
    @ivar response_mutations: What guards want to be done to the head of its response; L{None}: nothing.
    @ivar bodies: What looks at its bodies, or changes them; L{None}: nothing does.
    @ivar details: Who gave a response that is no backend's, in the way of Envoy's C{RESPONSE_CODE_DETAILS}: the filter
        that did, or what it said; empty: no filter.
    @ivar changes: What is changed of the headers of a response that is no backend's.
    @ivar route: The route that was taken, if any was.
    @ivar cluster: The name of the cluster that was taken, or empty.
    @ivar meter: Counts it: that of the endpoint that was asked last, or of the cluster; L{None}: there was neither.
    @ivar upstream: The backend that was asked last.
    @ivar upstream_local: Our address towards it, once there was a connection.
    @ivar upstream_time: Milliseconds until its response began; -1 before that.
    @ivar identity: What tells the backend who the client is; L{None} before one is asked.
    @ivar request_id: What tells the request from all others; empty before one is asked, unless it is traced.
    @ivar cookie: What gives the client the cookie by which it is known again; L{None}: it has one, or needs none.
    @ivar trace: The one that it is in; L{None}: nothing is traced.
    @ivar explain: Returns what its client is told of the way that it took; L{None}: the client is told nothing.
    @ivar attempts: How many backends were asked.
    @ivar asked: What the backend that was asked last got; L{None}: none was.
    @ivar asked_at: When it was, in seconds of L{monotonic}; 0 before that.
    @ivar backend: What carried that; L{None} where there was no connection.
    @ivar responded_at: When its response began, in the same seconds; 0 before that.
    @ivar response: The head of the final response, and in C{response_fields} what it has besides.
    @ivar trailers: Those of the response.
    @ivar started: When the head was whole, in seconds of L{monotonic}.
    @ivar uploaded: When a body was whole, in the same seconds; 0 where there was none.
    @ivar received: Bytes of the request's body.
    @ivar sent: Bytes of the response's body.
    """

    __slots__ = (
        "_seen",
        "asked",
        "asked_at",
        "attempts",
        "backend",
        "bodies",
        "changes",
        "cluster",
        "clusters",
        "connection",
        "cookie",
        "details",
        "explain",
        "fault",
        "filters",
        "flags",
        "guard",
        "head",
        "identity",
        "metadata",
        "meter",
        "phase",
        "received",
        "request_id",
        "request_whole",
        "responded_at",
        "response",
        "response_fields",
        "response_mutations",
        "route",
        "route_head",
        "sent",
        "started",
        "status",
        "stream",
        "trace",
        "trailers",
        "upload",
        "uploaded",
        "upstream",
        "upstream_local",
        "upstream_time",
    )

    def __init__(self, stream: DownstreamStream, head: RequestHead, clusters: Mapping[str, ClusterState]) -> None:
        self.stream = stream
        self.connection = stream.downstream
        self.clusters = clusters
        self.head = head
        self.started = monotonic()
        self._seen: list[Field] | None = None
        self.upload: Upload | None = None
        self.request_whole = False
        self.phase = Phase.AWAITED
        self.status = self.received = self.sent = self.attempts = 0
        self.fault: Fault | None = None
        self.flags = self.details = ""
        self.filters: HTTPFilters | None = None
        self.guard: Guard | None = None
        self.metadata: dict[str, dict[str, object]] | None = None
        self.route_head: RequestHead | None = None
        self.response_mutations: list[Mutation] | None = None
        self.bodies: BodyFilter | None = None
        self.changes: tuple[HeaderChanges, ...] = ()
        self.route: HTTPRoute | None = None
        self.cluster = ""
        self.meter: Meter | None = None
        self.upstream: Address | None = None
        self.upstream_local: Address | None = None
        self.upstream_time = -1
        self.identity: FieldBlock | None = None
        self.request_id = b""
        self.cookie: FieldBlock | None = None
        self.asked: UpstreamHead | None = None
        self.backend: UpstreamStream | None = None
        self.response: ResponseHead | None = None
        self.response_fields: tuple[FieldBlock, ...] = ()
        self.trailers: list[Field] | None = None
        self.trace: Trace | None = None
        self.explain: Callable[[Exchange], FieldBlock] | None = None
        self.uploaded = self.asked_at = self.responded_at = 0.0

    # What the routes' conditions look at (edgegate.routing.matching.Request) -----------------------------------------

    @property
    def method(self) -> bytes:
        """The request's method."""
        return self.head.method

    @property
    def path(self) -> bytes:
        """The request's path, without its query."""
        return self.head.path

    @property
    def query(self) -> bytes:
        """What stands behind the target's question mark."""
        return self.head.target.partition(b"?")[2]

    @property
    def scheme(self) -> bytes:
        """Of the connection, or what a trusted proxy says of its own."""
        return self.stream.client.scheme(self.head)

    @property
    def authority(self) -> bytes:
        """The request's authority as the client wrote it."""
        return self.head.authority

    @property
    def port(self) -> int:
        """The port's number as the files name it."""
        return self.connection.listener.port

    @property
    def headers(self) -> list[Field]:
        """
        The fields that a route may ask for, the ones that are set anew towards the backend included.

        They are made once: a table may ask for them in each of its routes.
        """
        seen = self._seen
        if seen is None:
            seen = self._seen = self.stream.client.seen(self.head)
        return seen

    @property
    def claims(self) -> Mapping[str, Any]:
        """What its token says, once that was verified."""
        found = None if self.metadata is None else self.metadata.get(METADATA)
        payload = None if found is None else found.get(PAYLOAD)
        return payload if isinstance(payload, dict) else NO_CLAIMS

    @property
    def client_address(self) -> bytes:
        """The client's address, by the trusted hops where there are any."""
        return self.stream.client.external(self.head)

    @property
    def forwarded_for(self) -> bytes:
        """What tells a backend who the client is; empty before one is asked."""
        identity = self.identity
        return b"" if identity is None else identity.fields[0][1]

    def identity_fields(self) -> list[Field]:
        """Return what tells a backend who asks, whether one is asked or not."""
        identity = self.identity
        if identity is None:
            identity, self.request_id = self.stream.client.identity(self.head, self.request_id)
            self.identity = identity
        return [*identity.fields, (b"x-request-id", self.request_id)]

    # The request, from the stream -------------------------------------------------------------------------------------

    def receive(self, data: bytes) -> None:
        """A piece of the request's body came."""
        self.received += len(data)
        if self.bodies is not None:
            data = self.filter_body(data)
            if not data:
                return
        if self.upload is not None:
            self.upload.upload(data)

    def receive_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        self.request_whole = True
        if self.received:
            self.uploaded = monotonic()
        if self.bodies is not None:
            self.filter_end()
        if self.upload is not None:
            self.upload.upload_end(trailers)

    def abandon(self, fault: Fault = CLIENT_GONE) -> None:
        """The client's side is no more: nothing can be answered."""
        self.phase = Phase.OVER
        self.fault = self.fault or fault
        self._release()

    # The request, through what looks at its body ----------------------------------------------------------------------

    def filter_body(self, data: bytes) -> bytes:
        """Return what is sent on of a piece of the body: nothing, where it can't be, and the request fails."""
        bodies = self.bodies
        if bodies is None:
            return data
        try:
            return bodies.request_body(data)
        except RequestRefused as refused:
            self.give_up(refused.fault)
            return b""

    def filter_end(self) -> None:
        """Have the request fail if it can't be whole."""
        try:
            if self.bodies is not None:
                self.bodies.request_end()
        except RequestRefused as refused:
            self.give_up(refused.fault)

    @property
    def request_messages(self) -> int:
        """How many messages of gRPC have come in the request; 0 where it is none of gRPC."""
        return 0 if self.bodies is None else self.bodies.request_messages

    @property
    def response_messages(self) -> int:
        """How many messages of gRPC have come in its response."""
        return 0 if self.bodies is None else self.bodies.response_messages

    @property
    def policy(self) -> Origin | None:
        """Where the policy is said that has refused it; L{None}: none has."""
        return None if self.guard is None else self.guard.origin

    @property
    def asks_grpc(self) -> bool:
        """Whether a call of gRPC is asked for; one of gRPC-Web is once it is translated."""
        return is_grpc(self.head.fields)

    @property
    def speaks_grpc(self) -> bool:
        """Whether its client looks for the statuses of gRPC in the head; one of gRPC-Web does not."""
        return self.asks_grpc and (self.bodies is None or not self.bodies.translates)

    # The request, from its filters ------------------------------------------------------------------------------------

    @property
    def client(self) -> Client:
        """Who the client is, as far as a trusted proxy or its connection says."""
        return self.stream.client

    def change_request(self, fields: list[Field], removed: frozenset[bytes] = frozenset()) -> None:
        """
        Set and remove fields of the request; see L{RequestHead.changed}. The route that it has taken stays.

        Where one is still looked for by another head, that is changed as well: no route is chosen by what a client says
        of who it is.
        """
        self.replace_head(self.head.changed(fields, removed))
        asked = self.route_head
        if asked is not None:
            self.route_head = asked.changed(fields, removed)

    def note(self, namespace: str, found: dict[str, object]) -> None:
        """Keep what a guard has found out, under the name of Envoy's filter; it is added to what is there."""
        metadata = self.metadata
        if metadata is None:
            metadata = self.metadata = {}
        metadata[namespace] = {**metadata.get(namespace, {}), **found}

    def replace_head(self, head: RequestHead) -> None:
        """Send another head on than the client's. The route that was taken stays."""
        self.head = head
        self._seen = None

    # The response, from the resource ----------------------------------------------------------------------------------

    def answer(self, head: ResponseHead, fields: tuple[FieldBlock, ...] = ()) -> None:
        """Begin the final response; see L{DownstreamStream.response_head}."""
        if self.filters is not None:
            head = self.filters.response_head(self, head)
        self.phase = Phase.BEGUN
        self.status = head.status
        if self.explain is not None:
            # one client's alone: no cache in front is to give it to others
            head = head.with_set([(b"cache-control", b"no-store")])
            fields = (*fields, self.explain(self))
        self.response, self.response_fields = head, fields
        if self.trace is not None and self.trace.sampled:
            self.trace.note(head.fields)
        if self.bodies is not None:
            passed = self.bodies.response_head(head, fields)
            if passed is None:
                return
            head = passed
        self.stream.response_head(head, fields)

    def send(self, data: bytes) -> None:
        """Go on with the response's body."""
        if self.bodies is not None:
            data = self.bodies.response_body(data)
            if not data:
                return
        self.sent += len(data)
        self.stream.response_body(data)

    def finish(self, trailers: list[Field]) -> None:
        """The response is whole; the resource has let go of everything."""
        self.phase = Phase.OVER
        self.upload = None
        if self.trace is not None and self.trace.sampled:
            self.trace.note(trailers)
        if self.bodies is not None:
            rest = self.bodies.response_end(trailers)
            if rest is not None:
                trailers = self._send_rest(rest)
        if trailers:
            self.trailers = trailers
        self.stream.response_end(trailers)

    def mark(self, flag: str) -> None:
        """Take note of a response flag that is no fault."""
        self.flags = f"{self.flags},{flag}" if self.flags else flag

    def reply(self, status: int, fields: list[Field], body: bytes, details: str = "") -> None:
        """
        Give a whole response that is no backend's; where one has begun already, or none can be given, do nothing.

        @param details: What the access log says of a filter's; without them it is the filter's name.
        @raise ValueError: It is a filter's, and none of HTTP.
        """
        if self.phase is not Phase.AWAITED:
            return
        filters = self.filters
        if filters is not None:
            # a filter's, perhaps: it may answer as well what it has let go on
            if not 200 <= status <= 599:
                raise ValueError(f"{status} is no final response's status")
            check_response_fields(fields)
            self.details = details or filters.answering
            self._release()
        if self.changes:
            # once: should they fail, the response that tells of it goes without
            changes, self.changes = self.changes, ()
            fields = changed_reply(status, fields, changes, self)
        # the length in a 304 would be that of the 200 in its place, which nobody knows (RFC 9110 section 8.6)
        bodyless = status in (204, 304)
        self.answer(ResponseHead(status, REASONS.get(status, b""), fields, None if bodyless else len(body)))
        if body and not bodyless and self.head.method != b"HEAD":
            self.send(body)
        self.finish([])
        self.stream.flush()

    def fail(self, fault: Fault) -> None:
        """Give the response that belongs to a fault; where another has begun, cut it off."""
        if self.phase is Phase.OVER:
            return
        self.fault = fault
        if self.phase is Phase.AWAITED:
            self._reply_to(fault)
        else:
            self.phase = Phase.OVER
            try:
                self._release()
            finally:
                rest = None if self.bodies is None else self.bodies.response_cut()
                if rest is None:
                    self.stream.response_cut()
                else:
                    self.stream.response_end(self._send_rest(rest))
                    self.stream.flush()

    def give_up(self, fault: Fault = INTERNAL) -> None:
        """L{fail}, and have the resource let go: it has not done so itself."""
        try:
            self._release()
        finally:
            self.fail(fault)

    def _reply_to(self, fault: Fault) -> None:
        """Answer a fault, in the words that its client looks for."""
        if self.speaks_grpc:
            self.reply(200, grpc_reply(fault), b"")
        else:
            fields, body = plain_reply(fault, self.bodies is not None)
            self.reply(status_of(fault), fields, body)

    def _send_rest(self, rest: ResponseRest) -> list[Field]:
        """Send what a body filter leaves for the end; return the trailers."""
        if rest.head is not None:
            self.stream.response_head(rest.head, rest.fields)
        if rest.body:
            self.sent += len(rest.body)
            self.stream.response_body(rest.body)
        return rest.trailers

    def _release(self) -> None:
        upload, self.upload = self.upload, None
        if upload is not None:
            upload.cancel()
