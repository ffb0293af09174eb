# Hot path: counts each request.
"""
The numbers that only grow, kept outside of the Snapshot: a reload goes on counting.

Whoever counts holds the L{Series} or L{Meter} that it counts in, so that
nothing is looked up for a request like the one before. Labels come from files,
never from clients; what backends can stretch, statuses, has a bound, and so
have clusters, of which files may name others all the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgegate.observe.metrics.families import (
    CLUSTERS,
    COUNTED,
    DESTINATION,
    HTTP,
    LISTENERS,
    MESSAGES,
    RELAYS,
    REQUESTS,
    Kind,
)

MOST_DESTINATIONS: Final = 10_000
"""Clusters that are told apart, by default (C{--metrics-hosts})."""

MOST_SERIES: Final = 128
"""Series of requests of one destination: statuses come from its backends."""

MOST_TAGGED: Final = 10_000
"""Series of requests with labels that files give them by expressions, in a process: clients can make their values."""

OTHER: Final = "other"
"""The label value of what is not told apart any more."""

UNKNOWN: Final = "unknown"

NO_DESTINATION: Final = (
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
    "latest",
    UNKNOWN,
    UNKNOWN,
    UNKNOWN,
)
"""The values of L{DESTINATION} for what went to no cluster."""

_SERVICE: Final = DESTINATION.index("destination_service")

_OF_DESTINATIONS: Final = frozenset({REQUESTS.name, MESSAGES.name, RELAYS.name})

_ALWAYS: Final = frozenset({OTHER, UNKNOWN})

Batch = list[tuple[str, tuple[str, ...], list[int]]]
"""What was counted since the batch before: the kind, the labels, the numbers."""


def service_of_name(cluster: str) -> str:
    """Return the host of a cluster's service: C{web.internal} of C{outbound|80|v1|web.internal}."""
    return cluster.rpartition("|")[2] or UNKNOWN


class Series:
    """
    Numbers with labels.

    @ivar numbers: As its kind's families say; they only grow, but where a L{Meters.drain} takes them.
    @ivar text: The labels as they are written, once they were; see L{edgegate.observe.metrics.exposition}.
    @ivar touched: Whether it is in the list of what is to be drained. Who counts sets it by L{Meters.touch}.
    """

    __slots__ = ("labels", "numbers", "text", "touched")

    def __init__(self, labels: tuple[str, ...], width: int) -> None:
        self.labels = labels
        self.numbers: list[int] = [0] * width
        self.text = ""
        self.touched = False


class Meters:
    """
    All series of a process.

    @ivar unknown: Counts what went to no cluster.
    @ivar tagged: Series of requests that have labels besides the usual ones.
    """

    __slots__ = (
        "_clusters",
        "_gone",
        "_kinds",
        "_meters",
        "_most",
        "_series",
        "_services",
        "_touched",
        "tagged",
        "unknown",
    )

    def __init__(self, most: int = MOST_DESTINATIONS) -> None:
        """
        @param most: Clusters that are told apart; with one, all the workloads behind it are.
        """
        self._most = most
        self._clusters: set[str] = set()
        self._services: set[str] = set()
        self._gone: set[str] = set()
        self._kinds: dict[str, Kind] = {kind.name: kind for kind in COUNTED}
        self._series: dict[str, dict[tuple[str, ...], Series]] = {kind.name: {} for kind in COUNTED}
        self._touched: list[tuple[str, Series]] = []
        self._meters: dict[tuple[str, tuple[str, ...]], Meter] = {}
        self.tagged = 0
        self.unknown = Meter(self, UNKNOWN, NO_DESTINATION)

    def series(self, kind: Kind, labels: tuple[str, ...]) -> Series:
        """Return the series with these labels; it is made where there is none."""
        of_kind = self._series[kind.name]
        found = of_kind.get(labels)
        if found is None:
            found = of_kind[labels] = Series(labels, kind.width)
        return found

    def of(self, kind: Kind) -> list[Series]:
        """Return the series of a kind in which something was counted."""
        return [series for series in self._series[kind.name].values() if series.touched]

    def count(self, kind: Kind, labels: tuple[str, ...], number: int = 0, by: int = 1) -> None:
        """Count what is rare: one of a kind's numbers."""
        series = self.series(kind, labels)
        series.numbers[number] += by
        if not series.touched:
            self.touch(kind, series)

    def meter(self, cluster: str, destination: tuple[str, ...]) -> Meter:
        """
        Return what counts for a destination; where there are too many clusters, what counts for all others.

        @param cluster: Its name.
        @param destination: The values of L{DESTINATION}.
        """
        key = (cluster, destination)
        found = self._meters.get(key)
        if found is None:
            if cluster not in self._clusters:
                if len(self._clusters) < self._most:
                    self._clusters.add(cluster)
                    self._services.add(service_of_name(cluster))
                else:
                    key = (OTHER, (OTHER,) * len(DESTINATION))
                    found = self._meters.get(key)
            if found is None:
                found = self._meters[key] = Meter(self, key[0], key[1])
        return found

    def listener(self, address: str) -> ListenerMeter:
        """Return what counts for a port; its address as C{0.0.0.0_8080}."""
        return ListenerMeter(self, address)

    def serve(self, clusters: Iterable[str]) -> None:
        """
        Make room for other clusters: these are all that are served from now on.

        The numbers of those that are gone are dropped the next time, unless they are back: what was under way when
        they went is counted still.
        """
        names = set(clusters)
        known = self._clusters | self._gone
        left = known - names
        over = left & self._gone
        self._clusters = known & names
        self._services = {service_of_name(cluster) for cluster in self._clusters}
        self._gone = left - over
        if over:
            self._drop_all_but(names | self._gone | _ALWAYS)

    def _drop_all_but(self, clusters: set[str]) -> None:
        services = {service_of_name(cluster) for cluster in clusters} | _ALWAYS
        self._meters = {key: meter for key, meter in self._meters.items() if key[0] in clusters}
        dropped = False
        for kind, of_kind in self._series.items():
            if kind == CLUSTERS.name:
                gone = [labels for labels in of_kind if labels[0] not in clusters]
            elif kind in _OF_DESTINATIONS:
                gone = [labels for labels in of_kind if labels[_SERVICE] not in services]
            else:
                continue
            for labels in gone:
                # whoever holds it still does not bring it back
                of_kind.pop(labels).touched = True
                dropped = True
        if dropped:
            self.tagged = sum([len(labels) > len(REQUESTS.labels) for labels in self._series[REQUESTS.name]])
            self._touched = [each for each in self._touched if self._series[each[0]].get(each[1].labels) is each[1]]

    # Between processes ------------------------------------------------------------------------------------------------

    def touch(self, kind: Kind, series: Series) -> None:
        """Something was counted in a series: it belongs to the next L{drain}."""
        series.touched = True
        self._touched.append((kind.name, series))

    def drain(self, most: int = 1_000_000) -> Batch:
        """
        Take what was counted since the last time: the numbers begin at 0 again.

        @param most: Series that are taken at once; the others are left for the next time.
        """
        touched = self._touched
        taken, self._touched = touched[:most], touched[most:]
        batch: Batch = []
        for kind, series in taken:
            batch.append((kind, series.labels, series.numbers[:]))
            series.numbers[:] = [0] * len(series.numbers)
            series.touched = False
        return batch

    @property
    def drained(self) -> bool:
        """Whether there is nothing to drain."""
        return not self._touched

    def add(self, batch: Batch) -> None:
        """Count what another process has drained; there may be many, each of which tells other clusters apart."""
        for name, labels, numbers in batch:
            kind = self._kinds[name]
            series = self.series(kind, self._bounded(name, labels))
            own = series.numbers
            for place, number in enumerate(numbers):
                if number:
                    own[place] += number
            if not series.touched:
                self.touch(kind, series)

    def _bounded(self, kind: str, labels: tuple[str, ...]) -> tuple[str, ...]:
        """Return the labels in which is counted: those of all others where there are too many clusters or services."""
        if kind == CLUSTERS.name:
            return labels if self._told_apart(self._clusters, labels[0]) else (OTHER,)
        if kind in _OF_DESTINATIONS and not self._told_apart(self._services, labels[_SERVICE]):
            return (OTHER,) * len(DESTINATION) + labels[len(DESTINATION) :]
        return labels

    def _told_apart(self, names: set[str], name: str) -> bool:
        if name in names or name in _ALWAYS:
            return True
        if len(names) >= self._most:
            return False
        names.add(name)
        return True


class Meter:
    """
    Counts for one destination: a cluster, and the workload whose endpoint was chosen.

    @ivar cluster: Its cluster's numbers, L{CLUSTERS}.
    @ivar destination: The values of L{DESTINATION}.
    @ivar meters: Where they are.
    """

    __slots__ = (
        "_code",
        "_flags",
        "_grpc",
        "_last",
        "_messages",
        "_requests",
        "_tagged",
        "cluster",
        "destination",
        "meters",
    )

    def __init__(self, meters: Meters, cluster: str, destination: tuple[str, ...]) -> None:
        self.meters = meters
        self.destination = destination
        self.cluster = meters.series(CLUSTERS, (cluster,))
        self._code = -1
        self._flags = ""
        self._grpc: str | None = None
        self._last: Series | None = None
        self._messages: Series | None = None
        self._requests: dict[tuple[int, str, str | None], Series] = {}
        self._tagged: dict[tuple[int, str, str | None, tuple[str, ...]], Series] = {}

    def requests(self, code: int, flags: str, grpc: str | None) -> Series:
        """
        Return the series of requests that ended alike.

        @param flags: Response flags with commas, or C{-}.
        @param grpc: The status of one of gRPC, empty where there was none; L{None}: it is not of gRPC.
        """
        last = self._last
        if last is not None and code == self._code and flags == self._flags and grpc == self._grpc:
            return last
        found = self._requests.get((code, flags, grpc))
        if found is None:
            found = self._new(code, flags, grpc)
        self._code, self._flags, self._grpc, self._last = code, flags, grpc, found
        return found

    def tagged(self, code: int, flags: str, grpc: str | None, tags: tuple[str, ...]) -> Series:
        """
        Return the series of requests that ended alike and have the same further labels; see L{requests}.

        @param tags: Expressions and values by turns; where there are too many series all values are L{OTHER}.
        """
        key = (code, flags, grpc, tags)
        found = self._tagged.get(key)
        if found is None:
            labels, meters = self.requests(code, flags, grpc).labels, self.meters
            if meters.tagged >= MOST_TAGGED:
                others = [OTHER if place % 2 else tag for place, tag in enumerate(tags)]
                return meters.series(REQUESTS, (*labels, *others))
            meters.tagged += 1
            found = self._tagged[key] = meters.series(REQUESTS, (*labels, *tags))
        return found

    def relays(self, flags: str) -> Series:
        """Return the series of relays that ended alike."""
        return self.meters.series(RELAYS, (*self.destination, "tcp", flags))

    def count_relay(self, number: int, by: int, flags: str = "-") -> None:
        """Count one of the numbers of L{RELAYS}."""
        self.meters.count(RELAYS, (*self.destination, "tcp", flags), number, by)

    def count_messages(self, requests: int, responses: int) -> None:
        """Count messages of gRPC."""
        series = self._messages
        if series is None:
            series = self._messages = self.meters.series(MESSAGES, self.destination)
        series.numbers[0] += requests
        series.numbers[1] += responses
        if not series.touched:
            self.meters.touch(MESSAGES, series)

    def count_cluster(self, number: int, by: int = 1) -> None:
        """Count one of the numbers of L{CLUSTERS}."""
        cluster = self.cluster
        cluster.numbers[number] += by
        if not cluster.touched:
            self.meters.touch(CLUSTERS, cluster)

    def _new(self, code: int, flags: str, grpc: str | None) -> Series:
        meters = self.meters
        if len(self._requests) >= MOST_SERIES:
            return meters.series(REQUESTS, (*self.destination, OTHER, OTHER, "", OTHER))
        own = ("http" if grpc is None else "grpc", str(code), grpc or "", flags)
        found = self._requests[(code, flags, grpc)] = meters.series(REQUESTS, (*self.destination, *own))
        return found


class ListenerMeter:
    """
    Counts for one port.

    @ivar connections: Its numbers of L{LISTENERS}.
    @ivar requests: Those of L{HTTP}.
    @ivar meters: Where they are.
    """

    __slots__ = ("connections", "meters", "requests")

    def __init__(self, meters: Meters, address: str) -> None:
        self.meters = meters
        self.connections = meters.series(LISTENERS, (address,))
        self.requests = meters.series(HTTP, (f"outbound_{address}",))

    def count(self, number: int) -> None:
        """Count one of the numbers of L{LISTENERS}."""
        self.connections.numbers[number] += 1
        if not self.connections.touched:
            self.meters.touch(LISTENERS, self.connections)

    def count_http(self) -> None:
        """A connection begins to carry HTTP."""
        self.requests.numbers[0] += 1
        if not self.requests.touched:
            self.meters.touch(HTTP, self.requests)
