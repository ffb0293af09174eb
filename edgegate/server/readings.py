"""What metrics show of a data plane and of a gateway that nobody counts as it happens."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from time import monotonic, time
from typing import Protocol

from edgegate import __version__
from edgegate.buffers import BUFFERS
from edgegate.downstream.listener import counted_as
from edgegate.model.metrics import DeclaredMetrics
from edgegate.model.tls import Credential
from edgegate.observe.metrics.families import (
    BUILD,
    CERTIFICATES,
    CHALLENGES,
    CLUSTER_GAUGES,
    CONCURRENCY,
    CONCURRENCY_GAUGES,
    CONFIGURATION,
    ISSUING,
    LIMIT_GAUGES,
    LIMITS,
    LISTENER_GAUGES,
    OWN,
    RATE_LIMIT_REDIS,
    RATE_LIMITS,
    RELOADS,
    SERVER,
    SPANS,
    TOKENS,
    Kind,
)
from edgegate.observe.metrics.gauges import Row
from edgegate.observe.metrics.meters import Meters
from edgegate.server.certificate_readings import managed_rows, statuses, tries
from edgegate.server.data_plane import DataPlane
from edgegate.server.reload import Outcome, Reload
from edgegate.server.startup_log import certificates, shown_by
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.cluster import ClusterState

LOOK_AT_CERTIFICATES = 3600.0
"""Seconds after which it is looked at again when certificates end: whole days are shown."""

INITIALIZING = 3
"""Of C{envoy_server_state}, in which 0 is live and 1 draining: L{GatewayReadings} tells."""

LINES_LOST, WORKER_RESTARTS = 0, 1
"""Numbers of L{OWN}."""


class PlaneReadings:
    """
    Reads a data plane.

    @ivar lines_lost: Returns how many lines of the access log could not be written so far.
    @ivar spans: Returns what has become of the spans of traces so far, with how many.
    """

    def __init__(self, plane: DataPlane) -> None:
        self._plane = plane
        self.lines_lost: Callable[[], int] = _none
        self.spans: Callable[[], Iterable[tuple[str, int]]] = tuple
        self._known: dict[tuple[str, tuple[str, ...], int], int] = {}
        self._days_left: int | None = None
        self._ends: list[Row] = []
        self._looked_at: tuple[object, object] = (None, None)
        self._looked = 0.0

    @property
    def declared(self) -> DeclaredMetrics | None:
        """What files say of Istio's metrics."""
        return self._plane.snapshot.metrics

    def sample(self) -> None:
        """
        Have what others count by themselves in the meters as well: the bytes of relays, what limits have met.

        What has never happened is there as 0: nobody sees a counter grow that begins with its first event.
        """
        plane = self._plane
        plane.count_relays()
        self._count(OWN, (), self.lines_lost(), LINES_LOST)
        for outcome, spans in self.spans():
            self._count(SPANS, (outcome,), spans)
        for name, reached in plane.limits_met().items():
            self._count(LIMITS, (name,), reached)
        if plane.token_counts.used:
            for place, number in enumerate(plane.token_counts.numbers()):
                self._count(TOKENS, (), number, place)
        for labels, requests in plane.rate_limits.counted():
            self._count(RATE_LIMITS, labels, requests)
        under_way = plane.under_way
        for labels, requests in () if under_way is None else under_way.counted():
            self._count(CONCURRENCY, labels, requests)
        for (issuer, tried), number in tries(plane).items():
            self._count(ISSUING, (issuer, tried.value), number)
        if plane.snapshot.certificates or plane.snapshot.on_demand:
            for challenge, answered in plane.challenges_answered.items():
                self._count(CHALLENGES, (challenge,), answered)
        for policy, numbers in plane.rate_limits.waited():
            for place, number in enumerate(numbers):
                self._count(RATE_LIMIT_REDIS, (policy,), number, place)

    def rows(self) -> Iterator[Row | None]:
        """Yield them, with L{None} between steps that take their time; see L{edgegate.server.turns}."""
        plane = self._plane
        for state in tuple(plane.clusters):
            yield CLUSTER_GAUGES.name, (state.name,), _of_cluster(state)
        for bind, port in tuple(plane.ports.items()):
            yield LISTENER_GAUGES.name, (counted_as(bind),), (port.taken,)
        under_way = plane.under_way
        for labels, requests in () if under_way is None else under_way.active():
            yield CONCURRENCY_GAUGES.name, labels, (requests,)
        lag = 0.0
        active = 0
        for figure in plane.figures():
            if figure.name == "loop lag ms":
                # it has a metric of its own: those of several processes make no sum
                lag = figure.value / 1000
                continue
            if figure.name == "requests":
                active = figure.value
            yield LIMIT_GAUGES.name, (figure.name,), (figure.value, figure.bound)
        for _ in self._look_at_certificates():
            yield None
        yield from tuple(self._ends)
        yield from managed_rows(statuses(plane), time())
        yield SERVER.name, (), self._of_server(active, lag)

    def _of_server(self, active: int, lag: float) -> tuple[float | None, ...]:
        plane = self._plane
        physical, shared = _memory()
        return (
            None,
            None,
            None,
            1,
            physical - shared,
            physical - shared,
            physical,
            plane.connections,
            self._days_left,
            len(plane.clusters),
            len(plane.ports),
            active,
            lag,
            BUFFERS.held,
            _descriptors(),
            _most_descriptors(),
        )

    def _look_at_certificates(self) -> Iterator[None]:
        """Find when certificates end, and which is the first: for each Snapshot with its secrets, and every hour."""
        plane = self._plane
        snapshot, secrets = plane.snapshot, plane.secrets.secrets
        seen, of = self._looked_at
        if seen is snapshot and of is secrets and monotonic() - self._looked < LOOK_AT_CERTIFICATES:
            return
        ends: dict[Credential, datetime] = {}
        for credential, end in certificates(snapshot, secrets):
            ends[credential] = end
            yield
        now = datetime.now(timezone.utc)
        rows: dict[tuple[str, str], Row] = {}
        for listener in snapshot.listeners:
            address = counted_as(listener.bind)
            for credential in shown_by(listener):
                labels = (address, credential.name)
                if labels not in rows:
                    rows[labels] = CERTIFICATES.name, labels, (int(ends[credential].timestamp()),)
                    yield
        self._ends = [*rows.values()]
        self._days_left = min([(end - now).days for end in ends.values()], default=None)
        self._looked_at, self._looked = (snapshot, secrets), monotonic()

    def _count(self, kind: Kind, labels: tuple[str, ...], value: int, number: int = 0) -> None:
        """Count by how much one of a kind's numbers has grown since it was looked at last."""
        key = (kind.name, labels, number)
        before = self._known.get(key)
        self._known[key] = value
        more = max(0, value - (before or 0))
        if more or before is None:
            self._plane.meters.count(kind, labels, number, more)


def _none() -> int:
    return 0


def _of_cluster(state: ClusterState) -> tuple[float, ...]:
    endpoints = state.endpoints if state.hosts is None else list(state.hosts.endpoints())
    fit = ejected = connections = active = 0
    for endpoint in endpoints:
        fit += endpoint.fit
        ejected += endpoint.ejected
        active += endpoint.active
        connections += endpoint.open_connections
    breaker = state.circuit_breaker
    pending, *full = (0, 0, 0, 0) if breaker is None else _of_breaker(breaker)
    return (len(endpoints), fit, 0, 0, ejected, connections, active, pending, *full)


def _of_breaker(breaker: CircuitBreaker) -> tuple[int, int, int, int]:
    limits = breaker.limits
    return (
        breaker.pending,
        _full(breaker.connections, limits.connections),
        _full(breaker.pending, limits.pending),
        _full(breaker.requests, limits.requests),
    )


def _full(used: int, most: int | None) -> int:
    return int(most is not None and used >= most)


def own_memory() -> int:
    """Return the bytes of memory that this process has for itself."""
    physical, shared = _memory()
    return physical - shared


def _memory(statm: Path = Path("/proc/self/statm")) -> tuple[int, int]:
    """Return the bytes of memory that this process has, and those of them that it shares with others."""
    try:
        _, resident, shared, *_ = statm.read_text(encoding="ascii").split()
    except OSError:  # no Linux
        return 0, 0
    page = os.sysconf("SC_PAGE_SIZE")
    return int(resident) * page, int(shared) * page


def _descriptors(folder: Path = Path("/proc/self/fd")) -> int | None:
    """Return how many descriptors this process has open; L{None}: it can't be known."""
    try:
        # Linux before 6.2 has no size here
        return folder.stat().st_size or sum(1 for _ in folder.iterdir())
    except OSError:  # no Linux
        return None


def _most_descriptors() -> int | None:
    """Return how many it may have; L{None}: as many as there are."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return None if most == resource.RLIM_INFINITY else most


class Reloading(Protocol):
    """A gateway, as far as its metrics ask for it."""

    @property
    def ready(self) -> bool:
        """Whether others should send requests."""

    @property
    def waiting(self) -> bool:
        """Whether requests are served, and only the first certificates are missing for it to be ready."""

    @property
    def last_reload(self) -> Reload:
        """What came of the last reading of the files."""

    @property
    def reporters(self) -> list[Callable[[Reload | None], None]]:
        """Called with what came of each reading."""


class GatewayReadings:
    """Reads a gateway, of however many processes: whether it serves, and what came of its files."""

    def __init__(self, gateway: Reloading, meters: Meters) -> None:
        """
        @param meters: Count its reloads.
        """
        self._gateway = gateway
        self._meters = meters
        self._began = monotonic()
        self._installed = time()
        self._reloaded(gateway.last_reload)
        gateway.reporters.append(self._reloaded)

    def rows(self) -> Iterator[Row]:
        """Yield them."""
        gateway = self._gateway
        live, last = gateway.ready or gateway.waiting, gateway.last_reload
        yield BUILD.name, ("proxy", __version__), (1,)
        state = INITIALIZING if gateway.waiting else int(not live)
        own = (int(live), state, int(monotonic() - self._began))
        yield SERVER.name, (), (*own, *(None,) * (len(SERVER.families) - len(own)))
        at = last.at.timestamp()
        successful = int(last.outcome is not Outcome.REFUSED)
        yield CONFIGURATION.name, (), (successful, at, round(last.seconds, 6), round(time() - self._installed, 3))

    def _reloaded(self, reload: Reload | None) -> None:
        if reload is None:
            return
        if reload.outcome is Outcome.INSTALLED:
            self._installed = reload.at.timestamp()
        self._meters.count(RELOADS, (reload.outcome.value,))
        self._meters.count(RELOADS, (reload.outcome.value,), 1, int(reload.seconds * 1000))
