# Hot path: each request that an EnvoyFilter limits is asked for it.
"""Where a request goes, as EnvoyFilters name virtual hosts and routes, before its route is taken."""

from __future__ import annotations

from edgegate.access.rate_limits.scopes import Effective, Place, effective
from edgegate.http.exchange import Exchange
from edgegate.http.selection import route_of, virtual_host
from edgegate.model.addresses import TCPAddress
from edgegate.model.guards.envoy_rate_limits import Scopes
from edgegate.model.routes import HTTPRoute


class Settled:
    """
    Finds what counts for requests, and remembers it by their routes.

    It is made anew with each change of the files.
    """

    __slots__ = ("_found", "_scopes", "_trusted_hops")

    def __init__(self, scopes: Scopes, trusted_hops: int) -> None:
        self._scopes = scopes
        self._trusted_hops = trusted_hops
        # a route is known by its identity, which is its own as long as it is kept here
        self._found: dict[tuple[int, str, int], tuple[HTTPRoute | None, Effective]] = {}

    def of(self, exchange: Exchange) -> tuple[HTTPRoute | None, Effective]:
        """Return the route that a request will take, if there is one, and what counts for it."""
        found = route_of(exchange, self._trusted_hops)
        route = found if isinstance(found, HTTPRoute) else None
        host = virtual_host(exchange.connection, exchange.head.host)
        domain = "" if host is None else host.domain
        listener = exchange.connection.listener
        bound = listener.bind.port if isinstance(listener.bind, TCPAddress) else 0
        key = id(route), domain, bound
        known = self._found.get(key)
        if known is None:
            hosts = (f"{domain}:{listener.port}", f"{domain}:{bound}") if domain else ()
            place = Place(hosts, "" if route is None else route.name, listener.port)
            known = self._found[key] = route, effective(self._scopes, place)
        return known


def destination(route: HTTPRoute | None) -> str:
    """Return the cluster that a route forwards to, of several the first; empty: it forwards nothing."""
    if route is None or not route.destinations or route.redirect is not None or route.direct is not None:
        return ""
    return route.destinations[0].cluster
