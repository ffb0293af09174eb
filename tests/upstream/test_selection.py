"""Tests of L{edgegate.upstream.selection}."""

from __future__ import annotations

from collections import Counter
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Balancing, ConsistentHash, HashSource, LoadBalancer, Localities, Warmup
from edgegate.upstream.balancing import Chooser
from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.balancing.stepping import Steps
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.locality import Place
from edgegate.upstream.selection import Selection
from tests.upstream.members import member, members, taken

HERE = Place("eu/a")

HASH = ConsistentHash(HashSource.HEADER, "x-user")

BALANCERS = [
    *(LoadBalancer(simple) for simple in Balancing),
    LoadBalancer(hash=HASH),
    LoadBalancer(hash=ConsistentHash(HashSource.HEADER, "x-user", maglev=True, size=251)),
    LoadBalancer(warmup=Warmup(60.0)),
]


class SelectionCase(SynchronousTestCase):
    """A choice."""

    def select(
        self, endpoints: list[EndpointState], balancer: LoadBalancer, min_health: float | None = 0.0
    ) -> Selection:
        self.clock = Clock()
        return Selection(balancer, endpoints, HERE, min_health, Random(1), self.clock.seconds, Steps(self.clock))

    def refit(self, selection: Selection) -> Chooser | None:
        """Look through the endpoints anew, and let time pass until there is what to choose by."""
        chooser = selection.refit()
        if selection.wanting:
            made: list[Chooser | None] = []
            selection.prepare(lambda: made.append(selection.refit()))
            while selection.wanting:
                self.clock.advance(0)
            chooser = made[-1]
        return chooser

    def shares(self, selection: Selection, count: int = 4000) -> Counter[str]:
        """Choose so many times, and return how often each locality was chosen."""
        chooser = self.refit(selection)
        assert chooser is not None
        found: Counter[str] = Counter()
        for endpoint, times in taken(chooser, count).items():
            found[endpoint.locality] += times
        return found


class FitTests(SelectionCase):
    """Who is fit."""

    @settings(deadline=None)
    @given(st.sampled_from(BALANCERS), st.lists(st.tuples(st.integers(1, 5), st.booleans()), min_size=1, max_size=6))
    def test_never_the_unfit(self, balancer: LoadBalancer, given_: list[tuple[int, bool]]) -> None:
        """However endpoints are chosen, none is that is not fit, and every one is that is."""
        endpoints = members(*[weight for weight, _ in given_])
        for endpoint, (_, fit) in zip(endpoints, given_, strict=True):
            endpoint.ejected = not fit
        selection = self.select(endpoints, balancer)
        chooser = self.refit(selection)
        fit = [endpoint for endpoint in endpoints if endpoint.fit]
        if chooser is None:
            self.assertEqual(fit, [])
            return
        self.assertEqual({chooser.choose(hash64(b"%d" % number)) for number in range(300)}, set(fit))
        self.assertEqual({chooser.choose(None) for _ in range(300)}, set(fit))
        for key in (None, 7):
            self.assertEqual(set(selection.others((), key)), set(fit))
            self.assertEqual(set(selection.others(fit[:1], key)), set(fit[1:]))

    def test_panic(self) -> None:
        """Where too few are fit all are taken for fit."""
        endpoints = members(1, 1, 1, 1)
        selection = self.select(endpoints, LoadBalancer(), min_health=0.5)
        for endpoint, chosen in zip(endpoints, (3, 2, 4, 4), strict=True):
            endpoint.unhealthy = True
            chooser = self.refit(selection)
            assert chooser is not None
            self.assertEqual(len(taken(chooser, 100)), chosen)

    def test_nobody(self) -> None:
        """Without endpoints there is nothing to choose, also in panic."""
        for min_health in (None, 0.0, 1.0):
            self.assertIsNone(self.select([], LoadBalancer(), min_health).refit())

    def test_others_share_the_load(self) -> None:
        """Those who take over from an endpoint are drawn by weight; those of a key are always the same."""
        one, two, three = members(1, 1, 3)
        selection = self.select([one, two, three], LoadBalancer())
        self.refit(selection)
        first = Counter(next(selection.others([one], None)) for _ in range(400))
        self.assertLess(abs(first[three] - 300), 50)
        self.assertEqual(len({tuple(selection.others([one], 5)) for _ in range(50)}), 1)


class LocalityTests(SelectionCase):
    """Near and far."""

    def endpoints(self) -> list[EndpointState]:
        """Five here, five in another zone, five in another region."""
        places = ["eu/a"] * 5 + ["eu/b"] * 5 + ["us/a"] * 5
        return [member(number, locality=locality) for number, locality in enumerate(places)]

    def test_failover(self) -> None:
        """The nearest take all while enough of them are fit, then the next take what they cannot."""
        for balancer in (
            LoadBalancer(localities=Localities()),
            LoadBalancer(hash=HASH, localities=Localities()),
            LoadBalancer(Balancing.ROUND_ROBIN, localities=Localities()),
        ):
            endpoints = self.endpoints()
            selection = self.select(endpoints, balancer)
            self.assertEqual(self.shares(selection), {"eu/a": 4000})
            endpoints[0].ejected = True
            self.assertEqual(self.shares(selection), {"eu/a": 4000})
            endpoints[1].ejected = endpoints[2].ejected = True
            found = self.shares(selection)
            self.assertLess(abs(found["eu/a"] - 2240), 150)
            self.assertEqual(found["us/a"], 0)
            for endpoint in endpoints[:10]:
                endpoint.ejected = True
            self.assertEqual(self.shares(selection), {"us/a": 4000})

    def test_panic_of_one_level(self) -> None:
        """A level where nobody is fit gets nothing while another has somebody, however few."""
        endpoints = self.endpoints()
        for endpoint in endpoints[:14]:
            endpoint.ejected = True
        selection = self.select(endpoints, LoadBalancer(localities=Localities()), min_health=0.1)
        self.assertEqual(self.shares(selection), {"us/a": 4000})
        endpoints[14].ejected = True
        self.assertEqual(set(self.shares(selection)), {"eu/a", "eu/b", "us/a"})

    def test_distribute(self) -> None:
        """Localities get what the files say, whoever is fit there; nobody else gets anything."""
        settings = Localities(distribute=(("eu/*", (("eu/a", 80), ("eu/b", 20))),))
        for balancer in (LoadBalancer(localities=settings), LoadBalancer(hash=HASH, localities=settings)):
            endpoints = self.endpoints()
            selection = self.select(endpoints, balancer)
            found = self.shares(selection)
            self.assertLess(abs(found["eu/a"] - 3200), 320)
            self.assertEqual(found["us/a"], 0)
            for endpoint in endpoints[:5]:
                endpoint.ejected = True
            self.assertEqual(self.shares(selection), {"eu/b": 4000})

    def test_a_key_stays(self) -> None:
        """A key has one endpoint, whatever groups there are."""
        endpoints = self.endpoints()
        endpoints[0].ejected = endpoints[1].ejected = True
        for localities in (Localities(), Localities(distribute=(("eu/*", (("eu/a", 50), ("eu/b", 50))),))):
            chooser = self.refit(self.select(endpoints, LoadBalancer(hash=HASH, localities=localities)))
            assert chooser is not None
            self.assertEqual(len({chooser.choose(hash64(b"alice")) for _ in range(50)}), 1)


class WarmupTests(SelectionCase):
    """New endpoints."""

    def test_bit_by_bit(self) -> None:
        """A new endpoint gets little at first, and its share when it is warm."""
        for simple in (Balancing.LEAST_REQUEST, Balancing.ROUND_ROBIN):
            endpoints = members(1, 1)
            selection = self.select(endpoints, LoadBalancer(simple, warmup=Warmup(100.0, minimum=0.1)))
            self.clock.advance(1000)
            endpoints[1].since = 1000.0
            counts = []
            for _ in range(3):
                chooser = self.refit(selection)
                assert chooser is not None
                counts.append(taken(chooser, 1100)[endpoints[1]])
                self.clock.advance(50)
            self.assertLess(abs(counts[0] - 100), 5)
            self.assertLess(abs(counts[1] - 367), 5)
            self.assertLess(abs(counts[2] - 550), 5)

    def test_how_long(self) -> None:
        """It tells when all are warm."""
        endpoints = members(1, 1)
        self.assertEqual(self.select(endpoints, LoadBalancer()).warming(), 0)
        selection = self.select(endpoints, LoadBalancer(warmup=Warmup(100.0)))
        endpoints[1].since = 40.0
        self.clock.advance(50)
        self.refit(selection)
        self.assertEqual(selection.warming(), 90)
