"""Tests of L{edgegate.admin.live.events}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate import errors
from edgegate.admin.live.board import Board
from edgegate.admin.live.events import FLAGS, Events, certificates
from edgegate.admin.live.parts import TABLES, EndpointNow, MapPart, NowPart, Row
from edgegate.admin.live.site_map import map_rows
from edgegate.admin.live.view import Asked
from edgegate.server.reload import Outcome
from tests.admin.live.test_board import process
from tests.admin.served import NOW, SECRETS, SNAPSHOT, WEB, PretendedGateway

ROUTE = "[::]:443|https.443|shop.example|1"


class FlagsTests(SynchronousTestCase):
    """Flags in words."""

    def test_all(self) -> None:
        """Every flag of every fault has some, and so have those beside faults."""
        faults = [each for each in vars(errors).values() if isinstance(each, errors.Fault)]
        flags = {fault.flag for fault in faults} - {"-"} | {"URX", "DI"}
        self.assertLessEqual(flags, set(FLAGS))


class EventsTests(SynchronousTestCase):
    """What one watcher is sent of a gateway."""

    def setUp(self) -> None:
        """Have a gateway and a watcher."""
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.board = Board(self.clock.seconds)
        self.map()
        self.board.take(0, process(0, ("requests", 1, 10, 0)))
        self.events = Events(Asked())

    def test_certificates(self) -> None:
        """Those that are not issued or not renewed come first, then those that end first, then those to come."""
        rows = [
            {"id": "late", "not_after": "2026-09-01T00:00:00Z"},
            {"id": "pending", "not_after": None, "state": "to be issued"},
            {"id": "soon", "not_after": "2026-04-01T00:00:00Z", "state": "issued"},
            {"id": "failing", "not_after": None, "state": "failing"},
            {"id": "unrenewed", "not_after": "2026-08-01T00:00:00Z", "state": "renewal fails"},
        ]
        self.board.take(0, MapPart([("certificates", row) for row in rows], True, True))
        found = certificates(self.board)
        self.assertEqual([row["id"] for row in found["rows"]], ["unrenewed", "failing", "soon", "late", "pending"])

    def map(self) -> None:
        """The files are told."""
        self.board.take(0, MapPart(list(map_rows(SNAPSHOT, SECRETS, self.gateway.bound, NOW)), True, True))

    def next(self) -> tuple[str, Row]:
        """Return the next event."""
        *_, made = self.events.next(self.gateway, self.board)
        assert made is not None
        return made

    def test_full(self) -> None:
        """The first one has all."""
        name, content = self.next()
        self.assertEqual((name, content["schema"], content["sequence"]), ("full", 1, 1))
        for table in TABLES:
            self.assertEqual(len(content[table]["rows"]), content[table]["total"], table)
        self.assertEqual([len(content[table]["rows"]) for table in TABLES], [2, 4, 3, 2, 0])
        self.assertEqual((content["certificates"]["total"], content["flags"]), (2, FLAGS))
        gateway = content["gateway"]
        self.assertEqual((gateway["state"], gateway["workers"], gateway["config"]), ("serving", 1, "/etc/edge gate"))
        self.assertEqual((gateway["loop_lag_ms"], gateway["connections"]), (2, 3))
        (worker,) = content["workers"]["rows"]
        self.assertEqual((worker["worker"], worker["pid"], worker["files"]), (0, 70, "current"))
        self.assertEqual([row["name"] for row in content["limits"]["rows"]], ["requests"])

    def test_nothing_different(self) -> None:
        """Where nothing is different the next one has only what each has."""
        self.next()
        name, content = self.next()
        self.assertEqual(name, "change")
        self.assertEqual(set(content), {"sequence", "time", "window", "gateway", "totals"})

    def test_rows(self) -> None:
        """Rows that are different come whole, and the order where that is different."""
        self.next()
        self.board.take(0, NowPart(endpoints=[EndpointNow(WEB, "10.0.0.1:80", False, False, 0, 0, 1, 0, 5, 1, "")]))
        _, content = self.next()
        self.assertEqual([row["id"] for row in content["endpoints"]["rows"]], [f"{WEB}|10.0.0.1:80"])
        self.assertEqual(content["endpoints"]["order"], [f"{WEB}|10.0.0.1:80"])
        self.assertEqual([row["id"] for row in content["clusters"]["rows"]], [WEB])
        self.assertNotIn("order", content["clusters"])
        self.assertNotIn("routes", content)
        self.board.take(0, NowPart(gone=[(WEB, "10.0.0.1:80")]))
        _, content = self.next()
        self.assertEqual((content["endpoints"]["rows"], content["endpoints"]["order"]), ([], []))

    def test_examples(self) -> None:
        """Examples come with their routes, and again only where they are others."""
        example = {"time": "1", "path": "/x"}
        self.board.take(0, NowPart(examples=[(ROUTE, [example], []), ("gone", [example], [])]))
        self.assertEqual(self.next()[1]["examples"], {ROUTE: {"errors": [example], "slowest": []}})
        self.assertNotIn("examples", self.next()[1])

    def test_reloads(self) -> None:
        """A reload that is refused is told with its problems and their places."""
        self.next()
        self.gateway.outcome = Outcome.REFUSED
        self.gateway.reload()
        _, content = self.next()
        refused = content["reloads"]["refused"]
        self.assertEqual((refused["outcome"], refused["current"]), ("refused", True))
        (problem,) = refused["problems"]
        self.assertEqual((problem["file"], problem["line"], problem["severity"]), ("shop.yaml", 7, "error"))
        self.assertEqual(content["gateway"]["last_reload"], "refused")
        self.assertEqual([each["outcome"] for each in content["reloads"]["history"]], ["refused", "installed"])
        self.assertEqual(content["reloads"]["history"][1]["added"], 1)

    def test_all_anew(self) -> None:
        """After a reload all is told anew, and so it is where something was not sent."""
        self.next()
        self.map()
        self.assertEqual(self.next()[0], "full")
        self.events.start_anew()
        self.assertEqual(self.next()[0], "full")
        self.assertEqual(self.next()[0], "change")
