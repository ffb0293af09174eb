"""What came of reading the files anew, and what is different now: values, for the log and the admin listener."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Protocol

from edgegate.config.problems import Problems
from edgegate.model.clusters import NO_ENDPOINTS, Endpoints
from edgegate.model.metrics import DeclaredMetrics
from edgegate.model.origin import Origin
from edgegate.model.tls import Credential, ServerTLS
from edgegate.model.tracing import DeclaredTracing
from edgegate.routing.snapshot import FilterChain, Listener, Snapshot


class Outcome(Enum):
    """What came of a reload."""

    INSTALLED = "installed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Reload:
    """
    One reading of the files; the first is the start.

    @ivar at: When it ended, aware.
    @ivar changes: Lines that say what is different now.
    @ivar seconds: How long it took.
    """

    outcome: Outcome
    at: datetime
    problems: Problems
    changes: tuple[str, ...] = ()
    seconds: float = 0.0


def changes(
    before: Snapshot,
    after: Snapshot,
    old: Endpoints = NO_ENDPOINTS,
    new: Endpoints = NO_ENDPOINTS,
    renewed: frozenset[Credential] = frozenset(),
) -> tuple[str, ...]:
    """
    Return lines that say what one Snapshot has and another has not, with the places in the files.

    @param old: The endpoints before; C{new} those after.
    @param renewed: What names another certificate or key than it did before.
    """
    return (
        *_listeners(before, after, renewed),
        *_clusters(before, after, old, new, renewed),
        *_access_logs(before, after),
        *_told("tracing", before.tracing, after.tracing),
        *_told("metrics", before.metrics, after.metrics),
    )


def _listeners(before: Snapshot, after: Snapshot, renewed: frozenset[Credential]) -> Iterator[str]:
    old = {listener.name: listener for listener in before.listeners}
    new = {listener.name: listener for listener in after.listeners}
    yield from _came_and_went("listener", _origins(old), _origins(new))
    for name, listener in new.items():
        if name in old:
            yield from _listener_changes(old[name], listener, renewed)


def _clusters(
    before: Snapshot, after: Snapshot, old: Endpoints, new: Endpoints, renewed: frozenset[Credential]
) -> Iterator[str]:
    yield from _came_and_went("cluster", _origins(before.clusters), _origins(after.clusters))
    for name, cluster in after.clusters.items():
        known = before.clusters.get(name)
        shows = cluster.tls is not None and cluster.tls.credential in renewed
        if known is not None and (shows or (known, old.get(name)) != (cluster, new.get(name))):
            yield f"cluster {name} changed ({cluster.origin})"


def _access_logs(before: Snapshot, after: Snapshot) -> Iterator[str]:
    old, new = before.access_logs or (), after.access_logs or ()
    for log in new:
        if log not in old:
            changed = any(other.path == log.path for other in old)
            yield f"access log {log.path} {'changed' if changed else 'added'} ({log.origin})"
    for log in old:
        if not any(other.path == log.path for other in new):
            yield f"access log {log.path} removed (was {log.origin})"


def _told(
    what: str, old: DeclaredTracing | DeclaredMetrics | None, new: DeclaredTracing | DeclaredMetrics | None
) -> Iterator[str]:
    if new is not None and new != old:
        yield f"{what} {'added' if old is None else 'changed'} ({new.origin})"
    elif new is None and old is not None:
        yield f"{what} removed (was {old.origin})"


def _listener_changes(before: Listener, after: Listener, renewed: frozenset[Credential]) -> Iterator[str]:
    what = f"of listener {after.name}"
    if before.bind != after.bind:
        yield f"port {what} is now {after.bind} ({after.origin})"
    old, new = dict(_chains(before)), dict(_chains(after))
    yield from _came_and_went("server", _origins(old), _origins(new), what)
    for name, chain in new.items():
        shows = chain.tls is not None and not renewed.isdisjoint(chain.tls.credentials)
        if name not in old or (old[name] == chain and not shows):
            continue
        if shows or old[name].tls != chain.tls:
            yield f"{_tls_change(old[name].tls, chain.tls)} of server {name} {what} changed ({chain.origin})"
        if (old[name].http, old[name].tcp) != (chain.http, chain.tcp):
            yield f"routes of server {name} {what} changed ({chain.origin})"


def _tls_change(before: ServerTLS | None, after: ServerTLS | None) -> str:
    if before is not None and after is not None and before.rules == after.rules and before.alpn == after.alpn:
        return "certificate"
    return "TLS"


def _chains(listener: Listener) -> Iterator[tuple[str, FilterChain]]:
    """Yield the servers of a listener by name; alike ones are told apart by their hosts."""
    if listener.plain is not None:
        yield listener.plain.name, listener.plain
    for pattern, chain in listener.secure.items():
        yield f"{chain.name} ({pattern})", chain


class _Placed(Protocol):
    @property
    def origin(self) -> Origin: ...


def _origins(named: Mapping[str, _Placed]) -> dict[str, Origin]:
    return {name: value.origin for name, value in named.items()}


def _came_and_went(
    kind: str, before: Mapping[str, Origin], after: Mapping[str, Origin], where: str = ""
) -> Iterator[str]:
    where = f" {where}" if where else ""
    for name, origin in after.items():
        if name not in before:
            yield f"{kind} {name}{where} added ({origin})"
    for name, origin in before.items():
        if name not in after:
            yield f"{kind} {name}{where} removed (was {origin})"
