"""
What all processes have told, brought together: for as long as somebody looks.

Of one process or of several, it is the same: requests add up, what endpoints and processes are is kept by process.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from edgegate.admin.live.parts import (
    CERTIFICATES,
    TABLES,
    ClusterNow,
    EndpointNow,
    MapPart,
    NowPart,
    Part,
    ProcessNow,
    Row,
)
from edgegate.observe.live.examples import Example, Told, together
from edgegate.observe.live.names import endpoint_id
from edgegate.observe.live.tally import Tally
from edgegate.observe.live.window import Batch, Window

_AT_ONCE = 20
"""Tallies that are added up in a step."""


class LiveMap:
    """
    What the files say.

    @ivar tables: The rows by their ids.
    @ivar certificates: Their rows.
    """

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Row]] = {name: {} for name in TABLES}
        self.certificates: list[Row] = []
        self._texts: dict[tuple[str, str], str] = {}

    def add(self, rows: list[tuple[str, Row]]) -> None:
        """Take some rows."""
        for table, row in rows:
            if table == CERTIFICATES:
                self.certificates.append(row)
            else:
                self.tables[table].setdefault(row["id"], row)

    def text(self, table: str, name: str) -> str:
        """Return all that a filter looks at of a row, in lower case."""
        found = self._texts.get((table, name))
        if found is None:
            row = self.tables[table][name]
            found = "\n".join(_words(row)).lower()
            self._texts[table, name] = found
        return found


def _words(row: Row) -> Iterator[str]:
    for value in row.values():
        if isinstance(value, str):
            yield value
        elif isinstance(value, list):
            yield from (each for each in value if isinstance(each, str))


class Sums:
    """
    Tallies of the window, by what they are of.

    @ivar total: Of all.
    @ivar of: Of each table's rows, by their ids.
    """

    def __init__(self) -> None:
        self.total = Tally()
        self.of: dict[str, dict[str, Tally]] = {name: {} for name in TABLES}

    def add(self, table: str, name: str, tally: Tally) -> None:
        """Add to one row."""
        rows = self.of[table]
        found = rows.get(name)
        if found is None:
            found = rows[name] = Tally()
        found.add(tally)


class _Process:
    """
    What one process has told.

    @ivar rate: Requests a second in its last round.
    """

    def __init__(self, began: float) -> None:
        self.now: ProcessNow | None = None
        self.rate = 0.0
        self.requests = 0
        self.counted_at = began
        self.endpoints: dict[tuple[str, str], EndpointNow] = {}
        self.clusters: dict[str, ClusterNow] = {}
        self.examples: dict[str, Told] = {}
        self.relays: dict[str, int] = {}
        self.map: LiveMap | None = None

    def count(self, now: float) -> None:
        """A round is over."""
        seconds = now - self.counted_at
        if seconds > 0:
            self.rate, self.requests, self.counted_at = self.requests / seconds, 0, now


class Board:
    """
    All that there is to be shown.

    @ivar map: What the files say.
    @ivar window: What was counted of late; L{sums} are of it, as of L{seconds}.
    @ivar endpoints: What each process says of each endpoint, by cluster and address, then by process.
    @ivar unfit: The ids of those that may not be chosen, by one process at least.
    @ivar changes: How often endpoints came or went.
    """

    def __init__(self, seconds: Callable[[], float]) -> None:
        """
        @param seconds: Of a clock that is never set.
        """
        self._clock = seconds
        self.map = LiveMap()
        self.window = Window(seconds())
        self.sums = Sums()
        self.seconds = 0.0
        self.has_map = False
        self.endpoints: dict[str, dict[str, dict[int, EndpointNow]]] = {}
        self.unfit: set[str] = set()
        self.changes = 0
        self._processes: dict[int, _Process] = {}
        self._met: list[tuple[float, dict[str, int]]] = []

    @property
    def complete(self) -> bool:
        """Whether something of everything is there."""
        return self.has_map and bool(self.processes)

    @property
    def processes(self) -> list[tuple[int, ProcessNow, float]]:
        """The processes, each with what tells it from the others, and its requests a second."""
        return [(each, of.now, of.rate) for each, of in sorted(self._processes.items()) if of.now is not None]

    # What is told -----------------------------------------------------------------------------------------------------

    def take(self, worker: int, part: Part) -> None:
        """
        Take what a process tells.

        @param worker: What tells it from all others that live.
        """
        process = self._processes.get(worker)
        if process is None:
            process = self._processes[worker] = _Process(self._clock())
        if isinstance(part, MapPart):
            self._take_map(process, part)
        else:
            self._take_now(worker, process, part)

    def lost(self, worker: int) -> None:
        """A process is gone. What it has counted stays counted."""
        process = self._processes.pop(worker, None)
        if process is not None:
            for cluster, address in process.endpoints:
                self._forget(worker, cluster, address)

    def _take_map(self, process: _Process, part: MapPart) -> None:
        if part.first:
            process.map = LiveMap()
        if process.map is None:
            # the begin of it was lost: it will be told anew
            return
        process.map.add(part.rows)
        if part.last:
            self.map, process.map = process.map, None
            self.has_map = True

    def _take_now(self, worker: int, process: _Process, part: NowPart) -> None:
        self.window.add(part.requests)
        process.requests += _requests(part.requests)
        for endpoint in part.endpoints:
            process.endpoints[endpoint.cluster, endpoint.address] = endpoint
            self._take_endpoint(worker, endpoint)
        for cluster, address in part.gone:
            process.endpoints.pop((cluster, address), None)
            self._forget(worker, cluster, address)
        for state in part.clusters:
            process.clusters[state.name] = state
        for name, number in part.relays:
            if number:
                process.relays[name] = number
            else:
                process.relays.pop(name, None)
        for told in part.examples:
            process.examples[told[0]] = told
        if part.process is not None:
            process.now = part.process
            process.count(self._clock())
            self.window.move(self._clock())

    def _take_endpoint(self, worker: int, endpoint: EndpointNow) -> None:
        addresses = self.endpoints.setdefault(endpoint.cluster, {})
        seen = addresses.get(endpoint.address)
        if seen is None:
            seen = addresses[endpoint.address] = {}
            self.changes += 1
        seen[worker] = endpoint
        self._look_at_health(endpoint.cluster, endpoint.address, seen)

    def _look_at_health(self, cluster: str, address: str, seen: dict[int, EndpointNow]) -> None:
        name = endpoint_id(cluster, address)
        if any(each.unhealthy or each.ejected for each in seen.values()):
            self.unfit.add(name)
        else:
            self.unfit.discard(name)

    def _forget(self, worker: int, cluster: str, address: str) -> None:
        """A process knows an endpoint no more."""
        addresses = self.endpoints.get(cluster, {})
        seen = addresses.get(address, {})
        seen.pop(worker, None)
        self._look_at_health(cluster, address, seen)
        if not seen:
            addresses.pop(address, None)
            self.changes += 1
        if not addresses:
            self.endpoints.pop(cluster, None)

    # What is shown ----------------------------------------------------------------------------------------------------

    def add_up(self) -> Iterator[None]:
        """Bring the sums up to date, in steps."""
        sums = Sums()
        items = list(self.window.items())
        for number, ((listener, host, route, cluster, address), tally) in enumerate(items):
            sums.total.add(tally)
            sums.add("listeners", listener, tally)
            sums.add("hosts", host, tally)
            sums.add("routes", route, tally)
            if cluster:
                sums.add("clusters", cluster, tally)
                if address:
                    sums.add("endpoints", endpoint_id(cluster, address), tally)
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield
        self.sums, self.seconds = sums, self.window.seconds
        self.window.begin_half()

    def cluster(self, name: str) -> list[ClusterNow]:
        """Return what each process says of a cluster."""
        return [each.clusters[name] for each in self._processes.values() if name in each.clusters]

    def relays(self, name: str) -> int:
        """Return how many relays of a host or a route are under way, by its id."""
        return sum(each.relays.get(name, 0) for each in self._processes.values())

    def examples(self, route: str) -> dict[str, list[Example]] | None:
        """Return those of a route; L{None}: there are none."""
        told = []
        several = len(self._processes) > 1
        for process in self._processes.values():
            found = process.examples.get(route)
            if found is not None:
                told.append(_of_worker(process.now.number, found) if several and process.now is not None else found)
        return together(told) if told else None

    def limits(self) -> list[Row]:
        """Return what there is of what is limited, in all processes."""
        rows: dict[str, Row] = {}
        for _, process, _ in self.processes:
            for name, value, limit, reached in process.limits:
                row = rows.get(name)
                if row is None:
                    rows[name] = {"name": name, "value": value, "limit": limit, "reached": reached}
                    continue
                row["reached"] += reached
                if name in _OF_ONE:
                    row["value"] = max(row["value"], value)
                else:
                    row["value"] += value
                    row["limit"] = None if limit is None or row["limit"] is None else row["limit"] + limit
        return [{**row, "reached_rate": self._met_rate(name, row["reached"])} for name, row in rows.items()]

    def remember_limits(self) -> None:
        """Remember how often limits were met by now; comes once a second."""
        met: dict[str, int] = {}
        for _, process, _ in self.processes:
            for name, _, _, reached in process.limits:
                met[name] = met.get(name, 0) + reached
        self._met = [*self._met[-9:], (self._clock(), met)]

    def _met_rate(self, name: str, reached: int) -> float:
        """Return how often a limit was met each second of the last ten."""
        if not self._met:
            return 0.0
        at, met = self._met[0]
        seconds = self._clock() - at
        return round(max(0, reached - met.get(name, reached)) / seconds, 3) if seconds > 0 else 0.0


_OF_ONE = frozenset({"connections of a client", "requests of a client", "loop lag ms"})
"""Limits whose values in several processes make no sum."""


def _requests(batch: Batch) -> int:
    return sum(told[0] for _, told in batch)


def _of_worker(number: int, told: Told) -> Told:
    name, errors, slowest = told
    return name, [{**each, "worker": number} for each in errors], [{**each, "worker": number} for each in slowest]
