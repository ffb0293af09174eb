"""Tests of L{edgegate.cli.top_table}."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.live_events import LiveTables
from edgegate.cli.top_table import BY, duration, flags, headline, milliseconds, plain, printable, rate, share, size

FIGURES: dict[str, Any] = {
    "rps": 12.34,
    "errors": 0.5,
    "error_share": 0.0405,
    "client_share": 0,
    "p50": 3.21,
    "p95": 20.5,
    "p99": 1234.5,
    "flags": {"UF": 0.1, "URX": 2},
}
NOTHING: dict[str, Any] = {"rps": 0, "errors": 0, "error_share": None, "client_share": None, "p50": None, "flags": {}}


def tables() -> LiveTables:
    """Return what a gateway has told."""
    made = LiveTables()
    said = {"file": "web.yaml:3", "host": "shop.example", "listener": "[::]:80", "cluster": "outbound|80||web"}
    state = {"health": "ejected", "active": 1, "connections": 2, "pending": 3, "healthy": 1, "endpoints": 2}
    rows = [
        {"id": "one", "name": "cart", "address": "10.0.0.1:80", **said, **state, **FIGURES},
        {"id": "two", "name": "", "match": "/x*", "address": "10.0.0.2:80", **said, **state, **NOTHING},
    ]
    gateway = {"version": "edgegate 1", "state": "serving", "uptime": 61, "workers": 2, "connections": 5, "active": 1}
    content: dict[str, Any] = {"gateway": {**gateway, "loop_lag_ms": 4, "last_reload": "installed"}, "totals": FIGURES}
    made.take("full", {**content, **{name: {"rows": rows, "rest": 7} for name in BY.values()}})
    return made


class TextTests(SynchronousTestCase):
    """Figures as they are shown."""

    def test_figures(self) -> None:
        """They are as short as they may be, and what there is not is a dash."""
        self.assertEqual(
            [rate(each) for each in (0, 0.002, 0.5, 99.9, 1234.5, None)], ["0.0", "0.002", "0.5", "99.9", "1234", "0.0"]
        )
        self.assertEqual([share(each) for each in (0, 1, 0.999, 0.0405, None)], ["0%", "100%", "99.9%", "4.0%", "-"])
        self.assertEqual([milliseconds(each) for each in (0.128, 99.4, 1234.5, None)], ["0.1", "99.4", "1234", "-"])
        self.assertEqual(
            [duration(each) for each in (9, 423, 7500, 273600, None)], ["9s", "7m3s", "2h5m", "3d4h", "0s"]
        )
        self.assertEqual(flags(FIGURES), "URX:2.0 UF:0.1")

    def test_printable(self) -> None:
        """Nothing that a terminal obeys is shown."""
        self.assertEqual(printable("a\x1b[2Jb\u00f6"), "a\\x1b[2Jb\u00f6")
        self.assertEqual((printable(None), printable(5)), ("", "5"))


class TableTests(SynchronousTestCase):
    """The table as text."""

    def test_route(self) -> None:
        """A row has its figures below their titles; a route without a name is known by what it takes."""
        first, titles, cart, other, rest = plain(tables(), "route").splitlines()
        self.assertIn(
            "2 processes  5 connections  1 active  12.3 rps  errors 4.0%  p50/p95/p99 3.2/20.5/1234 ms", first
        )
        self.assertEqual(
            titles.split(), ["HOST", "ROUTE", "RPS", "ERR/S", "ERR", "CLIENT", "P50", "P95", "P99", "FLAGS", "FILE"]
        )
        self.assertEqual(cart.split()[:6], ["shop.example", "cart", "12.3", "0.5", "4.0%", "0%"])
        self.assertEqual(
            other.split(), ["shop.example", "/x*", "0.0", "0.0", "-", "-", "-", "-", "-", "-", "web.yaml:3"]
        )
        self.assertEqual(titles.index("FILE"), cart.index("web.yaml:3"))
        self.assertEqual(rest, "and 7 more: --filter TEXT finds them")

    def test_others(self) -> None:
        """Each kind of row says what matters of it."""
        self.assertEqual(plain(tables(), "host").splitlines()[2].split()[:3], ["shop.example", "[::]:80", "12.3"])
        self.assertEqual(plain(tables(), "cluster").splitlines()[2].split()[:5], ["one", "1/2", "1", "3", "12.3"])
        endpoint = plain(tables(), "endpoint").splitlines()[2].split()
        self.assertEqual(endpoint[:6], ["10.0.0.1:80", "outbound|80||web", "ejected", "1", "2", "12.3"])

    def test_relays(self) -> None:
        """Where connections are relayed there are columns for them, which are not there elsewhere."""
        made = tables()
        relay = {"id": "three", "host": "db.example", "match": "*", "file": "db.yaml:1", "open": 3, **NOTHING}
        relay.update(relays=0.5, received=1500, sent=2_500_000)
        made.take("full", {"routes": {"rows": [relay], "rest": 0}, "clusters": {"rows": [relay], "rest": 0}})
        _, titles, row = plain(made, "route").splitlines()
        self.assertEqual(titles.split()[2], "OPEN")
        self.assertEqual(titles.split()[-5:], ["RELAYS", "IN/S", "OUT/S", "FLAGS", "FILE"])
        self.assertEqual((row.split()[2], row.split()[-5:]), ("3", ["0.5", "1.5k", "2.5M", "-", "db.yaml:1"]))
        self.assertEqual(plain(made, "cluster").splitlines()[1].split()[-4:], ["RELAYS", "IN/S", "OUT/S", "FLAGS"])

    def test_sizes(self) -> None:
        """Bytes are as short as they may be."""
        numbers = (0, 999, 1000, 12_345, 2_500_000, 3e9, None)
        self.assertEqual([size(each) for each in numbers], ["0", "999", "1.0k", "12k", "2.5M", "3.0G", "0"])

    def test_refused(self) -> None:
        """It is said when the files that are there are not those that are served."""
        made = tables()
        self.assertNotIn("REFUSED", headline(made))
        made.head["gateway"]["last_reload"] = "refused"
        self.assertIn("REFUSED", headline(made))
