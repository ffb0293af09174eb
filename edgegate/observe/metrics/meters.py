# Hot path: counts each request.
"""
The numbers that only grow, kept outside of the Snapshot: a reload goes on counting.

Whoever counts holds the L{Series} or L{Meter} that it counts in, so that
nothing is looked up for a request like the one before. How many series there
may be is in L{edgegate.observe.metrics.label_bounds}.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from edgegate.observe.metrics.families import (
    AUTHORIZATION,
    CLUSTERS,
    COUNTED,
    HTTP,
    LISTENERS,
    MESSAGES,
    RELAYS,
    REQUESTS,
    TCP,
    Kind,
)
from edgegate.observe.metrics.label_bounds import MOST_CLUSTERS, OTHER, OTHER_DESTINATION, UNKNOWN, Kept, LabelBounds

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
"""The values of L{edgegate.observe.metrics.families.DESTINATION} for what went to no cluster."""

Exemplar = tuple[bytes, int, float]
"""One of those counted in a bucket: its trace's id, its value, and when it ended, in seconds of C{time.monotonic}."""

Exemplars = dict[int, Exemplar]
"""The last of each bucket that is in a trace, by the bucket's place."""

Batch = list[tuple[str, tuple[str, ...], list[int], Exemplars | None]]
"""What was counted since the batch before: the kind, the labels, the numbers, the exemplars if there are any."""


class Series:
    """
    Numbers with labels.

    @ivar numbers: As its kind's families say; they only grow, but where a L{Meters.drain} takes them.
    @ivar text: The labels as they are written, once they were; see L{edgegate.observe.metrics.exposition}.
    @ivar exemplars: Of the histogram whose family says so.
    @ivar touched: Whether it is in the list of what is to be drained. Who counts sets it by L{Meters.touch}.
    """

    __slots__ = ("exemplars", "labels", "numbers", "text", "touched")

    def __init__(self, labels: tuple[str, ...], width: int) -> None:
        self.labels = labels
        self.numbers: list[int] = [0] * width
        self.text = ""
        self.exemplars: Exemplars = {}
        self.touched = False


class Meters:
    """
    All series of a process.

    @ivar unknown: Counts what went to no cluster.
    """

    __slots__ = ("_bounds", "_kinds", "_meters", "_series", "_touched", "unknown")

    def __init__(self, most: int = MOST_CLUSTERS) -> None:
        """
        @param most: Clusters that are told apart; with one, the workloads behind it are.
        """
        self._bounds = LabelBounds(most)
        self._kinds: dict[str, Kind] = {kind.name: kind for kind in COUNTED}
        self._series: dict[str, dict[tuple[str, ...], Series]] = {kind.name: {} for kind in COUNTED}
        self._touched: list[tuple[str, Series]] = []
        self._meters: dict[tuple[str, tuple[str, ...]], Meter] = {}
        self.unknown = Meter(self, UNKNOWN, NO_DESTINATION)

    def series(self, kind: Kind, labels: tuple[str, ...]) -> Series:
        """Return the series with these labels, or, where there are too many, the one of all others."""
        of_kind = self._series[kind.name]
        found = of_kind.get(labels)
        if found is None:
            labels = self._bounds.bounded(kind.name, labels)
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
        Return what counts for a destination; where there are too many of its service, or too many clusters, what
        counts for all others.

        @param cluster: Its name.
        @param destination: The values of L{edgegate.observe.metrics.families.DESTINATION}.
        """
        found = self._meters.get((cluster, destination))
        if found is None:
            if self._bounds.tells_apart(cluster):
                destination = self._bounds.destination(destination)
            else:
                cluster, destination = OTHER, OTHER_DESTINATION
            key = (cluster, destination)
            found = self._meters.get(key)
            if found is None:
                found = self._meters[key] = Meter(self, cluster, destination)
        return found

    def serve(self, clusters: Iterable[str]) -> None:
        """
        Make room for other clusters: these are all that are served from now on.

        The numbers of those that are gone are dropped the next time, unless they are back: what was under way when
        they went is counted still.
        """
        kept = self._bounds.serve(clusters)
        if kept is not None:
            self._drop_all_but(kept)

    def _drop_all_but(self, kept: Kept) -> None:
        self._meters = {key: meter for key, meter in self._meters.items() if key[0] in kept.clusters}
        dropped = False
        for kind, of_kind in self._series.items():
            for labels in [labels for labels in of_kind if not kept.has(kind, labels)]:
                # whoever holds it still does not bring it back
                of_kind.pop(labels).touched = True
                dropped = True
        if dropped:
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
            exemplars = None
            if series.exemplars:
                exemplars, series.exemplars = series.exemplars, {}
            batch.append((kind, series.labels, series.numbers[:], exemplars))
            series.numbers[:] = [0] * len(series.numbers)
            series.touched = False
        return batch

    @property
    def drained(self) -> bool:
        """Whether there is nothing to drain."""
        return not self._touched

    def add(self, batch: Batch) -> None:
        """Count what another process has drained; there may be many, each of which tells other clusters apart."""
        for name, labels, numbers, exemplars in batch:
            kind = self._kinds[name]
            series = self.series(kind, labels)
            own = series.numbers
            for place, number in enumerate(numbers):
                if number:
                    own[place] = own[place] + number
            if exemplars is not None:
                keep_newest(series, exemplars)
            if not series.touched:
                self.touch(kind, series)


def keep_newest(series: Series, exemplars: Exemplars) -> None:
    """Have a series show these, where it has none that are newer."""
    own = series.exemplars
    for bucket, exemplar in exemplars.items():
        known = own.get(bucket)
        if known is None or known[2] <= exemplar[2]:
            own[bucket] = exemplar


class Meter:
    """
    Counts for one destination: a cluster, and the workload whose endpoint was chosen.

    @ivar cluster: Its cluster's numbers, L{CLUSTERS}.
    @ivar destination: The values of L{edgegate.observe.metrics.families.DESTINATION}.
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
        "_tcp",
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
        self._tcp: Series | None = None
        self._requests: dict[tuple[int, str, str | None], Series] = {}
        self._tagged: dict[tuple[int, str, str | None, tuple[str, ...]], Series] = {}

    def requests(self, code: int, flags: str, grpc: str | None) -> Series:
        """
        Return the series of requests that ended alike.

        @param flags: Response flags with commas, or C{-}.
        @param grpc: The status of one of gRPC, empty where there was none; L{None}: it is not of gRPC.
        """
        last = self._last
        # texts that are the same come from the same tables; where they do not, they are looked up
        if last is not None and code == self._code and flags is self._flags and grpc is self._grpc:
            return last
        found = self._requests.get((code, flags, grpc))
        if found is None:
            found = self._new(code, flags, grpc)
        self._code, self._flags, self._grpc, self._last = code, flags, grpc, found
        return found

    def tagged(self, code: int, flags: str, grpc: str | None, tags: tuple[str, ...]) -> Series:
        """
        Return the series of requests that ended alike and have the same further labels; see L{requests}.

        @param tags: Expressions and values by turns.
        """
        key = (code, flags, grpc, tags)
        found = self._tagged.get(key)
        if found is None:
            own = (*_own_labels(code, flags, grpc), *tags)
            found = self.meters.series(REQUESTS, (*self.destination, *own))
            if found.labels[-len(own) :] == own:
                self._tagged[key] = found
        return found

    def count_relay(self, number: int, by: int, flags: str = "-") -> None:
        """Count one of the numbers of L{RELAYS}."""
        self.meters.count(RELAYS, (*self.destination, "tcp", flags), number, by)

    def count_tcp(self, number: int, by: int = 1) -> None:
        """Count one of the numbers of L{TCP}."""
        series = self._tcp
        if series is None:
            series = self._tcp = self.meters.series(TCP, self.cluster.labels)
        series.numbers[number] += by
        if not series.touched:
            self.meters.touch(TCP, series)

    def count_messages(self, requests: int, responses: int) -> None:
        """Count messages of gRPC."""
        series = self._messages
        if series is None:
            series = self._messages = self.meters.series(MESSAGES, self.destination)
        numbers = series.numbers
        numbers[0] = numbers[0] + requests
        numbers[1] = numbers[1] + responses
        if not series.touched:
            self.meters.touch(MESSAGES, series)

    def count_cluster(self, number: int, by: int = 1) -> None:
        """Count one of the numbers of L{CLUSTERS}."""
        cluster = self.cluster
        cluster.numbers[number] += by
        if not cluster.touched:
            self.meters.touch(CLUSTERS, cluster)

    def _new(self, code: int, flags: str, grpc: str | None) -> Series:
        own = _own_labels(code, flags, grpc)
        found = self.meters.series(REQUESTS, (*self.destination, *own))
        if found.labels[-len(own) :] == own:
            # of all others there is one, and no end to what they are
            self._requests[(code, flags, grpc)] = found
        return found


def _own_labels(code: int, flags: str, grpc: str | None) -> tuple[str, ...]:
    """Return the labels of L{REQUESTS} behind those of the destination."""
    return ("http" if grpc is None else "grpc", str(code), grpc or "", flags)


class ListenerMeter:
    """
    Counts for one port.

    @ivar connections: Its numbers of L{LISTENERS}.
    @ivar requests: Those of L{HTTP}.
    @ivar meters: Where they are.
    """

    __slots__ = ("_authorization", "connections", "meters", "requests")

    def __init__(self, meters: Meters, address: str) -> None:
        self.meters = meters
        self.connections = meters.series(LISTENERS, (address,))
        self.requests = meters.series(HTTP, (f"outbound_{address}",))
        self._authorization: Series | None = None

    def count(self, number: int) -> None:
        """Count one of the numbers of L{LISTENERS}."""
        self.connections.numbers[number] += 1
        if not self.connections.touched:
            self.meters.touch(LISTENERS, self.connections)

    def count_authorization(self, number: int) -> None:
        """Count one of the numbers of L{AUTHORIZATION}."""
        series = self._authorization
        if series is None:
            series = self._authorization = self.meters.series(AUTHORIZATION, self.requests.labels)
        series.numbers[number] += 1
        if not series.touched:
            self.meters.touch(AUTHORIZATION, series)

    def count_http(self) -> None:
        """A connection begins to carry HTTP."""
        self.requests.numbers[0] += 1
        if not self.requests.touched:
            self.meters.touch(HTTP, self.requests)
