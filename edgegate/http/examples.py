"""
Keeps requests that failed and those that were slow, for whoever looks later.

It is asked where something went wrong or took its time, and for nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import monotonic, time
from typing import Final

from edgegate.errors import NO_ROUTE, response_flags
from edgegate.http.exchange import Exchange
from edgegate.http.selection import owner
from edgegate.observe.live.examples import PAUSE, Example, RouteExamples, Told
from edgegate.observe.live.names import host_id, listener_id, no_host, route_id
from edgegate.observe.live.tally import is_failure
from edgegate.observe.live.window import Key
from edgegate.observe.log_lines import moment
from edgegate.routing.snapshot import FilterChain, VirtualHost

SLOW: Final = 500
"""Milliseconds from which a request is kept as a slow one, also while nobody looks."""

SWITCHED: Final = 101
"""The status of what became a tunnel."""

MOST_ROUTES: Final = 500
"""Routes of which some are kept; of more, those are forgotten of which none was kept for the longest time."""

MOST_CHARACTERS: Final = 256
"""Characters of a text of the client's."""


class Examples:
    """Those of all routes."""

    def __init__(self) -> None:
        # in the order of their last use
        self._routes: dict[str, RouteExamples] = {}
        # by the identity of what the Snapshot has: when one that failed was kept last, and what a slow one must exceed
        self._noted: dict[int, tuple[float, float]] = {}

    def of(self, name: str) -> RouteExamples:
        """Return those of a route, of which one may come to be kept."""
        found = self._routes.pop(name, None)
        if found is None:
            if len(self._routes) >= MOST_ROUTES:
                del self._routes[next(iter(self._routes))]
            found = RouteExamples(name)
        else:
            found.forget(monotonic())
        self._routes[name] = found
        return found

    def note(self, exchange: Exchange, milliseconds: int) -> None:
        """A request failed, or was slow, or its client was to blame, which is of no interest."""
        now, place = monotonic(), id(exchange.route)
        noted = self._noted.get(place)
        if noted is not None and now - noted[0] < PAUSE and milliseconds <= noted[1]:
            # where all fail this is all that is done
            return
        failed = is_failure(exchange.status, exchange.fault) or exchange.fault is NO_ROUTE
        slow = milliseconds >= SLOW and exchange.status != SWITCHED
        if not (failed or slow):
            return
        route = self.of(key_of(exchange, *host_of(exchange))[2])
        if slow and milliseconds > route.bar:
            route.keep_slow(milliseconds, _example(exchange, milliseconds), now)
        if failed and route.wants_failed(now):
            route.keep_failed(_example(exchange, milliseconds), now)
            self._noted[place] = now, route.bar if route.bar >= 0 else SLOW - 1

    def keep_slow(self, route: RouteExamples, exchange: Exchange, milliseconds: float) -> None:
        """Keep one that took longer than its route's bar."""
        route.keep_slow(milliseconds, _example(exchange, milliseconds), monotonic())

    def clear(self) -> None:
        """Forget all: other routes have these places now."""
        self._routes.clear()
        self._noted.clear()

    def told(self, known: dict[str, int]) -> Iterator[Told]:
        """
        Yield those of routes that are others than before.

        @param known: How many changes each route had then; is brought up to date.
        """
        now = monotonic()
        for name, route in tuple(self._routes.items()):
            if route.changes != known.get(name, 0):
                known[name] = route.changes
                yield route.told(now)


def host_of(exchange: Exchange) -> tuple[FilterChain | None, VirtualHost | None]:
    """Return whose a request was: the filter chain and the virtual host of its name, as far as there are any."""
    info, name = exchange.connection, exchange.head.host
    chain = owner(info, name) if info.tls else info.chain
    return chain, None if chain is None or chain.http is None else chain.http.lookup(name)


def key_of(exchange: Exchange, chain: FilterChain | None, host: VirtualHost | None) -> Key:
    """Name where a request went."""
    listener, upstream = exchange.connection.listener, exchange.upstream
    name = no_host(listener) if chain is None or host is None else host_id(listener, chain, host.domain)
    return (
        listener_id(listener),
        name,
        name if host is None else route_id(name, _place(exchange, host)),
        exchange.cluster,
        "" if upstream is None else str(upstream),
    )


def _place(exchange: Exchange, host: VirtualHost) -> int | None:
    """Return which of a host's routes a request took; L{None}: none."""
    route = exchange.route
    if route is not None:
        for place, each in enumerate(host.routes):
            if each is route:
                return place
    return None


def _example(exchange: Exchange, milliseconds: float) -> Example:
    """Return what is shown of a request. Nothing of its query, which may hold secrets, nor of its headers."""
    head, upstream, fault = exchange.head, exchange.upstream, exchange.fault
    return {
        "time": moment(time() - milliseconds / 1000),
        "method": _text(head.method),
        "path": _text(head.path),
        "host": head.host[:MOST_CHARACTERS],
        "protocol": f"HTTP/{head.version}" if head.version else None,
        "status": exchange.status,
        "flags": response_flags(fault, exchange.flags),
        "reason": None if fault is None else fault.reason,
        "milliseconds": round(milliseconds, 3),
        "backend_milliseconds": exchange.upstream_time if exchange.upstream_time >= 0 else None,
        "cluster": exchange.cluster,
        "endpoint": None if upstream is None else str(upstream),
        "attempts": exchange.attempts,
        "request_id": _text(exchange.request_id) or None,
    }


def _text(data: bytes) -> str:
    text = data[: MOST_CHARACTERS + 1].decode("latin-1")
    return f"{text[:MOST_CHARACTERS]}..." if len(text) > MOST_CHARACTERS else text
