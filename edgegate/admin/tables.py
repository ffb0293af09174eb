"""Rows as tables of text, with the columns that readers of C{istioctl proxy-config} know."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from edgegate.admin.views import Row, Value

_ISSUED = {"ISSUED BY": "issued_by", "STATE": "state", "NEXT": "next", "LAST ERROR": "last_error"}
"""Of certificates that the gateway has issued itself."""

OPTIONAL = frozenset(("worker", *_ISSUED.values()))
"""Columns that are left out where no row has them: only a gateway of several processes has workers."""

COLUMNS: Mapping[str, Mapping[str, str]] = {
    "listeners": {"ADDRESS": "address", "PORT": "port", "TYPE": "type", "MATCH": "match", "FILE": "file"},
    "routes": {
        "NAME": "name",
        "DOMAINS": "domains",
        "MATCH": "match",
        "VIRTUAL SERVICE": "virtual_service",
        "TO": "to",
        "FILE": "file",
    },
    "clusters": {
        "SERVICE FQDN": "service",
        "PORT": "port",
        "SUBSET": "subset",
        "DIRECTION": "direction",
        "TYPE": "type",
        "DESTINATION RULE": "destination_rule",
        "FILE": "file",
    },
    "endpoints": {
        "WORKER": "worker",
        "ENDPOINT": "endpoint",
        "STATUS": "status",
        "OUTLIER CHECK": "outlier_check",
        "CLUSTER": "cluster",
        "FILE": "file",
    },
    "secrets": {
        "RESOURCE NAME": "name",
        "TYPE": "type",
        "STATUS": "status",
        "VALID CERT": "valid",
        "HOSTS": "hosts",
        "SERIAL NUMBER": "serial",
        "NOT AFTER": "not_after",
        "NOT BEFORE": "not_before",
        **_ISSUED,
        "FILE": "file",
    },
    "telemetry": {"TYPE": "type", "PROVIDER": "provider", "TO": "to", "SETTINGS": "settings", "FILE": "file"},
}
"""Of each view of the files, the columns' titles and what stands in them."""

_PAGES: Mapping[str, Mapping[str, str]] = {
    "certs": {
        "RESOURCE NAME": "name",
        "TYPE": "type",
        "STATUS": "status",
        "DAYS LEFT": "days_left",
        "NAMES": "names",
        "FOR": "hosts",
        "NOT AFTER": "not_after",
        **_ISSUED,
        "FILE": "file",
    },
    "requests": {
        "TIME": "time",
        "METHOD": "method",
        "HOST": "authority",
        "PATH": "target",
        "STATUS": "status",
        "FLAGS": "flags",
        "MS": "duration_ms",
        "TRIES": "tries",
        "WORKER": "worker",
        "REQUEST ID": "request_id",
    },
    "overload": {"LIMIT OF": "name", "NOW": "value", "LIMIT": "limit", "REACHED": "reached", "WORKER": "worker"},
}
"""Of pages that C{edgegate proxy-config} has not, or not so."""


def table(view: str, rows: Sequence[Row]) -> str:
    """Return rows as a table, columns three spaces apart; where there is none, C{no listeners found}."""
    if not rows:
        return f"no {view} found\n"
    found = COLUMNS.get(view) or _PAGES[view]
    there = {key for row in rows for key in OPTIONAL.intersection(row)}
    columns = {title: key for title, key in found.items() if key not in OPTIONAL or key in there}
    lines = [list(columns), *([_cell(row.get(key)) for key in columns.values()] for row in rows)]
    widths = [max(len(line[index]) for line in lines) for index in range(len(columns))]
    return "".join(
        "   ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() + "\n"
        for line in lines
    )


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        value = ", ".join(value)
    return "-" if value is None or value == "" else str(value)
