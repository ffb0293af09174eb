"""
The events of the live stream: all that a watcher is shown, and each second what is different.

Their JSON is described in docs/live.md, for whoever reads it.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone

from edgegate.admin.interfaces import Gateway
from edgegate.admin.live.board import Board
from edgegate.admin.live.parts import TABLES, Row
from edgegate.admin.live.view import Asked, Table, View
from edgegate.observe.live.window import figures
from edgegate.server.reload_history import Reading, ReloadHistory
from edgegate.tls.acme.status import CertificateState
from edgegate.version import described

SCHEMA = 1

MOST_CERTIFICATES = 100

_FAILING = frozenset(
    each.value for each in (CertificateState.FAILING, CertificateState.RENEWAL_FAILING, CertificateState.REVOKED)
)

FLAGS = {
    "DC": "the client left before the end",
    "DI": "the request was delayed on purpose (a fault of the files)",
    "DPE": "the client broke the protocol, or a limit of what clients may send",
    "DT": "the request took longer than a request may",
    "FI": "the request was refused on purpose (a fault of the files)",
    "NC": "the cluster of the route is not there",
    "NR": "there is no route for the request",
    "OM": "the gateway had too much to do",
    "SI": "nothing came for too long",
    "UC": "the backend closed the connection",
    "UF": "the backend could not be connected to",
    "UH": "no endpoint of the backend is healthy",
    "UO": "the limits of the backend's cluster were reached",
    "UPE": "the backend broke the protocol",
    "UR": "the backend reset the request",
    "URX": "the request was tried as often as it may be",
    "UT": "the backend took too long",
}
"""Response flags, in words."""


class Events:
    """
    What one watcher has been sent, and what comes next.

    @ivar is_new: Whether nothing was sent yet.
    """

    def __init__(self, asked: Asked) -> None:
        self.asked = asked
        self.is_new = True
        self._view = View(asked)
        self._sequence = 0
        self._map: object = None
        self._rows: dict[str, dict[str, Row]] = {}
        self._order: dict[str, list[str]] = {}
        self._totals: dict[str, int] = {}
        self._sections: dict[str, object] = {}
        self._examples: dict[str, object] = {}

    def start_anew(self) -> None:
        """Something was not sent: the next event has all."""
        self._map = None

    def next(self, gateway: Gateway, board: Board) -> Iterator[tuple[str, Row] | None]:
        """Yield the name of the next event with its content, last of all; before that come steps."""
        yield from self._view.look(board)
        full = self._map is not board.map
        if full:
            self._map, self.is_new = board.map, False
            self._rows, self._order, self._sections, self._examples = {}, {}, {}, {}
        self._sequence += 1
        content = {**self._head(gateway, board), **(self._constants() if full else {})}
        for name in TABLES:
            change = self._table(name, self._view.tables[name])
            if change is not None:
                content[name] = change
            yield None
        examples = self._examples_of(board)
        if full or examples:
            content["examples"] = examples
        yield None
        for name, section in self._sections_of(gateway, board):
            if self._sections.get(name) != section:
                content[name] = self._sections[name] = section
        yield "full" if full else "change", content

    def _head(self, gateway: Gateway, board: Board) -> Row:
        """Return what each event has."""
        return {
            "sequence": self._sequence,
            "time": _time(datetime.now(timezone.utc)),
            "window": round(board.seconds, 3),
            "gateway": gateway_row(gateway, board),
            "totals": figures(board.sums.total, board.seconds),
        }

    def _constants(self) -> Row:
        asked = self.asked
        return {"schema": SCHEMA, "sort": asked.sort, "top": asked.top, "filter": asked.text, "flags": FLAGS}

    def _table(self, name: str, table: Table) -> Row | None:
        """Return what is different of a table; L{None}: nothing is."""
        known = self._rows.get(name)
        rows = {row["id"]: row for row in table.rows}
        order, total = list(rows), table.total
        different = table.rows if known is None else [row for row in table.rows if known.get(row["id"]) != row]
        change: Row = {"rows": different, "total": total, "rest": max(0, total - len(order))}
        if known is not None and order != self._order[name]:
            change["order"] = order
        elif known is not None and not different and total == self._totals[name]:
            return None
        self._rows[name], self._order[name], self._totals[name] = rows, order, total
        return change

    def _examples_of(self, board: Board) -> Row:
        """Return the examples of routes that are shown, where they are others than before."""
        found: Row = {}
        for row in self._view.tables["routes"].rows:
            name = row["id"]
            examples = board.examples(name)
            if examples is not None and self._examples.get(name) != examples:
                found[name] = self._examples[name] = examples
        return found

    def _sections_of(self, gateway: Gateway, board: Board) -> Iterator[tuple[str, object]]:
        yield "certificates", certificates(board)
        yield "reloads", reloads(gateway.history)
        yield "limits", {"rows": board.limits()}
        yield "workers", {"rows": worker_rows(gateway, board)}


def gateway_row(gateway: Gateway, board: Board) -> Row:
    """Return how the gateway is."""
    history, processes = gateway.history, [now for _, now, _ in board.processes]
    return {
        "version": described(),
        "pid": os.getpid(),
        "config": gateway.config,
        "state": "serving" if gateway.ready else "waiting" if gateway.waiting else "draining",
        "started": _time(history.began),
        "uptime": int((datetime.now(timezone.utc) - history.began).total_seconds()),
        "loop_lag_ms": max((each.lag for each in processes), default=0),
        "connections": sum(each.connections for each in processes),
        "active": sum(each.active for each in processes),
        "memory_bytes": sum(each.memory for each in processes),
        "workers": len(processes),
        "generation_at": _time(history.installed),
        "last_reload": "refused" if history.is_refused else "installed",
    }


def certificates(board: Board) -> Row:
    """Return the certificates that are not issued, not renewed or revoked, and then those that end first."""
    found = sorted(board.map.certificates, key=_urgency)
    return {"rows": found[:MOST_CERTIFICATES], "total": len(found)}


def _urgency(row: Row) -> tuple[bool, bool, str]:
    return row.get("state") not in _FAILING, row["not_after"] is None, str(row["not_after"])


def reloads(history: ReloadHistory) -> Row:
    """Return what came of the last readings of the files."""
    refused = history.refused
    return {
        "history": [reading_row(each) for each in history],
        "refused": None if refused is None else {**reading_row(refused), "current": history.is_refused},
    }


def reading_row(reading: Reading) -> Row:
    """Return what came of one."""
    return {
        "at": _time(reading.at),
        "outcome": reading.outcome.value,
        "seconds": reading.seconds,
        "changes": list(reading.changes),
        "changes_total": reading.lines,
        "added": reading.added,
        "removed": reading.removed,
        "changed": reading.changed,
        "problems": [
            {
                "file": each.file,
                "line": each.line,
                "column": each.column,
                "severity": each.severity.name.lower(),
                "path": each.path,
                "message": each.message,
            }
            for each in reading.problems
        ],
        "problems_total": reading.found,
    }


def worker_rows(gateway: Gateway, board: Board) -> list[Row]:
    """Return a row for each process that serves."""
    current = gateway.serving_workers
    return [
        {
            "worker": now.number,
            "pid": now.pid,
            "connections": now.connections,
            "active": now.active,
            "rps": round(rate, 3),
            "loop_lag_ms": now.lag,
            "memory_bytes": now.memory,
            "files": "current" if key in current else "older",
        }
        for key, now, rate in board.processes
    ]


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
