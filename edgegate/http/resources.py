# Hot path: answers each request.
"""What answers exchanges: a backend, a redirect, the files themselves, or the gateway."""

from __future__ import annotations

from zope.interface import classImplements

from edgegate.errors import Fault, grpc_status_for
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.iteration import FilterIteration
from edgegate.http.filters.route_filters import RouteFilters
from edgegate.http.grpc import grpc_fields
from edgegate.http.guards.gate import count_passed
from edgegate.http.interfaces import IResource
from edgegate.http.router.router import forward
from edgegate.model.actions import DirectResponse
from edgegate.model.routes import HTTPRoute


class ReverseProxyResource:
    """Answers with what a backend of the exchange's route answers."""

    __slots__ = ("_environment",)

    def __init__(self, environment: HTTPEnvironment) -> None:
        self._environment = environment

    def render(self, exchange: Exchange) -> None:
        """Send the request on; the response follows when it comes."""
        route = exchange.route
        assert route is not None
        forward(exchange, route, self._environment)


class RouteResource:
    """Answers with what the exchange's route says: a redirect, the files' own answer, or a backend's."""

    __slots__ = ("_environment",)

    def __init__(self, environment: HTTPEnvironment) -> None:
        self._environment = environment

    def render(self, exchange: Exchange) -> None:
        """Answer at once, or send the request on."""
        route = exchange.route
        assert route is not None
        if route.redirect is not None or route.direct is not None:
            answer_by_files(exchange, route)
        else:
            forward(exchange, route, self._environment)


class FilteredResource:
    """Has the filters of an exchange's route look at it before it is answered."""

    __slots__ = ("_filters", "_resource")

    def __init__(self, filters: RouteFilters, resource: IResource) -> None:
        """
        @param filters: Of the exchange's filter chain.
        @param resource: Answers, where no filter does.
        """
        self._filters = filters
        self._resource = resource

    def render(self, exchange: Exchange) -> None:
        """Answer, or have the exchange wait."""
        route = exchange.route
        assert route is not None
        filters, gates = self._filters.of(route)
        passed = count_passed(gates, exchange)
        if passed == len(filters):
            self._resource.render(exchange)
            return
        iteration = FilterIteration(filters, self._resource, len(route.guards), exchange.filters, passed)
        exchange.filters = iteration
        iteration.start(exchange)


def answer_by_files(exchange: Exchange, route: HTTPRoute) -> None:
    """Give the answer that a route says itself: a redirect, or the files' own."""
    if route.redirect is not None:
        location = route.redirect.location(exchange.scheme, exchange.authority, _path(exchange), exchange.port)
        _answer(exchange, route, route.redirect.code, [(b"location", location)], b"")
    elif route.direct is not None:
        _answer_directly(exchange, route, route.direct)


def _answer_directly(exchange: Exchange, route: HTTPRoute, direct: DirectResponse) -> None:
    """Give the files' answer; a gRPC client gets its status and body in gRPC's words (Envoy)."""
    if exchange.speaks_grpc:
        _answer(exchange, route, 200, grpc_fields(grpc_status_for(direct.status), direct.body), b"")
    else:
        fields = [(b"content-type", b"text/plain")] if direct.body else []
        _answer(exchange, route, direct.status, fields, direct.body)


def _answer(exchange: Exchange, route: HTTPRoute, status: int, fields: list[Field], body: bytes) -> None:
    """Give a response of the files', with the changes that its route makes."""
    if route.response is not None:
        exchange.changes = (route.response,)
    exchange.reply(status, fields, body)


def _path(exchange: Exchange) -> bytes:
    """Return the target of a URL; C{OPTIONS *} has none."""
    target = exchange.head.target
    return b"/" if target == b"*" else target


class HTTPSRedirectResource:
    """
    Answers with the same URL under https (Istio's C{ServerTLSSettings.httpsRedirect}): 301, the query kept.

    @ivar port: Of the https URL; 443 is left out.
    """

    __slots__ = ("port",)

    def __init__(self, port: int) -> None:
        self.port = port

    def render(self, exchange: Exchange) -> None:
        """Answer at once."""
        head = exchange.head
        # the host is checked: it holds no byte that could end a field
        host = head.host.encode("ascii")
        port = b"" if self.port == 443 else b":%d" % self.port
        exchange.reply(301, [(b"location", b"https://%b%b%b" % (host, port, _path(exchange)))], b"")


class FaultResource:
    """Answers that something went wrong."""

    __slots__ = ("_fault",)

    def __init__(self, fault: Fault) -> None:
        self._fault = fault

    def render(self, exchange: Exchange) -> None:
        """Answer at once."""
        exchange.fail(self._fault)


classImplements(ReverseProxyResource, IResource)
classImplements(RouteResource, IResource)
classImplements(FilteredResource, IResource)
classImplements(HTTPSRedirectResource, IResource)
classImplements(FaultResource, IResource)
