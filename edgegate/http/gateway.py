# Hot path: finds what answers each request.
"""
Which resource answers a request.

Routing is Istio's: the filter chain was chosen by SNI, within its route table
the virtual host is chosen by C{Host}, within that the first route whose
conditions hold.
"""

from __future__ import annotations

from edgegate.buffers import BUFFERS
from edgegate.errors import BODY_TOO_LARGE, CLIENT_OVERLOADS, MISDIRECTED, NO_ROUTE, OVERLOADED, SCHEME_MISMATCH, Fault
from edgegate.http.challenge import ChallengeResource, is_challenge
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.explained_response import Explainer
from edgegate.http.fields import request_roles
from edgegate.http.filters.cors import CORSFilterFactory
from edgegate.http.filters.fault import FaultFilterFactory
from edgegate.http.filters.interfaces import IHTTPFilterFactory
from edgegate.http.filters.route_filters import RouteFilters
from edgegate.http.grpc_web import GRPCWebTranslation, grpc_head, is_grpc_web
from edgegate.http.guards.guarded_resource import GuardedResources
from edgegate.http.h1.downstream_connection import HTTP1DownstreamConnection
from edgegate.http.h1.head_parser import METHODS, HeadParser
from edgegate.http.h2.downstream_connection import HTTP2DownstreamConnection
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.interfaces import Dispatcher, IResource, ServedProtocol
from edgegate.http.request import RequestHead
from edgegate.http.resources import (
    FaultResource,
    FilteredResource,
    HTTPSRedirectResource,
    ReverseProxyResource,
    RouteResource,
)
from edgegate.http.selection import guards_of, owner, route_of, selected
from edgegate.http.target import PathNormalisation
from edgegate.http.tracing import begin_trace
from edgegate.model.routes import HTTPRoute
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.client_counts import ClientCounts
from edgegate.routing.snapshot import FilterChain


class HTTPGateway(Dispatcher):
    """
    Where HTTP begins: makes the protocol of each connection, and finds what answers each request.

    @ivar environment: What all of them share.
    @ivar heads: Parses the heads of requests, whose paths it brings to their normal form.
    @ivar heads2: Does so for HTTP/2.
    """

    __slots__ = (
        "_challenge",
        "_client_overloads",
        "_explainer",
        "_factories",
        "_filtered",
        "_filters_everywhere",
        "_guarded",
        "_misdirected",
        "_no_route",
        "_overloaded",
        "_proxy",
        "_redirects",
        "_route",
        "_scheme_mismatch",
        "_too_large",
        "environment",
        "heads",
        "heads2",
    )

    def __init__(
        self,
        environment: HTTPEnvironment,
        paths: PathNormalisation = PathNormalisation.BASE,
        filters: tuple[IHTTPFilterFactory, ...] = (),
        explainer: Explainer | None = None,
    ) -> None:
        """
        @param filters: Make the HTTP filters of embedders, which requests meet before those that edgegate has itself.
        @param explainer: Tells clients of the way of their requests, where they ask for it; L{None}: nobody does.
        """
        self.environment = environment
        self._explainer = explainer
        roles = request_roles(environment.trusted_hops > 0, environment.limits.underscores, explainer is not None)
        self.heads = HeadParser(environment.limits, paths, roles)
        self.heads2 = RequestHeads(METHODS, paths, roles)
        self._factories = (*filters, FaultFilterFactory(), CORSFilterFactory())
        self._filters_everywhere = bool(filters)
        self._filtered: dict[int, tuple[FilterChain, FilteredResource]] = {}
        self._guarded = GuardedResources(self.resource_for, environment)
        self._challenge = ChallengeResource(self._unchallenged, environment)
        self._route = RouteResource(environment)
        self._proxy = ReverseProxyResource(environment)
        self._no_route = FaultResource(NO_ROUTE)
        self._misdirected = FaultResource(MISDIRECTED)
        self._scheme_mismatch = FaultResource(SCHEME_MISMATCH)
        self._overloaded = FaultResource(OVERLOADED)
        self._client_overloads = FaultResource(CLIENT_OVERLOADS)
        self._too_large = FaultResource(BODY_TOO_LARGE)
        self._redirects: dict[int, HTTPSRedirectResource] = {}

    def connection(self, downstream: ConnectionInfo) -> ServedProtocol:
        """Return the protocol for a client's new connection: HTTP/1, unless ALPN has agreed on HTTP/2."""
        connection: ServedProtocol
        if downstream.alpn == b"h2":
            connection = self.http2(downstream)
        else:
            connection = HTTP1DownstreamConnection(downstream, self.environment, self.heads, self)
        self.environment.connection_began(connection)
        return connection

    def http2(self, downstream: ConnectionInfo) -> HTTP2DownstreamConnection:
        """Return the protocol for a client that speaks HTTP/2."""
        return HTTP2DownstreamConnection(downstream, self.environment, self.heads2, self)

    def retire(self) -> None:
        """Let every connection end with its next response."""
        for connection in tuple(self.environment.connections):
            connection.retire()

    def drain(self) -> None:
        """Let every connection end with the response that is under way on it, or to the request on its way."""
        for connection in tuple(self.environment.connections):
            connection.drain()

    def abort(self) -> None:
        """End every connection now: the end of a drain."""
        for connection in tuple(self.environment.connections):
            connection.abort()
        for shadow in tuple(self.environment.shadows):
            shadow.drop()

    def stop(self) -> None:
        """Leave no timer behind."""
        self.environment.fine_wheel.stop()

    def resource_for(self, exchange: Exchange) -> IResource:
        """
        Find what answers an exchange, and take note of its route.

        Where guards stand on its virtual host they come first. It is asked again when those have let it pass: they may
        have changed what it asks for.
        """
        environment, head = self.environment, exchange.head
        if exchange.filters is None:
            observer, counts, chain = environment.observer, exchange.connection.counts, exchange.connection.chain
            if observer.tracer is not None:
                begin_trace(exchange, observer.tracer)
            if head.explains:
                self._explain(exchange)
            if chain.grpc_web and is_grpc_web(head):
                exchange.bodies = GRPCWebTranslation(head)
            if (
                observer.begun - observer.ended > environment.most_requests
                or counts.requests > counts.most_requests
                or environment.lag.late
                or BUFFERS.held > BUFFERS.bound
                or head.length > environment.limits.body_bytes
            ):
                return self._refused(head, counts)
            if environment.challenges is not None and not exchange.connection.tls and is_challenge(head):
                return self._challenge
            if chain.guarded:
                guarded = self._guarded_by(exchange)
                if guarded is not None:
                    return guarded
            # guards may have changed its head
            found = selected(exchange.connection, exchange.head, exchange, environment.trusted_hops)
        else:
            found = route_of(exchange, environment.trusted_hops)
        if (
            isinstance(found, HTTPRoute)
            and not found.filtered
            and not self._filters_everywhere
            and exchange.bodies is None
        ):
            # as nearly every request goes: without a call more
            exchange.route = found
            return self._proxy
        return self._answer_by(exchange, found)

    def _unchallenged(self, exchange: Exchange) -> IResource:
        """Find what answers an exchange that is no authority's question."""
        connection = exchange.connection
        if connection.chain.guarded:
            guarded = self._guarded_by(exchange)
            if guarded is not None:
                return guarded
        return self._answer_by(exchange, selected(connection, exchange.head, exchange, self.environment.trusted_hops))

    def _guarded_by(self, exchange: Exchange) -> IResource | None:
        """Return what has the guards of an exchange's host look at it; L{None}: they let it pass, or there are none."""
        guards = guards_of(exchange.connection, exchange.head.host)
        return self._guarded.of(guards, exchange) if guards else None

    def _answer_by(self, exchange: Exchange, found: HTTPRoute | Fault | int) -> IResource:
        """Return what answers an exchange by what it selects."""
        if not isinstance(found, HTTPRoute):
            return self._answer_of(exchange, found)
        exchange.route = found
        if exchange.bodies is not None and exchange.bodies.translates:
            # routes are told apart by what the client says
            exchange.replace_head(grpc_head(exchange.head))
        return self._filtered_by(exchange) if found.filtered or self._filters_everywhere else self._proxy

    def _answer_of(self, exchange: Exchange, found: Fault | int) -> IResource:
        """Return what answers a request that no route takes: a fault, or the port of https that it is sent to."""
        if not isinstance(found, Fault):
            redirect = self._redirects.get(found)
            if redirect is None:
                redirect = self._redirects[found] = HTTPSRedirectResource(found)
            return redirect
        if found is SCHEME_MISMATCH:
            # who takes the connection for one of TLS asks nothing more of it (Envoy)
            exchange.stream.keep_no_longer()
            return self._scheme_mismatch
        return self._misdirected if found is MISDIRECTED else self._no_route

    def _explain(self, exchange: Exchange) -> None:
        """Have a client that asks for it be told of the way of its request, where it may be."""
        if self._explainer is not None:
            self._explainer.begin(exchange)

    def _refused(self, head: RequestHead, counts: ClientCounts) -> IResource:
        """Return what answers that a request is too large or one too many, and count it to the limit that it met."""
        environment = self.environment
        if head.length > environment.limits.body_bytes:
            return self._too_large
        if counts.requests > counts.most_requests:
            environment.shed_of_clients += 1
            return self._client_overloads
        observer = environment.observer
        if observer.begun - observer.ended > environment.most_requests:
            environment.shed += 1
        elif environment.lag.late:
            environment.shed_late += 1
        else:
            environment.shed_of_buffers += 1
        return self._overloaded

    def forget_filters(self) -> None:
        """The files have changed: make the filters of their chains anew, when a request asks for them."""
        self._filtered.clear()
        self._guarded.forget()

    def _filtered_by(self, exchange: Exchange) -> IResource:
        """Return what has the filters of an exchange's chain look at it."""
        chain = owner(exchange.connection, exchange.head.host)
        assert chain is not None
        # known by its identity, which is its own as long as it is kept here
        found = self._filtered.get(id(chain))
        if found is None:
            filters = RouteFilters(chain, self._factories, self.environment)
            found = self._filtered[id(chain)] = chain, FilteredResource(filters, self._route)
        return found[1]
