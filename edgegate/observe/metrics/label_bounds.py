# Compiled: asked for each series that is made.
"""
Which values of labels are told apart, and what is counted together with others as C{other}.

Labels come from files, and from clients only where files say so; but files may
name others all the time, backends make up statuses, and each process of several
tells others apart.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from edgegate.observe.metrics.families import CLUSTERS, DESTINATION, MESSAGES, REJECTED, RELAYS, REQUESTS, TCP

T = TypeVar("T")

Labels = tuple[str, ...]

MOST_CLUSTERS: Final = 10_000
"""Clusters that are told apart, by default (C{--metrics-hosts})."""

MOST_DESTINATIONS: Final = 256
"""Destinations of one service, so workloads and their versions: of these a file may name another one each day."""

MOST_SERIES: Final = 128
"""Series of requests of one destination: statuses come from its backends."""

MOST_TAGGED: Final = 10_000
"""Series of requests with labels that files give them by expressions: clients can make their values."""

MOST_REASONS: Final = 100
"""Reasons for which connections are rejected: OpenSSL's are many."""

OTHER: Final = "other"
"""The label value of what is not told apart any more."""

UNKNOWN: Final = "unknown"

OTHER_DESTINATION: Final[Labels] = (OTHER,) * len(DESTINATION)
"""The values of L{DESTINATION} for clusters that are not told apart."""

OTHER_STATUS: Final[Labels] = (OTHER, OTHER, "", OTHER)
"""The labels of L{REQUESTS} behind those, for requests that are not."""

_USUAL: Final = len(REQUESTS.labels)
"""Labels of requests; behind those are expressions and values by turns."""

_SERVICE: Final = DESTINATION.index("destination_service")
_OF_SERVICE: Final = frozenset(
    DESTINATION.index(f"destination_{name}") for name in ("service", "service_name", "service_namespace")
)
_OF_DESTINATIONS: Final = frozenset({REQUESTS.name, MESSAGES.name, RELAYS.name})
_BY_CLUSTER: Final = frozenset({CLUSTERS.name, TCP.name})
_ALWAYS: Final = frozenset({OTHER, UNKNOWN})


def service_of_name(cluster: str) -> str:
    """Return the host of a cluster's service: C{web.internal} of C{outbound|80|v1|web.internal}."""
    return cluster.rpartition("|")[2] or UNKNOWN


class Kept:
    """What is to be kept when all else is dropped."""

    __slots__ = ("clusters", "services")

    def __init__(self, clusters: set[str]) -> None:
        self.clusters: Final = clusters | _ALWAYS
        self.services: Final = {service_of_name(cluster) for cluster in clusters} | _ALWAYS

    def has(self, kind: str, labels: Labels) -> bool:
        """Whether a series is among it."""
        if kind in _BY_CLUSTER:
            return labels[0] in self.clusters
        return kind not in _OF_DESTINATIONS or labels[_SERVICE] in self.services


class LabelBounds:
    """Knows what is told apart already, and whether there is room for more."""

    __slots__ = ("_clusters", "_destinations", "_gone", "_most", "_reasons", "_services", "_tagged")

    def __init__(self, most: int = MOST_CLUSTERS) -> None:
        """
        @param most: Clusters that are told apart; with one, the workloads behind it are.
        """
        self._most = most
        self._clusters: set[str] = set()
        self._gone: set[str] = set()
        self._services: set[str] = set()
        # of each service its destinations, and with which further labels each of those has series of requests
        self._destinations: dict[str, dict[Labels, set[Labels]]] = {}
        self._reasons: set[str] = set()
        self._tagged: set[Labels] = set()

    def bounded(self, kind: str, labels: Labels) -> Labels:
        """Return the labels of the series in which is counted what has these, for which there is no series yet."""
        if kind in _BY_CLUSTER:
            return labels if self.tells_apart(labels[0]) else (OTHER,)
        if kind == REJECTED.name:
            return labels if _has_room(self._reasons, labels[0], MOST_REASONS) else (OTHER,)
        if kind not in _OF_DESTINATIONS:
            return labels
        destination, own = self.destination(labels[: len(DESTINATION)]), labels[len(DESTINATION) : _USUAL]
        if kind == REQUESTS.name and not _has_room(
            self._destinations[destination[_SERVICE]][destination], own, MOST_SERIES
        ):
            own = OTHER_STATUS
        tags = labels[_USUAL:]
        bounded = (*destination, *own, *tags)
        if tags and not _has_room(self._tagged, bounded, MOST_TAGGED):
            return (*destination, *own, *[OTHER if place % 2 else tag for place, tag in enumerate(tags)])
        return bounded

    def tells_apart(self, cluster: str) -> bool:
        """Whether a cluster has numbers of its own."""
        return cluster in _ALWAYS or _has_room(self._clusters, cluster, self._most)

    def destination(self, labels: Labels) -> Labels:
        """
        Return the values of L{DESTINATION} under which a destination is counted.

        Where a service has too many, those of all others of it; where there are too many services, those of all others.
        """
        service = labels[_SERVICE]
        if service not in _ALWAYS and not _has_room(self._services, service, self._most):
            labels, service = OTHER_DESTINATION, OTHER
        known = self._destinations.setdefault(service, {})
        if labels not in known:
            if len(known) >= MOST_DESTINATIONS:
                labels = tuple([each if place in _OF_SERVICE else OTHER for place, each in enumerate(labels)])
            known.setdefault(labels, set())
        return labels

    def serve(self, clusters: Iterable[str]) -> Kept | None:
        """
        Make room for other clusters: these are all that are served from now on.

        @return: What is to be kept of the series, which are not those of clusters that were gone the time before as
            well; L{None}: all are.
        """
        names = set(clusters)
        known = self._clusters | self._gone
        left = known - names
        over = left & self._gone
        self._clusters = known & names
        self._services = {service_of_name(cluster) for cluster in self._clusters}
        self._gone = left - over
        if not over:
            return None
        kept = Kept(names | self._gone)
        self._destinations = {
            service: destinations for service, destinations in self._destinations.items() if service in kept.services
        }
        self._tagged = {labels for labels in self._tagged if kept.has(REQUESTS.name, labels)}
        return kept


def _has_room(known: set[T], name: T, most: int) -> bool:
    """Whether something is among what is known, or may be from now on."""
    if name in known:
        return True
    if len(known) >= most:
        return False
    known.add(name)
    return True
