"""
What the compiler knows and the Snapshot does not: which line says a match, and what was left out and why.

The gateway has no use for it, so it compiles without. Whoever explains what the gateway does has it noted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

from edgegate.model.matching import HTTPMatch
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute


class Cause(Enum):
    """Why something of the files has no part in what is served."""

    PORT = "it is for another port"
    GATEWAY = "it is for another gateway"
    MESH = "it is for the sidecars of a mesh"
    NEVER = "no request fulfils it"
    BEHIND = "it stands behind what takes everything"
    HOST = "no server of its gateways serves this host"
    EXPORT = "it is not exported to its gateways"
    SELECTOR = "its gateway is not served"
    SERVER = "its server is not opened"
    DELEGATE = "it is within nothing that is delegated to it"


@dataclass(frozen=True, slots=True)
class LeftOut:
    """
    Something that the files say and that is not served, or not everywhere.

    @ivar origin: Where it is said: a match, a route, a host, a server or a whole object.
    @ivar domains: The hosts that it is for, in normal form; empty: any.
    @ivar port: The port, by the files, at which it is missing; L{None}: at every one.
    @ivar reason: In words, to stand behind what it is: C{its match is for port 443}.
    @ivar match: What it asks of requests, where it is a part of an HTTP route; L{None}: nothing, or it is none.
    @ivar route: The name of the route that it is a part of, or empty.
    @ivar by: Where that is said that keeps it out, if it is one thing.
    """

    cause: Cause
    origin: Origin
    domains: tuple[str, ...]
    port: int | None
    reason: str
    match: HTTPMatch | None = None
    route: str = ""
    by: Origin | None = None


@dataclass(frozen=True, slots=True)
class RouteNote:
    """
    Where the parts of an HTTP route are said.

    @ivar matches: For each of its matches where that is said; of one without any, the one place that says so.
    @ivar object: Where the object begins whose hosts it serves: a VirtualService.
    @ivar delegated: The item of that object through which it came from another one; L{None}: it is its own.
    """

    matches: tuple[Origin, ...]
    object: Origin
    delegated: Origin | None = None


class Notes:
    """What is noted while files are compiled, each thing once."""

    def __init__(self, left_out: Iterable[LeftOut] = (), routes: Iterable[tuple[HTTPRoute, RouteNote]] = ()) -> None:
        self._left_out = dict.fromkeys(left_out)
        # a route is known by its identity, which is its own as long as it is kept here
        self._routes = {id(route): (route, note) for route, note in routes}

    def leave_out(self, left: LeftOut) -> None:
        """Note what is not served."""
        self._left_out[left] = None

    def keep(self, route: HTTPRoute, note: RouteNote) -> None:
        """Note where a route is said."""
        self._routes[id(route)] = route, note

    def of(self, route: HTTPRoute) -> RouteNote:
        """Return what was noted of a route of the Snapshot that was compiled; else all that the route itself knows."""
        found = self._routes.get(id(route))
        if found is None:
            return RouteNote((route.origin,) * max(len(route.matches), 1), route.origin)
        return found[1]

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """All that is not served, in the order in which it was found."""
        return tuple(self._left_out)

    def __reduce__(self) -> tuple[type[Notes], tuple[object, ...]]:
        """Routes are known by their identity, which is another one in another process."""
        return Notes, (self.left_out, tuple(self._routes.values()))
