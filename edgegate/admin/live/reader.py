"""
Reads a data plane while somebody looks: once a second, in turns of a millisecond.

Of endpoints and clusters only those are told that are others than before: there may be ten thousands.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from datetime import datetime, timezone

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.admin.live.parts import ClusterNow, EndpointNow, MapPart, NowPart, Part, ProcessNow, Row
from edgegate.admin.live.relays import LiveRelays
from edgegate.admin.live.site_map import map_rows
from edgegate.http.live_requests import LiveRequests
from edgegate.model.addresses import Address
from edgegate.routing.snapshot import Listener
from edgegate.server.data_plane import DataPlane
from edgegate.server.readings import own_memory
from edgegate.server.turns import in_turns
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.endpoint import EndpointState

log = Logger(namespace=__name__)

INTERVAL = 1.0
"""Seconds from one round to the next."""

AT_ONCE = 100
"""Things that are told in a part."""

_STEP = 10
"""Rows, or clusters, that are looked at in a step: some tens of microseconds."""

_NOTHING = (None, None, None)

_Seen = dict[tuple[str, Address], EndpointNow]


class LiveReader:
    """Tells what a data plane does."""

    def __init__(
        self,
        reactor: IReactorTime,
        plane: DataPlane,
        tell: Callable[[Part], bool],
        number: int = 0,
        tells_map: bool = True,
    ) -> None:
        """
        @param number: What the process is called.
        @param tell: Takes a part; returns whether it could. What is lost of it is told anew where it lasts: requests
            that were counted do not.
        @param tells_map: Whether what the files say is told as well: of several processes one does.
        """
        self._reactor = reactor
        self._plane = plane
        self._tell = tell
        self._tells_map = tells_map
        self._number = number
        self._requests = LiveRequests(plane.examples)
        self._relays = LiveRelays(plane.relays)
        self._relayed: dict[str, int] = {}
        self._endpoints: _Seen = {}
        self._clusters: dict[str, ClusterNow] = {}
        self._examples: dict[str, int] = {}
        self._mapped: tuple[object, object, object] = _NOTHING
        self._under_way = self._ended = self._lost = False
        self._rounds = LoopingCall(self._round)
        self._rounds.clock = reactor

    def start(self) -> None:
        """Count from now on; what there is is told at once."""
        self._plane.add_tap(self._requests)
        self._plane.add_tap(self._relays)
        self._rounds.start(INTERVAL)

    def stop(self) -> None:
        """Count no more. May be called twice."""
        self._ended = True
        if self._rounds.running:
            self._rounds.stop()
        self._plane.remove_tap(self._requests)
        self._plane.remove_tap(self._relays)

    def _round(self) -> None:
        """Tell what is going on, unless that is under way still."""
        if not self._under_way:
            self._under_way = True
            in_turns(self._reactor, self._steps()).whenDone().addErrback(_failed).addBoth(self._told)

    def _told(self, result: object) -> None:
        self._under_way = False

    def _steps(self) -> Iterator[None]:
        if self._lost:
            self._forget()
        for part in self._parts():
            if self._ended:
                return
            if part is not None and not self._tell(part):
                self._lost = True
            yield

    def _forget(self) -> None:
        """Something could not be told: tell all anew."""
        self._lost = False
        self._endpoints, self._clusters, self._examples = {}, {}, {}
        # those that have ended meanwhile must be told as well
        self._relayed = dict.fromkeys(self._relayed, -1)
        self._mapped = _NOTHING

    def _parts(self) -> Iterator[Part | None]:
        plane = self._plane
        mapped = (plane.snapshot, plane.secrets.secrets, plane.certificates.statuses)
        if self._tells_map and any(old is not new for old, new in zip(self._mapped, mapped, strict=True)):
            self._mapped = mapped
            yield from self._map()
        for _ in self._relays.look():
            yield None
        batch = [*self._requests.drain(), *self._relays.drain()]
        for first in range(0, len(batch), AT_ONCE):
            yield NowPart(requests=batch[first : first + AT_ONCE])
        yield from self._of_relays()
        yield from self._states()
        told = list(plane.examples.told(self._examples))
        for first in range(0, len(told), AT_ONCE // 10):
            yield NowPart(examples=told[first : first + AT_ONCE // 10])
        yield NowPart(process=_process(plane, self._number))

    def _map(self) -> Iterator[Part | None]:
        plane = self._plane

        def bound(listener: Listener) -> Address | None:
            port = plane.ports.get(listener.bind)
            return None if port is None else port.local

        rows: list[tuple[str, Row]] = []
        first = True
        now, managed = datetime.now(timezone.utc), plane.certificates.statuses
        for row in map_rows(plane.snapshot, plane.secrets.secrets, bound, now, managed):
            rows.append(row)
            if len(rows) == AT_ONCE:
                yield MapPart(rows, first, False)
                rows, first = [], False
            elif len(rows) % _STEP == 0:
                yield None
        yield MapPart(rows, first, True)

    def _of_relays(self) -> Iterator[Part]:
        """Yield where there are more or fewer relays under way."""
        before = self._relayed
        now = {**dict.fromkeys(before, 0), **self._relays.under_way}
        told = [(name, number) for name, number in now.items() if before.get(name) != number]
        # one that has ended is remembered for a round more, should this one be lost
        self._relayed = {name: number for name, number in now.items() if number or before[name]}
        for first in range(0, len(told), AT_ONCE):
            yield NowPart(relays=told[first : first + AT_ONCE])

    def _states(self) -> Iterator[Part | None]:
        """Yield what is different of clusters and endpoints."""
        before, self._endpoints = self._endpoints, {}
        clusters, self._clusters = self._clusters, {}
        part = NowPart()
        for number, state in enumerate(tuple(self._plane.clusters)):
            now = self._clusters[state.name] = _cluster(state)
            if clusters.get(state.name) != now:
                part.clusters.append(now)
            for endpoint in state.endpoints if state.hosts is None else tuple(state.hosts.endpoints()):
                key = (state.name, endpoint.address)
                known = before.pop(key, None)
                seen = self._endpoints[key] = _endpoint(state.name, endpoint, known)
                if seen is not known:
                    part.endpoints.append(seen)
            if len(part.clusters) + len(part.endpoints) >= AT_ONCE:
                yield part
                part = NowPart()
            elif number % _STEP == 0:
                yield None
        yield part if part.clusters or part.endpoints else None
        if before:
            yield NowPart(gone=[(each.cluster, each.address) for each in before.values()])


def _cluster(state: ClusterState) -> ClusterNow:
    breaker = state.circuit_breaker
    return ClusterNow(state.name, *((0, ()) if breaker is None else (breaker.pending, _full(breaker))))


def _full(breaker: CircuitBreaker) -> tuple[str, ...]:
    """Return which limits leave no room for more."""
    limits = breaker.limits
    used = (
        ("connections", breaker.connections, limits.connections),
        ("pending", breaker.pending, limits.pending),
        ("requests", breaker.requests, limits.requests),
    )
    return tuple([name for name, number, most in used if most is not None and number >= most])


def _endpoint(cluster: str, state: EndpointState, known: EndpointNow | None) -> EndpointNow:
    """Return what is seen of an endpoint: what is known where that is the same."""
    open_connections = state.open_connections
    if (
        known is not None
        and known.requests == state.requests
        and known.active == state.active
        and known.connections == open_connections
        and known.unhealthy == state.unhealthy
        and known.ejected == state.ejected
        and known.failures == state.connect_failures
        and known.ejections == state.record.ejections
        and known.weight == state.weight
    ):
        return known
    return EndpointNow(
        cluster,
        str(state.address),
        state.unhealthy,
        state.ejected,
        state.record.ejections,
        state.active,
        open_connections,
        state.connect_failures,
        state.requests,
        state.weight,
        state.locality,
    )


def _process(plane: DataPlane, number: int) -> ProcessNow:
    figures = plane.figures()
    values = {each.name: each.value for each in figures}
    return ProcessNow(
        number,
        os.getpid(),
        plane.connections,
        values["requests"],
        values["loop lag ms"],
        own_memory(),
        tuple([(each.name, each.value, each.bound, each.reached) for each in figures]),
    )


def _failed(failure: Failure) -> None:
    log.failure("what happens at the moment can't be told", failure)
