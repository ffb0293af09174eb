"""Tests of L{edgegate.admin.live.view}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.board import Board
from edgegate.admin.live.parts import ClusterNow, EndpointNow, MapPart, NowPart, ProcessNow, Row
from edgegate.admin.live.view import Asked, Table, View
from edgegate.errors import CONNECT_REFUSED, NO_ROUTE, Fault
from edgegate.observe.live.tally import Tally
from edgegate.observe.live.window import Key

HOST = "l|s|h.example"
PROCESS = ProcessNow(0, 7, 0, 0, 0, 0, ())


def cluster(number: int) -> str:
    """Return the name of one."""
    return f"outbound|80||c{number}.internal"


def mapped(count: int) -> list[tuple[str, Row]]:
    """Return a listener with a host of so many routes, each to a cluster of its own."""
    said = {"file": "a.yaml:1", "resource": "VirtualService default/web", "listener": "l"}
    rows: list[tuple[str, Row]] = [("listeners", {"id": "l", "address": "0.0.0.0:80", "servers": [], **said})]
    rows.append(("hosts", {"id": HOST, "host": "h.example", "server": "s", **said}))
    for number in range(count):
        to = {"clusters": [cluster(number)], "name": f"route{number}", "place": number}
        rows.append(("routes", {"id": f"{HOST}|{number}", "host_id": HOST, "host": "h.example", **to, **said}))
        rows.append(("clusters", {"id": cluster(number), "service": f"c{number}.internal", **said}))
    return rows


class ViewTests(SynchronousTestCase):
    """Views of a board with ten routes."""

    def setUp(self) -> None:
        """Have a board."""
        self.clock = Clock()
        self.board = Board(self.clock.seconds)
        self.board.take(0, MapPart(mapped(10), True, True))
        self.board.take(0, NowPart(clusters=[ClusterNow(cluster(1), 4, ("pending",))], process=PROCESS))
        for number in range(10):
            self.endpoint(number)

    def endpoint(self, number: int, ejected: bool = False, worker: int = 0) -> None:
        """An endpoint of a cluster is seen."""
        now = EndpointNow(cluster(number), "10.0.0.1:80", False, ejected, int(ejected), 1, 2, 3, 4, 1, "eu")
        self.board.take(worker, NowPart(endpoints=[now]))

    def count(
        self, route: int | str, requests: int = 1, status: int = 200, fault: Fault | None = None, ms: int = 1
    ) -> None:
        """Requests end."""
        tally = Tally()
        for _ in range(requests):
            tally.count(ms * 1000, 1, status, fault)
        to = (cluster(route), "10.0.0.1:80") if isinstance(route, int) else ("", "")
        name = f"{HOST}|{route}" if route != "||" else "l||"
        key: Key = ("l", HOST if route != "||" else "l||", name, *to)
        self.board.take(0, NowPart(requests=[(key, tally.told())]))

    def look(self, asked: Asked) -> dict[str, Table]:
        """Return what is shown after a second."""
        self.clock.advance(1)
        self.board.take(0, NowPart(process=PROCESS))
        list(self.board.add_up())
        view = View(asked)
        list(view.look(self.board))
        return view.tables

    def routes(self, asked: Asked) -> list[object]:
        """Return which routes are shown."""
        return [row["place"] for row in self.look(asked)["routes"].rows]

    def test_busy_first(self) -> None:
        """The busiest are first, and behind them come others as the files have them, as many as are asked for."""
        self.count(7, 5)
        self.count(3, 9)
        tables = self.look(Asked(top=4))
        self.assertEqual([row["place"] for row in tables["routes"].rows], [3, 7, 0, 1])
        self.assertEqual((tables["routes"].total, tables["hosts"].total, tables["endpoints"].total), (10, 1, 10))
        self.assertEqual([row["rps"] for row in tables["routes"].rows], [9.0, 5.0, 0.0, 0.0])
        self.assertEqual((tables["hosts"].rows[0]["rps"], tables["listeners"].rows[0]["rps"]), (14.0, 14.0))

    def test_sorts(self) -> None:
        """Rows are sorted by what is asked for."""
        self.count(1, 9)
        self.count(2, 3, 503, CONNECT_REFUSED)
        self.count(5, 1, ms=500)
        self.assertEqual(self.routes(Asked(top=3, sort="rps")), [1, 2, 5])
        self.assertEqual(self.routes(Asked(top=3, sort="errors")), [2, 1, 5])
        self.assertEqual(self.routes(Asked(top=3, sort="p99"))[0], 5)
        self.assertEqual(self.routes(Asked(top=3, sort="name")), [0, 1, 2])

    def test_filter(self) -> None:
        """Only rows with the text are shown, and all are counted that have it."""
        self.count(1, 9)
        self.count(4, 1)
        tables = self.look(Asked(text="c4.internal"))
        self.assertEqual([row["place"] for row in tables["routes"].rows], [4])
        self.assertEqual((tables["routes"].total, tables["clusters"].total, tables["endpoints"].total), (1, 1, 1))
        self.assertEqual((tables["hosts"].rows, len(tables["listeners"].rows)), ([], 1))

    def test_no_route(self) -> None:
        """What no route took, and what had no host, have rows while there is such."""
        self.count("-", 5, 404, NO_ROUTE)
        self.count("||", 4, 404, NO_ROUTE)
        self.count(1)
        rows = self.look(Asked(top=3))["routes"].rows
        self.assertEqual([row["match"] for row in rows[:2]], ["no route", "no host"])
        self.assertEqual([row["host"] for row in rows], ["h.example", "", "h.example"])
        self.assertEqual(rows[0]["host_id"], HOST)
        rows = self.look(Asked(text="h.example"))["routes"].rows
        self.assertEqual([row.get("match") for row in rows][:2], ["no route", None])

    def test_relays(self) -> None:
        """A route of TCP says how many relays are open; one of HTTP has no such figure."""
        rows = mapped(2)
        rows.append(("routes", {"id": "l|t||0", "host_id": "l|t|", "host": "", "clusters": [], "open": 0}))
        self.board.take(0, MapPart(rows, True, True))
        self.board.take(0, NowPart(relays=[("l|t||0", 4)]))
        self.count(1)
        first, second, relayed = self.look(Asked())["routes"].rows
        self.assertEqual(relayed["open"], 4)
        self.assertFalse({"open", "active"} & {*first, *second})

    def test_unfit_first(self) -> None:
        """Endpoints that are not fit are first, however many others are busy."""
        self.count(1, 9)
        self.endpoint(8, True)
        self.endpoint(8, True, worker=1)
        rows = self.look(Asked(top=2))["endpoints"].rows
        self.assertEqual([row["health"] for row in rows], ["ejected", "healthy"])
        first = rows[0]
        self.assertEqual((first["cluster"], first["address"], first["unfit_workers"]), (cluster(8), "10.0.0.1:80", 2))
        self.assertEqual((first["active"], first["connections"], first["requests"], first["ejections"]), (2, 4, 8, 1))
        self.assertEqual((first["file"], first["locality"]), ("a.yaml:1", "eu"))

    def test_cluster(self) -> None:
        """A cluster's row has its endpoints in numbers, and its limits."""
        self.endpoint(1, True)
        row = next(each for each in self.look(Asked())["clusters"].rows if each["id"] == cluster(1))
        self.assertEqual((row["endpoints"], row["healthy"], row["ejected"]), (1, 0, 1))
        self.assertEqual((row["pending"], row["full"], row["connections"]), (4, ["pending"], 2))

    def test_endpoints_change(self) -> None:
        """An endpoint that comes while one looks is shown."""
        view = View(Asked())
        list(view.look(self.board))
        self.board.take(0, NowPart(gone=[(cluster(0), "10.0.0.1:80")]))
        list(view.look(self.board))
        self.assertEqual(view.tables["endpoints"].total, 9)
