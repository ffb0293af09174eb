"""What one watcher is shown: the rows that it wants of each table, and of those what is different each second."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from heapq import nsmallest

from edgegate.admin.live.board import Board, LiveMap
from edgegate.admin.live.parts import TABLES, EndpointNow, Row
from edgegate.observe.live.latencies import quantiles
from edgegate.observe.live.names import NO_ROUTE, endpoint_id
from edgegate.observe.live.tally import Tally
from edgegate.observe.live.window import figures

SORTS = ("rps", "errors", "p99", "name")

TOP, SORT = 50, SORTS[0]
"""Where nothing is said of it."""

_AT_ONCE = 100
"""Rows that are looked at in a step."""


@dataclass(frozen=True, slots=True)
class Asked:
    """
    What a watcher wants.

    @ivar top: Rows of a table, at the most.
    @ivar text: What a row must have in it, in lower case; empty: nothing.
    @ivar sort: One of L{SORTS}: which rows are the first.
    @ivar once: Whether one look is enough.
    """

    top: int = TOP
    text: str = ""
    sort: str = SORT
    once: bool = False


@dataclass(slots=True)
class Table:
    """
    Rows in their order.

    @ivar total: How many there were, had all been wanted.
    """

    rows: list[Row]
    total: int


class View:
    """
    One watcher's view of the board.

    @ivar tables: As they are now; see L{look}.
    """

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self.tables: dict[str, Table] = {}
        self._map: LiveMap | None = None
        self._endpoint_changes = -1
        self._wanted: dict[str, dict[str, None]] = {}
        self._named: dict[str, list[str]] = {}

    def look(self, board: Board) -> Iterator[None]:
        """Bring the tables up to date, in steps."""
        if self._map is not board.map:
            self._map = board.map
            self._wanted, self._named, self._endpoint_changes = {}, {}, -1
            for table in TABLES:
                if table != "endpoints":
                    yield from self._find(board.map, table)
        yield from self._find_endpoints(board)
        tables: dict[str, Table] = {}
        for table in TABLES:
            sums = board.sums.of[table]
            others = [name for name in sums if self._is_other(board, table, name)]
            yield
            rows = []
            for name in (yield from self._choose(board, table, others)):
                row = _row(board, table, name)
                rows.append({**row, **figures(sums.get(name), board.seconds)})
                yield
            tables[table] = Table(rows, len(self._wanted[table]) + len(others))
        self.tables = tables

    def _find(self, site: LiveMap, table: str) -> Iterator[None]:
        """Find which rows of the files are wanted at all."""
        text = "" if table == "listeners" else self._asked.text
        wanted: dict[str, None] = {}
        for number, name in enumerate(site.tables[table]):
            if not text or text in site.text(table, name):
                wanted[name] = None
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield
        self._wanted[table] = wanted

    def _find_endpoints(self, board: Board) -> Iterator[None]:
        if self._endpoint_changes == board.changes:
            return
        self._endpoint_changes = board.changes
        text = self._asked.text
        wanted: dict[str, None] = {}
        for number, (cluster, addresses) in enumerate(tuple(board.endpoints.items())):
            for name in [endpoint_id(cluster, address) for address in addresses]:
                if not text or text in name.lower():
                    wanted[name] = None
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield
        self._wanted["endpoints"] = wanted
        self._named.pop("endpoints", None)

    def _choose(self, board: Board, table: str, others: list[str]) -> Generator[None, None, list[str]]:
        """Return the ids of the rows to show: endpoints that are not fit, busy rows, others as the files have them."""
        asked, wanted, sums = self._asked, self._wanted[table], board.sums.of[table]
        if asked.sort == "name":
            named = self._named.get(table)
            if named is None:
                named = self._named[table] = sorted(wanted)
            return sorted([*named[: asked.top], *others])[: asked.top]
        ranks: list[tuple[float, str]] = []
        for number, (name, tally) in enumerate(sums.items()):
            if name in wanted:
                ranks.append((-_rank(asked.sort, tally), name))
            if number % _AT_ONCE == _AT_ONCE - 1:
                yield
        ranks += [(-_rank(asked.sort, sums[name]), name) for name in others]
        busy = [name for _, name in nsmallest(asked.top, ranks)]
        unfit = sorted(wanted.keys() & board.unfit) if table == "endpoints" else []
        found = dict.fromkeys([*unfit[: asked.top], *busy])
        for name in wanted:
            if len(found) >= asked.top:
                break
            found.setdefault(name)
        return list(found)[: asked.top]

    def _is_other(self, board: Board, table: str, name: str) -> bool:
        """Whether a row is wanted that no file has: that of what no route of a host took, or of no host."""
        if table != "routes" or not name.endswith((f"|{NO_ROUTE}", "||")):
            return False
        text = self._asked.text
        return _of_no_route(board.map, name) is not None and (not text or text in name.lower())


def _rank(sort: str, tally: Tally) -> float:
    if sort == "p99":
        (p99,) = quantiles(tally.slots, (0.99,))
        return -1.0 if p99 is None else p99
    ended = tally.requests + tally.relays
    return tally.failures * 1e9 + ended if sort == "errors" else ended


def _row(board: Board, table: str, name: str) -> Row:
    """Return a row without its figures."""
    if table == "endpoints":
        return _endpoint(board, name)
    row = board.map.tables[table].get(name)
    if row is None:
        row = _of_no_route(board.map, name) or {}
    if table == "clusters":
        return {**row, **_cluster(board, name)}
    if "open" in row:
        return {**row, "open": board.relays(name)}
    return row


def _of_no_route(site: LiveMap, name: str) -> Row | None:
    """Return the row of what no route took; L{None}: its host is none of the files that are served."""
    empty = {"place": -1, "name": "", "to": [], "clusters": [], "action": "none"}
    if name.endswith("||"):
        listener = name[:-2]
        match, shown = "no host", {"host": "", "listener": listener, "file": "", "resource": ""}
        if listener not in site.tables["listeners"]:
            return None
        return {"id": name, "host_id": name, "match": match, **shown, **empty}
    host_id = name.removesuffix(f"|{NO_ROUTE}")
    host = site.tables["hosts"].get(host_id)
    if host is None:
        return None
    said = {key: host[key] for key in ("host", "listener", "file", "resource")}
    return {"id": name, "host_id": host_id, "match": "no route", **said, **empty}


def _cluster(board: Board, name: str) -> Row:
    """Return what is known of a cluster now: sums of all processes, of health the worst."""
    states = board.cluster(name)
    endpoints = [list(seen.values()) for seen in board.endpoints.get(name, {}).values()]
    full = {limit for state in states for limit in state.full}
    return {
        "endpoints": len(endpoints),
        "healthy": sum(not any(each.ejected or each.unhealthy for each in seen) for seen in endpoints),
        "ejected": sum(any(each.ejected for each in seen) for seen in endpoints),
        "active": sum(each.active for seen in endpoints for each in seen),
        "connections": sum(each.connections for seen in endpoints for each in seen),
        "pending": sum(state.pending for state in states),
        "full": sorted(full),
    }


def _endpoint(board: Board, name: str) -> Row:
    cluster, _, address = name.rpartition("|")
    seen: list[EndpointNow] = list(board.endpoints.get(cluster, {}).get(address, {}).values())
    unhealthy, ejected = any(each.unhealthy for each in seen), any(each.ejected for each in seen)
    first = seen[0] if seen else None
    return {
        "id": name,
        "cluster": cluster,
        "address": address,
        "health": "unhealthy" if unhealthy else "ejected" if ejected else "healthy",
        "unfit_workers": sum(each.unhealthy or each.ejected for each in seen),
        "ejections": max((each.ejections for each in seen), default=0),
        "active": sum(each.active for each in seen),
        "connections": sum(each.connections for each in seen),
        "connect_failures": sum(each.failures for each in seen),
        "requests": sum(each.requests for each in seen),
        "weight": 1 if first is None else first.weight,
        "locality": "" if first is None else first.locality,
        "file": board.map.tables["clusters"].get(cluster, {}).get("file", ""),
    }
