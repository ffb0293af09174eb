"""Tests for L{edgegate.upstream.load_balancer}; L{tests.upstream.test_cluster} tests what a cluster makes of it."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Balancing, ConsistentHash, HashSource, LoadBalancer, Warmup
from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.meters import Meters
from edgegate.upstream.balancing.stepping import Steps
from edgegate.upstream.dns.lookups import SystemLookups
from edgegate.upstream.dns.resolutions import Resolver
from edgegate.upstream.environment import ClusterEnvironment
from edgegate.upstream.health.active import ActiveHealthChecks
from edgegate.upstream.load_balancer import ClusterLoadBalancer, keyed
from edgegate.upstream.locality import Place
from tests.upstream.asked import FakeAsk
from tests.upstream.backends import static
from tests.upstream.members import members
from tests.upstream.resolving import ResolvingReactor
from tests.upstream.test_cluster import HASH, RULES

CLUSTER = static("web").cluster


def environment(clock: Clock) -> ClusterEnvironment:
    """Return what clusters share, over a clock."""
    wheel, random = TimerWheel(clock, 0.5), Random(1)
    checks = ActiveHealthChecks(clock, FakeAsk())
    resolver = Resolver(SystemLookups(ResolvingReactor()), wheel, random)
    return ClusterEnvironment(wheel, random, Place(), checks, resolver, Steps(clock), Meters())


class ClusterLoadBalancerTests(SynchronousTestCase):
    """Whose turn it is."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.changes = 0
        self.balancer = ClusterLoadBalancer("web", environment(self.clock), self.changed)

    def changed(self) -> None:
        self.changes += 1

    def test_before(self) -> None:
        """Nobody can be chosen before there are endpoints."""
        self.balancer.refit()
        self.assertEqual((self.balancer.chooser, self.balancer.only), (None, None))
        self.balancer.prepare(self.changed)
        self.assertEqual(self.changes, 0)

    def test_only(self) -> None:
        """The only endpoint needs no choice; it is no more the only one when another comes."""
        one, two = members(1, 1)
        self.balancer.follow(CLUSTER, [one])
        self.assertIs(self.balancer.only, one)
        self.balancer.follow(CLUSTER, [one, two])
        self.assertIsNone(self.balancer.only)
        assert self.balancer.chooser is not None
        self.assertEqual({self.balancer.chooser.choose(None) for _ in range(9)}, {one, two})

    def test_health(self) -> None:
        """Who fails is not chosen, and whoever made it is told."""
        one, two = members(1, 1)
        self.balancer.follow(replace(CLUSTER, outliers=RULES), [one, two])
        for _ in range(5):
            self.balancer.health.failed(one)
        self.assertEqual((self.balancer.only, self.changes), (two, 1))

    def test_warmup(self) -> None:
        """When the last endpoint is warm they are weighed as ever, and whoever made it is told."""
        one, two = members(1, 1)
        one.since = -60.0
        self.balancer.follow(replace(CLUSTER, balancer=LoadBalancer(warmup=Warmup(20.0))), [one, two])
        before = self.balancer.chooser
        self.clock.pump([0.5] * 44)
        self.assertIsNot(self.balancer.chooser, before)
        self.assertEqual((self.changes, self.clock.getDelayedCalls()), (1, []))

    def test_prepared(self) -> None:
        """A large table is made for who waits, and then chosen by."""
        cluster = replace(CLUSTER, balancer=LoadBalancer(hash=ConsistentHash(HashSource.HEADER, "x-user", size=9000)))
        self.balancer.follow(cluster, members(1, 1, 1))
        self.assertEqual((self.balancer.chooser, self.balancer.unprepared), (None, True))
        self.balancer.prepare(self.balancer.refit)
        self.clock.pump([0.0] * 100)
        self.assertIsNotNone(self.balancer.chooser)
        self.assertFalse(self.balancer.unprepared)

    def test_stop(self) -> None:
        """After the stop it chooses as before and follows, but tells nobody and leaves no timer."""
        one, two = members(1, 1)
        cluster = replace(CLUSTER, outliers=RULES, balancer=LoadBalancer(warmup=Warmup(20.0)))
        self.balancer.follow(cluster, [one])
        self.balancer.stop()
        self.balancer.follow(cluster, [two])
        self.assertIs(self.balancer.only, two)
        for _ in range(5):
            self.balancer.health.failed(two)
        self.clock.pump([0.5] * 60)
        self.assertEqual((self.changes, self.clock.getDelayedCalls()), (0, []))

    def test_keyed(self) -> None:
        """A key is of use to those who hash, and to those who go where the client wanted to."""
        passed = LoadBalancer(Balancing.PASSTHROUGH)
        self.assertEqual(
            [keyed(replace(CLUSTER, balancer=each)) for each in (LoadBalancer(), HASH, passed)], [False, True, True]
        )
