# Hot path: each request meets it where guards stand on its virtual host.
"""Has the guards of virtual hosts look at requests before their routes are looked for."""

from __future__ import annotations

from collections.abc import Callable

from zope.interface import classImplements

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import HTTPFilter
from edgegate.http.filters.iteration import FilterIteration
from edgegate.http.guards.registry import filters_of
from edgegate.http.interfaces import IResource
from edgegate.http.selection import guards_of
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
    """Has the guards look at a request, and if they let it pass, its route answer."""

    __slots__ = ("_environment", "_filters", "_resource")

    def __init__(self, routed: Callable[[Exchange], IResource], environment: HTTPEnvironment) -> None:
        """
        @param routed: Finds what answers a request by its route.
        """
        self._resource = RoutedResource(routed)
        self._environment = environment
        # guards are known by the identity of their tuple, which is its own as long as it is kept here
        self._filters: dict[int, tuple[Guards, tuple[HTTPFilter, ...]]] = {}

    def render(self, exchange: Exchange) -> None:
        """Answer, or have the exchange wait."""
        guards = guards_of(exchange.connection, exchange.head.host)
        found = self._filters.get(id(guards))
        if found is None:
            found = self._filters[id(guards)] = guards, filters_of(guards, self._environment)
        filters = found[1]
        exchange.filters = iteration = FilterIteration(filters, self._resource, len(filters))
        iteration.start(exchange)

    def forget(self) -> None:
        """The files have changed: make the filters anew, when a request meets them."""
        self._filters.clear()


classImplements(RoutedResource, IResource)
classImplements(GuardedResource, IResource)
