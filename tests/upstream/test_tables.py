"""Large tables to hash by: made in steps, while nobody waits who need not."""

from __future__ import annotations

from functools import partial
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.clusters import Cluster, ConsistentHash, Discovery, Endpoint, HashSource, LoadBalancer
from edgegate.model.origin import Origin
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.pending_resolution import RESOLVE_TIMEOUT
from edgegate.upstream.registry import ClusterRegistry, ClusterState
from tests.upstream.resolving import ResolvingReactor
from tests.upstream.turning import TurningClock

ORIGIN = Origin("web.yaml", 1, "ServiceEntry default/web")
RING = ConsistentHash(HashSource.HEADER, "x-user")
MAGLEV = ConsistentHash(HashSource.HEADER, "x-user", maglev=True, size=65537)
KEYS = [hash64(b"%d" % number) for number in range(500)]


class TableTests(SynchronousTestCase):
    """A cluster of many endpoints whose requests are hashed."""

    def setUp(self) -> None:
        """Make a registry."""
        self.clock = TurningClock()
        self.clusters = ClusterRegistry(ResolvingReactor(), TimerWheel(self.clock, 0.5), Random(1))
        self.addCleanup(self.clusters.stop)

    def serve(self, rule: ConsistentHash, *numbers: int) -> ClusterState:
        """Have a cluster of some endpoints."""
        endpoints = tuple(Endpoint(TCPAddress(f"10.0.0.{number}", 80)) for number in numbers)
        balancer = LoadBalancer(hash=rule)
        cluster = Cluster("web", Discovery.STATIC, ORIGIN, balancer=balancer)
        self.clusters.update({"web": cluster}, {"web": endpoints})
        state = self.clusters.get("web")
        assert state is not None
        return state

    def turns(self) -> int:
        """Let the reactor turn until nothing is left to be done at once; return how often."""
        count = 0
        while self.clock.turn():
            count += 1
        return count

    def owners(self, state: ClusterState) -> list[str]:
        """Return whom each key belongs to."""
        found = [state.next(key) for key in KEYS]
        return [str(endpoint.address) for endpoint in found if endpoint is not None]

    def ready(self, rule: ConsistentHash, *numbers: int) -> ClusterState:
        """Have a cluster, and its table."""
        state = self.serve(rule, *numbers)
        told: list[str] = []
        state.when_resolved(lambda: told.append("ready"))
        self.turns()
        self.assertEqual(told, ["ready"])
        return state

    def test_first(self) -> None:
        """Who asks first waits for the table, which takes many turns; who asks meanwhile waits for the same."""
        for rule in (RING, MAGLEV):
            state = self.serve(rule, *range(100))
            self.assertFalse(self.clock.turn(), "a cluster that nobody asks costs nothing")
            told: list[str] = []
            self.assertEqual((state.resolved, state.next(KEYS[0])), (False, None))
            state.when_resolved(partial(told.append, "first"))
            self.clock.turn()
            state.when_resolved(partial(told.append, "second"))
            self.assertEqual(told, [])
            self.assertGreater(self.turns(), 20)
            self.assertEqual((told, state.resolved), (["first", "second"], True))
            self.assertGreater(len(set(self.owners(state))), 90)
            before = self.clusters.environment.steps.taken
            self.owners(state)
            self.turns()
            self.assertEqual(self.clusters.environment.steps.taken, before)
            self.clusters.update({})

    def test_small(self) -> None:
        """A small table is made at once."""
        state = self.serve(RING, 1, 2, 3)
        self.assertTrue(state.resolved)
        self.assertEqual(len(self.owners(state)), len(KEYS))
        self.assertEqual(self.clusters.environment.steps.taken, 0)

    def test_change(self) -> None:
        """After a change the old table serves, without those who went, until the new one is there."""
        state = self.ready(RING, *range(100))
        before = self.owners(state)
        self.assertIs(self.serve(RING, *range(1, 101)), state)
        self.assertTrue(state.resolved)
        meanwhile = self.owners(state)
        for one, other in zip(before, meanwhile, strict=True):
            if one != "10.0.0.0:80":
                self.assertEqual(one, other)
        self.assertNotIn("10.0.0.0:80", meanwhile)
        self.assertNotIn("10.0.0.100:80", meanwhile)
        self.assertGreater(self.turns(), 20)
        after = self.owners(state)
        self.assertIn("10.0.0.100:80", after)
        self.clusters.update({})
        self.assertEqual(self.owners(self.ready(RING, *range(1, 101))), after, "the same as if there had been no other")

    def test_changes(self) -> None:
        """Changes that follow each other fast leave undone what nobody needs, and the oldest table serves."""
        state = self.ready(RING, *range(100))
        for number in range(1, 6):
            self.serve(RING, *range(number, 100))
            self.assertEqual(len(self.owners(state)), len(KEYS))
            self.clock.turn()
        before = self.clusters.environment.steps.taken
        self.turns()
        self.assertLess(self.clusters.environment.steps.taken - before, 150)
        found = self.owners(state)
        self.clusters.update({})
        self.assertEqual(self.owners(self.ready(RING, *range(5, 100))), found)

    def test_all_change(self) -> None:
        """Where none is left of those in the old table, the new one is waited for."""
        state = self.ready(MAGLEV, *range(50))
        self.serve(MAGLEV, *range(50, 100))
        self.assertEqual((state.resolved, state.next(KEYS[0])), (False, None))
        told: list[str] = []
        state.when_resolved(lambda: told.append("ready"))
        self.turns()
        self.assertEqual((told, len(self.owners(state))), (["ready"], len(KEYS)))

    def test_change_while_waited_for(self) -> None:
        """Who waits for a table when the endpoints change gets that of the new ones."""
        state = self.serve(RING, *range(100))
        told: list[str] = []
        state.when_resolved(lambda: told.append("ready"))
        self.clock.turn()
        self.serve(RING, *range(50, 150))
        self.assertEqual(told, [])
        self.turns()
        self.assertEqual(told, ["ready"])
        self.assertIn("10.0.0.149:80", self.owners(state))

    def test_ejected(self) -> None:
        """Who is ejected needs no new table."""
        state = self.ready(RING, *range(100))
        before = self.clusters.environment.steps.taken
        for endpoint in state.endpoints[:10]:
            endpoint.ejected = True
        state._balancer.refit()
        self.assertTrue(state.resolved)
        self.assertEqual(len({*self.owners(state)} & {f"10.0.0.{number}:80" for number in range(10)}), 0)
        self.turns()
        self.assertEqual(self.clusters.environment.steps.taken, before)

    def test_wait_is_bounded(self) -> None:
        """A table that is not made in time is waited for no longer than addresses are."""
        state = self.serve(RING, *range(100))
        told: list[str] = []
        state.when_resolved(lambda: told.append("over"))
        self.clusters.environment.steps.stop()
        self.clock.pump([0.5] * int(2 * RESOLVE_TIMEOUT + 6))
        self.assertEqual((told, state.next(KEYS[0])), (["over"], None))
