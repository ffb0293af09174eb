# Hot path: looked up for each request of a route that has filters.
"""Which guards and filters the routes of a filter chain have: made when they are first asked for, and kept."""

from __future__ import annotations

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.filters.interfaces import HTTPFilter, IHTTPFilterFactory
from edgegate.http.guards.gate import Gates, gates_of
from edgegate.http.guards.registry import filters_of
from edgegate.model.routes import HTTPRoute
from edgegate.routing.snapshot import FilterChain


class RouteFilters:
    """
    The filters of one filter chain, with the settings of each of its routes.

    It is made anew with each change of the files. A connection that ends on the files before has its own made for it.
    """

    __slots__ = ("_environment", "_filters", "_routes")

    def __init__(
        self, chain: FilterChain, factories: tuple[IHTTPFilterFactory, ...], environment: HTTPEnvironment
    ) -> None:
        """
        @param factories: In the order in which requests meet what they make.
        """
        self._environment = environment
        made = [factory.make(chain, environment) for factory in factories]
        self._filters = [each for each in made if each is not None]
        # a route is known by its identity, which is its own as long as it is kept here
        self._routes: dict[int, tuple[HTTPRoute, tuple[HTTPFilter, ...], Gates]] = {}

    def of(self, route: HTTPRoute) -> tuple[tuple[HTTPFilter, ...], Gates]:
        """Return the filters of a route, in their order, and the gates of the first of them, its guards."""
        found = self._routes.get(id(route))
        if found is None:
            settled = [each.for_route(route) for each in self._filters]
            guards = filters_of(route.guards, self._environment)
            filters = (*guards, *(each for each in settled if each is not None))
            found = self._routes[id(route)] = route, filters, gates_of(guards)
        return found[1], found[2]
