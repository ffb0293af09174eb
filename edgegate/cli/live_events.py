"""Reads the live stream of an admin listener; see C{docs/live.md} for its events."""

from __future__ import annotations

import json
from typing import Any

Row = dict[str, Any]

TABLES = ("listeners", "hosts", "routes", "clusters", "endpoints")


class EventParser:
    """Makes events of the bytes of a stream (HTML's server-sent events), in whatever pieces they come."""

    def __init__(self) -> None:
        self._left = b""

    def feed(self, data: bytes) -> list[tuple[str, Row]]:
        """
        Return the events that are whole: their names, and what is in them.

        @raise ValueError: That is no stream of such events.
        """
        *whole, self._left = (self._left + data).split(b"\n\n")
        found = []
        for block in whole:
            fields = dict(_field(line) for line in block.decode("utf-8").split("\n"))
            if "data" in fields:
                content = json.loads(fields["data"])
                if not isinstance(content, dict):
                    raise ValueError("an event is no object")
                found.append((fields.get("event", "message"), content))
        return found


def _field(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.removeprefix(" ")


class LiveTables:
    """
    What a stream has told so far.

    @ivar head: What is no table: C{gateway}, C{totals}, C{window} and so on.
    @ivar events: How many events there were.
    """

    def __init__(self) -> None:
        self.head: Row = {}
        self.events = 0
        self._rows: dict[str, dict[str, Row]] = {}
        self._counts: dict[str, Row] = {}

    def take(self, name: str, content: Row) -> None:
        """Take an event."""
        self.events += 1
        if name == "full":
            self.head, self._rows, self._counts = {}, {}, {}
        for key, value in content.items():
            if key in TABLES:
                self._take_table(key, value)
            else:
                self.head[key] = value

    def rows(self, table: str) -> list[Row]:
        """Return the rows of a table, in their order."""
        return list(self._rows.get(table, {}).values())

    def rest(self, table: str) -> int:
        """Return how many more rows there are than those."""
        return int(self._counts.get(table, {}).get("rest", 0))

    def _take_table(self, table: str, change: Row) -> None:
        known = {**self._rows.get(table, {}), **{row["id"]: row for row in change.get("rows", [])}}
        order = change.get("order", list(known))
        self._rows[table] = {name: known[name] for name in order if name in known}
        self._counts[table] = change
