"""Tests of L{edgegate.admin.live.reader}."""

from __future__ import annotations

from typing import cast

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorFDSet
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.live.parts import EndpointNow, MapPart, NowPart, Part
from edgegate.admin.live.reader import INTERVAL, LiveReader
from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, Discovery, Endpoint, PoolLimits
from edgegate.routing.snapshot import Snapshot
from edgegate.server.contexts import Contexts
from edgegate.server.data_plane import DataPlane
from edgegate.tcp.gateway import Relay
from tests.admin.live.test_relays import Carrying
from tests.admin.served import SERVICE
from tests.tcp.test_routes import downstream, route

CLUSTERS = {
    name: Cluster(name, Discovery.STATIC, SERVICE, limits=PoolLimits(pending=limit))
    for name, limit in (("outbound|80||a", None), ("outbound|80||b", 0))
}
ADDRESSES = [TCPAddress("10.0.0.1", port) for port in range(80, 83)]


class ReaderTests(SynchronousTestCase):
    """A data plane with two clusters of three endpoints."""

    def setUp(self) -> None:
        """Have somebody look."""
        self.clock = Clock()
        self.plane = DataPlane(cast(IReactorFDSet, reactor))
        self.addCleanup(self.plane.stop)
        self.install(3)
        self.told: list[Part] = []
        self.takes = True
        self.reader = LiveReader(self.clock, self.plane, self.tell)
        self.addCleanup(self.reader.stop)
        self.reader.start()
        self.clock.advance(0)

    def install(self, endpoints: int) -> None:
        """Serve the clusters with so many endpoints each."""
        members = tuple(map(Endpoint, ADDRESSES[:endpoints]))
        self.plane.install(Snapshot(clusters=CLUSTERS), Contexts(), dict.fromkeys(CLUSTERS, members))

    def tell(self, part: Part) -> bool:
        """Take a part, or not."""
        if self.takes:
            self.told.append(part)
        return self.takes

    def round(self) -> list[Part]:
        """Return what is told in the next round."""
        self.told = []
        self.clock.advance(INTERVAL)
        self.clock.advance(0)
        return self.told

    def endpoints(self) -> list[EndpointNow]:
        """Return the endpoints that were told."""
        return [each for part in self.told if isinstance(part, NowPart) for each in part.endpoints]

    def test_first(self) -> None:
        """The first round has all there is, what the files say before the rest, and the process last."""
        first, *others = self.told
        assert isinstance(first, MapPart)
        self.assertEqual((first.first, first.last, len(first.rows)), (True, True, 2))
        self.assertEqual(len(self.endpoints()), 6)
        states = {each.name: each.full for part in others if isinstance(part, NowPart) for each in part.clusters}
        self.assertEqual(states, {"outbound|80||a": (), "outbound|80||b": ("pending",)})
        last = others[-1]
        assert isinstance(last, NowPart)
        assert last.process is not None
        self.assertIn("requests", [name for name, _, _, _ in last.process.limits])
        self.assertGreater(last.process.memory, 0)

    def test_different(self) -> None:
        """Then only what is different is told."""
        self.assertEqual(len(self.round()), 1)
        state = next(iter(self.plane.clusters)).endpoints[1]
        state.ejected, state.requests = True, 7
        self.round()
        (found,) = self.endpoints()
        self.assertEqual((found.cluster, found.address), ("outbound|80||a", "10.0.0.1:81"))
        self.assertEqual((found.ejected, found.unhealthy, found.requests), (True, False, 7))
        self.assertEqual(len(self.round()), 1)

    def test_reload(self) -> None:
        """Other files are told, and which endpoints are gone."""
        self.install(1)
        first, *others = self.round()
        assert isinstance(first, MapPart)
        gone = [each for part in others if isinstance(part, NowPart) for each in part.gone]
        self.assertEqual(sorted(gone), sorted((name, f"10.0.0.1:{port}") for name in CLUSTERS for port in (81, 82)))

    def test_lost(self) -> None:
        """What could not be told is told anew."""
        self.takes = False
        self.round()
        self.takes = True
        self.round()
        self.assertIsInstance(self.told[0], MapPart)
        self.assertEqual(len(self.endpoints()), 6)
        self.assertEqual(len(self.round()), 1)

    def relays(self) -> dict[str, int]:
        """Return the numbers of relays that the next round tells."""
        return {name: number for part in self.round() if isinstance(part, NowPart) for name, number in part.relays}

    def test_relays_lost(self) -> None:
        """Relays that ended while nothing could be told are told later, and once."""
        relays = cast("set[Relay]", self.plane.relays)
        for losing in (0, 1, 2):
            relay: Relay = Carrying(downstream(route("echo")))
            relays.add(relay)
            began = self.relays()
            self.assertEqual(set(began.values()), {1})
            self.takes = False
            for _ in range(losing):
                self.round()
            relays.remove(relay)
            self.round()
            self.takes = True
            self.assertEqual(self.relays(), dict.fromkeys(began, 0))
            self.assertEqual(self.relays(), {})

    def test_relays(self) -> None:
        """Relays are told when there are more or fewer of them."""
        relays = cast("set[Relay]", self.plane.relays)
        relay: Relay = Carrying(downstream(route("echo")))
        relays.add(relay)
        began = self.relays()
        self.assertEqual(set(began.values()), {1})
        self.assertEqual(self.relays(), {})
        relays.remove(relay)
        self.assertEqual(self.relays(), dict.fromkeys(began, 0))
        self.assertEqual(self.relays(), {})
        self.assertEqual(self.reader._relayed, {})

    def test_stop(self) -> None:
        """After the end nothing is told, and no timer is left."""
        self.reader.stop()
        self.assertEqual(self.round(), [])
        self.assertEqual(self.clock.getDelayedCalls(), [])
