# Hot path: each request meets it where guards stand on its virtual host.
"""Has the guards of virtual hosts look at requests before their routes are looked for."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import classImplements

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import HTTPFilter
from edgegate.http.filters.iteration import FilterIteration
from edgegate.http.guards.gate import count_passed, gates_of
from edgegate.http.guards.registry import filters_of
from edgegate.http.interfaces import IResource
from edgegate.model.guards.guard import Guards


class RoutedResource:
    """Answers with what the route of a request answers, which is looked for only now."""

    __slots__ = ("_routed",)

    def __init__(self, routed: Callable[[Exchange], IResource]) -> None:
        self._routed = routed

    def render(self, exchange: Exchange) -> None:
        """Find the route, and have it answer."""
        self._routed(exchange).render(exchange)


class GuardedResource:
    """Has guards look at a request, and if they let it pass, its route answer."""

    __slots__ = ("_filters", "_gates", "_resource")

    def __init__(self, filters: tuple[HTTPFilter, ...], resource: IResource) -> None:
        """
        @param resource: Answers what they let pass.
        """
        self._filters = filters
        self._gates = gates_of(filters)
        self._resource = resource

    def passes(self, exchange: Exchange) -> bool:
        """Return whether a request passes all of them at once; where it does not, it is to be rendered."""
        passed = count_passed(self._gates, exchange)
        if passed == len(self._gates):
            return True
        exchange.filters = FilterIteration(self._filters, self._resource, len(self._filters), None, passed)
        return False

    def render(self, exchange: Exchange) -> None:
        """Answer, or have the exchange wait."""
        iteration = exchange.filters
        assert isinstance(iteration, FilterIteration)
        iteration.start(exchange)


class GuardedResources:
    """Makes such a resource for each tuple of guards when a request first meets it, and keeps it."""

    __slots__ = ("_environment", "_made", "_resource")

    def __init__(self, routed: Callable[[Exchange], IResource], environment: HTTPEnvironment) -> None:
        """
        @param routed: Finds what answers a request by its route.
        """
        self._resource = RoutedResource(routed)
        self._environment = environment
        # guards are known by the identity of their tuple, which is its own as long as it is kept here
        self._made: dict[int, tuple[Guards, GuardedResource]] = {}

    def of(self, guards: Guards, exchange: Exchange) -> GuardedResource | None:
        """Return what answers a request that meets guards; L{None}: all let it pass."""
        found = self._made.get(id(guards))
        if found is None:
            filters = filters_of(guards, self._environment)
            found = self._made[id(guards)] = guards, GuardedResource(filters, self._resource)
        return None if found[1].passes(exchange) else found[1]

    def forget(self) -> None:
        """The files have changed: make the filters anew, when a request meets them."""
        self._made.clear()


classImplements(RoutedResource, IResource)
classImplements(GuardedResource, IResource)
