"""The table of C{edgegate top}: its cells, as text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from edgegate.cli.live_events import LiveTables, Row

Cells = list[str]

BY = {"host": "hosts", "route": "routes", "cluster": "clusters", "endpoint": "endpoints"}
"""What rows are of, and the tables of the stream that have them."""


@dataclass(frozen=True, slots=True)
class Column:
    """
    One column.

    @ivar of: Returns what stands in it for a row.
    @ivar right: Whether that is a number.
    """

    title: str
    of: Callable[[Row], str]
    right: bool = False


def printable(value: object) -> str:
    """Return a text without what a terminal would obey: whoever has the port of the gateway could send that."""
    text = "" if value is None else str(value)
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)


def rate(value: object) -> str:
    """Return how often something happens in a second."""
    number = float(value) if isinstance(value, int | float) else 0.0
    if number >= 99.95:
        return f"{number:.0f}"
    return f"{number:.1f}" if number >= 0.05 or not number else f"{number:.3f}"


def share(value: object) -> str:
    """Return a share of 1 in percent."""
    if not isinstance(value, int | float):
        return "-"
    percent = value * 100
    return f"{percent:.0f}%" if percent in (0, 100) else f"{percent:.1f}%"


def milliseconds(value: object) -> str:
    """Return a time."""
    if not isinstance(value, int | float):
        return "-"
    return f"{value:.0f}" if value >= 99.5 else f"{value:.1f}"


def size(value: object) -> str:
    """Return a number of bytes."""
    number = float(value) if isinstance(value, int | float) else 0.0
    for unit in ("", "k", "M"):
        if number < 999.5:
            return f"{number:.0f}{unit}" if number >= 9.95 or not unit else f"{number:.1f}{unit}"
        number /= 1000
    return f"{number:.1f}G"


def flags(row: Row) -> str:
    """Return the response flags, the most frequent first."""
    found = sorted(row.get("flags", {}).items(), key=lambda each: -each[1])
    return " ".join(f"{printable(flag)}:{rate(often)}" for flag, often in found) or "-"


def _text(key: str) -> Callable[[Row], str]:
    return lambda row: printable(row.get(key)) or "-"


def _figure(title: str, key: str, shown: Callable[[object], str]) -> Column:
    return Column(title, lambda row: shown(row.get(key)), True)


def _number(title: str, key: str) -> Column:
    return Column(title, lambda row: printable(row.get(key, 0)), True)


_FIGURES = (
    _figure("RPS", "rps", rate),
    _figure("ERR/S", "errors", rate),
    _figure("ERR", "error_share", share),
    _figure("CLIENT", "client_share", share),
    _figure("P50", "p50", milliseconds),
    _figure("P95", "p95", milliseconds),
    _figure("P99", "p99", milliseconds),
    Column("FLAGS", flags),
)

_RELAYED = (
    _figure("RELAYS", "relays", rate),
    _figure("IN/S", "received", size),
    _figure("OUT/S", "sent", size),
)
_OPEN = Column("OPEN", lambda row: printable(row.get("open")) or "-", True)

_COLUMNS: dict[str, tuple[Column, ...]] = {
    "host": (Column("HOST", _text("host")), Column("LISTENER", _text("listener")), *_FIGURES),
    "route": (
        Column("HOST", _text("host")),
        Column("ROUTE", lambda row: printable(row.get("name")) or printable(row.get("match")) or "-"),
        *_FIGURES,
        Column("FILE", _text("file")),
    ),
    "cluster": (
        Column("CLUSTER", _text("id")),
        Column("HEALTHY", lambda row: f"{printable(row.get('healthy'))}/{printable(row.get('endpoints'))}", True),
        _number("ACTIVE", "active"),
        _number("PENDING", "pending"),
        *_FIGURES,
    ),
    "endpoint": (
        Column("ENDPOINT", _text("address")),
        Column("CLUSTER", _text("cluster")),
        Column("HEALTH", _text("health")),
        _number("ACTIVE", "active"),
        _number("CONNS", "connections"),
        *_FIGURES,
    ),
}


def _with_relays(by: str) -> tuple[Column, ...]:
    """Return the columns of a table in which relays are."""
    shown = _COLUMNS[by]
    first, last = shown.index(_FIGURES[0]), shown.index(_FIGURES[-1])
    under_way = (_OPEN,) if by in ("host", "route") else ()
    return (*shown[:first], *under_way, *shown[first:last], *_RELAYED, *shown[last:])


_COLUMNS_WITH_RELAYS = {by: _with_relays(by) for by in _COLUMNS}


def columns(tables: LiveTables, by: str) -> Sequence[Column]:
    """Return the columns of a table: those of relays only where there are any."""
    relayed = any(
        row.get("relays") or row.get("received") or row.get("sent") or row.get("open") for row in tables.rows(BY[by])
    )
    return _COLUMNS_WITH_RELAYS[by] if relayed else _COLUMNS[by]


def cells(tables: LiveTables, by: str) -> list[Cells]:
    """Return what stands in the rows of a table."""
    shown = columns(tables, by)
    return [[column.of(row) for column in shown] for row in tables.rows(BY[by])]


def headline(tables: LiveTables) -> str:
    """Return how the gateway as a whole is, in a line."""
    gateway, totals = tables.head.get("gateway", {}), tables.head.get("totals", {})
    parts = [
        printable(gateway.get("version")),
        printable(gateway.get("state")),
        f"up {duration(gateway.get('uptime'))}",
        f"{printable(gateway.get('workers'))} processes",
        f"{printable(gateway.get('connections'))} connections",
        f"{printable(gateway.get('active'))} active",
        f"{rate(totals.get('rps'))} rps",
        f"errors {share(totals.get('error_share'))}",
        f"p50/p95/p99 {'/'.join(milliseconds(totals.get(key)) for key in ('p50', 'p95', 'p99'))} ms",
        f"lag {printable(gateway.get('loop_lag_ms'))} ms",
    ]
    if gateway.get("last_reload") == "refused":
        parts.append("THE FILES WERE REFUSED: see edgegate check, or /reload")
    return "  ".join(parts)


def footer(tables: LiveTables, by: str) -> str:
    """Return how many rows are not shown; empty: none."""
    rest = tables.rest(BY[by])
    return f"and {rest} more: --filter TEXT finds them" if rest else ""


def duration(seconds: object) -> str:
    """Return a time as C{3d4h}, C{2h5m}, C{7m3s} or C{9s}."""
    left = int(seconds) if isinstance(seconds, int | float) else 0
    days, hours, minutes = left // 86400, left // 3600 % 24, left // 60 % 60
    if days:
        return f"{days}d{hours}h"
    if hours:
        return f"{hours}h{minutes}m"
    return f"{minutes}m{left % 60}s" if minutes else f"{left}s"


def plain(tables: LiveTables, by: str) -> str:
    """Return everything as lines, columns two spaces apart, for a file or another program."""
    shown = columns(tables, by)
    lines = [[column.title for column in shown], *cells(tables, by)]
    widths = [max(len(line[place]) for line in lines) for place in range(len(shown))]
    text = [headline(tables)]
    for line in lines:
        padded = (
            cell.rjust(width) if column.right else cell.ljust(width)
            for column, cell, width in zip(shown, line, widths, strict=True)
        )
        text.append("  ".join(padded).rstrip())
    rest = footer(tables, by)
    return "".join(f"{line}\n" for line in [*text, *([rest] if rest else [])])
