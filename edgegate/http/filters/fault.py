"""Failures that are made on purpose: Istio's C{HTTPFaultInjection}, as Envoy's C{fault} filter makes them."""

from __future__ import annotations

from zope.interface import implementer

from edgegate.errors import Fault, aborted
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.hold import Hold
from edgegate.http.filters.interfaces import ChainFilter, FilterStatus, HTTPFilter, IHTTPFilterFactory
from edgegate.model.policies import Faults
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import FilterChain


class FaultFilter(HTTPFilter):
    """Holds or fails some of a route's requests: first the one, then the other."""

    __slots__ = ("_environment", "_faults", "_route")

    name = "fault"

    def __init__(self, environment: HTTPEnvironment, route: HTTPRoute, faults: Faults) -> None:
        self._environment = environment
        self._route = route
        self._faults = faults

    def request_head(self, exchange: Exchange) -> FilterStatus:
        """Draw what becomes of the request."""
        delay = self._faults.delay
        if delay is not None and self._drawn(delay.share):
            exchange.mark("DI")
            Hold(exchange, self._environment, delay.seconds, self._delayed)
            return FilterStatus.STOP
        fault = self._fault(exchange)
        if fault is None:
            return FilterStatus.CONTINUE
        exchange.fail(fault)
        return FilterStatus.STOP

    def _delayed(self, hold: Hold) -> None:
        fault = self._fault(hold.exchange)
        if fault is None:
            hold.go_on()
        else:
            hold.fail(fault)

    def _fault(self, exchange: Exchange) -> Fault | None:
        """Return what a request fails with, if it does; in the response the changes are made that its route makes."""
        abort = self._faults.abort
        if abort is None or not self._drawn(abort.share):
            return None
        route = self._route
        destination = self._environment.clusters.pick(route.destinations) if route.destinations else None
        if destination is not None:
            exchange.changes = destination.response
        elif route.response is not None:
            exchange.changes = (route.response,)
        return aborted(abort.status, abort.grpc_status)

    def _drawn(self, share: float) -> bool:
        return share >= 1 or self._environment.random.random() < share


class _Chain(ChainFilter):
    __slots__ = ("_environment",)

    def __init__(self, environment: HTTPEnvironment) -> None:
        self._environment = environment

    def for_route(self, route: HTTPRoute) -> HTTPFilter | None:
        """Return the filter of a route that says what is to fail."""
        return None if route.faults is None else FaultFilter(self._environment, route, route.faults)


@implementer(IHTTPFilterFactory)
class FaultFilterFactory:
    """Makes it for every chain."""

    name = FaultFilter.name

    def make(self, chain: FilterChain, environment: HTTPEnvironment) -> ChainFilter:
        """See L{IHTTPFilterFactory.make}."""
        return _Chain(environment)
