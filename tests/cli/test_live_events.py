"""Tests of L{edgegate.cli.live_events}."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.live_events import EventParser, LiveTables

STREAM = b'retry: 2000\n\nevent: full\nid: 1\ndata: {"a":"\xc3\xb6"}\n\n: \n\nevent:change\ndata:{"b":2}\n\n'
EVENTS = [("full", {"a": "\u00f6"}), ("change", {"b": 2})]


class ParserTests(SynchronousTestCase):
    """Streams of events."""

    @given(st.lists(st.integers(0, len(STREAM)), max_size=8))
    def test_pieces(self, places: list[int]) -> None:
        """They may come in whatever pieces; what is no event with data is passed over."""
        parser = EventParser()
        ends = [0, *sorted(places), len(STREAM)]
        found = [each for a, b in pairwise(ends) for each in parser.feed(STREAM[a:b])]
        self.assertEqual(found, EVENTS)

    def test_bad(self) -> None:
        """What is no JSON object, or no text, is an error."""
        for data in (b"[1]", b"{", b"\xff"):
            self.assertRaises(ValueError, EventParser().feed, b"data: " + data + b"\n\n")


class LiveTablesTests(SynchronousTestCase):
    """What events have told together."""

    def test_changes(self) -> None:
        """Rows that changed are replaced, those that are not in the order go, and what was not said stays."""
        tables = LiveTables()
        rows = [{"id": "a", "rps": 1}, {"id": "b", "rps": 2}]
        tables.take("full", {"window": 0, "flags": {}, "routes": {"rows": rows, "rest": 4, "total": 6}})
        tables.take("change", {"window": 1})
        self.assertEqual((tables.rows("routes"), tables.rest("routes")), (rows, 4))
        tables.take("change", {"routes": {"rows": [{"id": "b", "rps": 9}], "rest": 3, "total": 5}})
        self.assertEqual([row["rps"] for row in tables.rows("routes")], [1, 9])
        order = {"rows": [{"id": "c", "rps": 3}], "order": ["c", "b"], "rest": 5, "total": 7}
        tables.take("change", {"window": 2, "routes": order})
        self.assertEqual([row["id"] for row in tables.rows("routes")], ["c", "b"])
        self.assertEqual((tables.head, tables.rest("routes"), tables.events), ({"window": 2, "flags": {}}, 5, 4))
        tables.take("full", {"window": 0})
        self.assertEqual((tables.rows("routes"), tables.rest("routes"), tables.head), ([], 0, {"window": 0}))
