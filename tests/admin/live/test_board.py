"""Tests of L{edgegate.admin.live.board}."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.board import Board
from edgegate.admin.live.parts import ClusterNow, EndpointNow, MapPart, NowPart, ProcessNow
from edgegate.observe.live.tally import Tally, Told
from edgegate.observe.live.window import Batch

CLUSTER = "outbound|80||web.internal"
ADDRESS = "10.0.0.1:80"
NAME = f"{CLUSTER}|{ADDRESS}"


def counted(requests: int = 1) -> Told:
    """Return some requests."""
    tally = Tally()
    for _ in range(requests):
        tally.count(1000, 1, 200, None)
    return tally.told()


def batch(requests: int = 1, route: int = 0) -> Batch:
    """Return what a process counted for a route."""
    return [(("l", "l|s|h", f"l|s|h|{route}", CLUSTER, ADDRESS), counted(requests))]


def process(number: int = 0, *limits: tuple[str, int, int | None, int]) -> NowPart:
    """Return the end of a round."""
    return NowPart(process=ProcessNow(number, 70 + number, 3, 1, 2, 1000, limits))


def endpoint(active: int = 0, unhealthy: bool = False, ejected: bool = False) -> NowPart:
    """Return what a process sees of an endpoint."""
    return NowPart(endpoints=[EndpointNow(CLUSTER, ADDRESS, unhealthy, ejected, 0, active, 1, 0, 5, 1, "")])


class BoardTests(SynchronousTestCase):
    """What two processes tell."""

    def setUp(self) -> None:
        """Have nobody told yet."""
        self.clock = Clock()
        self.board = Board(self.clock.seconds)

    def test_relays(self) -> None:
        """Relays under way add up, those of a process that is gone do not count, nor those that have ended."""
        self.board.take(0, NowPart(relays=[("a", 2), ("b", 1)]))
        self.board.take(1, NowPart(relays=[("a", 3)]))
        self.assertEqual([self.board.relays(name) for name in "abc"], [5, 1, 0])
        self.board.take(0, NowPart(relays=[("a", 0)]))
        self.assertEqual(self.board.relays("a"), 3)
        self.assertEqual(self.board._processes[0].relays, {"b": 1}, "nothing is kept of hosts that are no more")
        self.board.lost(1)
        self.assertEqual(self.board.relays("a"), 0)

    def test_sums(self) -> None:
        """Requests add up by what they were for, whoever counted them."""
        for worker in (0, 1):
            self.board.take(worker, NowPart(requests=[*batch(2, 0), *batch(3, 1)]))
        self.clock.advance(1)
        for worker in (0, 1):
            self.board.take(worker, process(worker))
        list(self.board.add_up())
        sums = self.board.sums
        self.assertEqual((sums.total.requests, self.board.seconds), (10, 1.0))
        self.assertEqual(
            {name: each.requests for name, each in sums.of["routes"].items()}, {"l|s|h|0": 4, "l|s|h|1": 6}
        )
        for table, name in (("listeners", "l"), ("hosts", "l|s|h"), ("clusters", CLUSTER), ("endpoints", NAME)):
            self.assertEqual(sums.of[table][name].requests, 10, table)
        self.assertEqual([rate for _, _, rate in self.board.processes], [5.0, 5.0])

    def test_map(self) -> None:
        """A map counts once it is whole; until then the one before is shown. One whose begin was lost is none."""
        row = {"id": "l", "address": "x", "file": "A.yaml:1", "hosts": ["Shop"], "port": 80}
        self.board.take(0, MapPart([("listeners", row)], False, True))
        self.assertFalse(self.board.has_map)
        self.board.take(0, MapPart([("listeners", row)], True, False))
        self.assertFalse(self.board.has_map)
        self.board.take(0, MapPart([("certificates", {"id": "c"})], False, True))
        self.assertEqual(list(self.board.map.tables["listeners"]), ["l"])
        self.assertEqual(self.board.map.certificates, [{"id": "c"}])
        self.assertEqual(self.board.map.text("listeners", "l"), "l\nx\na.yaml:1\nshop")
        self.assertFalse(self.board.complete)
        self.board.take(0, process())
        self.assertTrue(self.board.complete)

    def test_endpoints(self) -> None:
        """An endpoint is unfit that one process takes for it, and gone when all have lost it."""
        for worker, part in ((0, endpoint()), (1, endpoint(ejected=True))):
            self.board.take(worker, part)
        self.assertEqual((self.board.unfit, self.board.changes), ({NAME}, 1))
        self.board.take(1, endpoint())
        self.assertEqual(self.board.unfit, set())
        self.board.take(1, endpoint(unhealthy=True))
        self.board.lost(1)
        self.assertEqual((self.board.unfit, list(self.board.endpoints)), (set(), [CLUSTER]))
        self.board.take(0, NowPart(gone=[(CLUSTER, ADDRESS)]))
        self.assertEqual(self.board.endpoints, {})
        self.board.lost(1)

    def test_clusters(self) -> None:
        """What each process says of a cluster is found."""
        self.board.take(0, NowPart(clusters=[ClusterNow(CLUSTER, 1, ())]))
        self.board.take(1, NowPart(clusters=[ClusterNow(CLUSTER, 2, ("pending",))]))
        self.assertEqual(sum(each.pending for each in self.board.cluster(CLUSTER)), 3)
        self.assertEqual(self.board.cluster("other"), [])

    def test_examples(self) -> None:
        """Examples of several processes tell whose they are."""
        one = ("r", [{"time": "1", "path": "/"}], [{"milliseconds": 5}])
        self.board.take(0, NowPart(examples=[one]))
        self.board.take(0, process(0))
        self.assertEqual(self.board.examples("r"), {"errors": one[1], "slowest": one[2]})
        self.board.take(1, NowPart(examples=[("r", [{"time": "2", "path": "/"}], [])]))
        self.board.take(1, process(1))
        found = self.board.examples("r")
        assert found is not None
        self.assertEqual([each["worker"] for each in found["errors"]], [1, 0])
        self.assertIsNone(self.board.examples("other"))

    def test_limits(self) -> None:
        """What is limited in each process adds up, but for what is of one client; how often it is met is a rate."""
        for worker, reached in ((0, 5), (1, 1)):
            self.board.take(
                worker, process(worker, ("requests", 2, 10, reached), ("requests of a client", 2 + worker, 4, 0))
            )
        self.board.remember_limits()
        self.clock.advance(2)
        self.board.take(1, process(1, ("requests", 2, None, 5), ("requests of a client", 3, 4, 0)))
        requests, of_client = self.board.limits()
        self.assertEqual(requests, {"name": "requests", "value": 4, "limit": None, "reached": 10, "reached_rate": 2.0})
        self.assertEqual((of_client["value"], of_client["limit"], of_client["reached_rate"]), (3, 4, 0.0))
