"""Tests of how L{edgegate.upstream.cluster} chooses; its addresses are tested with L{edgegate.upstream.registry}."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from random import Random

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import (
    Balancing,
    ConsistentHash,
    Endpoint,
    HashSource,
    LoadBalancer,
    Localities,
    OutlierDetection,
    Probe,
    Warmup,
)
from edgegate.net.wheel import TimerWheel
from edgegate.upstream.balancing.hash_balancer import hash64
from edgegate.upstream.cluster import ClusterState
from edgegate.upstream.locality import Place
from edgegate.upstream.registry import ClusterRegistry
from tests.upstream.asked import FakeAsk
from tests.upstream.backends import Backend, serve, static
from tests.upstream.ordering import candidates
from tests.upstream.resolving import ResolvingReactor
from tests.upstream.test_registry import tcp

HASH = LoadBalancer(hash=ConsistentHash(HashSource.HEADER, "x-user"))

RULES = OutlierDetection(consecutive_5xx=5, interval=1.0, base_ejection=30.0, max_ejected=0.5)


class ClusterCase(SynchronousTestCase):
    """A cluster on a clock."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.ask = FakeAsk()
        self.registry = ClusterRegistry(
            ResolvingReactor(), TimerWheel(self.clock, 0.5), Random(1), Place("eu/a"), self.ask
        )

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def serve(self, backend: Backend) -> ClusterState:
        serve(self.registry, backend)
        state = self.registry.get("web")
        assert state is not None
        return state

    def break_down(self, state: ClusterState, index: int) -> None:
        """Let an endpoint fail until it is ejected."""
        for _ in range(5):
            state.failed(state.endpoints[index])


class ChoiceTests(ClusterCase):
    """Who is chosen."""

    def test_key(self) -> None:
        """With consistent hashing a key has one endpoint, after a reload in another order too."""
        state = self.serve(static("web", tcp(1), tcp(2), tcp(3)).having(balancer=HASH))
        self.assertTrue(state.keyed)
        keys = [hash64(b"%d" % number) for number in range(50)]
        before = [state.next(key) for key in keys]
        self.serve(static("web", tcp(3), tcp(1), tcp(2)).having(balancer=HASH))
        self.assertEqual([state.next(key) for key in keys], before)
        self.assertEqual(set(before), set(state.endpoints))

    def test_balancer_changes(self) -> None:
        """New files may choose another way; the endpoints stay as they are."""
        state = self.serve(static("web", tcp(1), tcp(2)))
        self.assertFalse(state.keyed)
        endpoints = set(state.endpoints)
        self.serve(static("web", tcp(1), tcp(2)).having(balancer=LoadBalancer(Balancing.PASSTHROUGH)))
        self.assertTrue(state.keyed)
        self.assertEqual(set(state.endpoints), endpoints)

    def test_place(self) -> None:
        """Endpoints near the gateway come first, and those far away take over."""
        near, far = Endpoint(tcp(1), locality="eu/a"), Endpoint(tcp(2), locality="us/a")
        balancer = LoadBalancer(localities=Localities())
        state = self.serve(static("web").having(endpoints=(far, near), balancer=balancer, outliers=RULES))
        self.assertEqual({str(state.next()) for _ in range(9)}, {str(state.endpoints[1])})
        self.assertEqual(list(candidates(state)), state.endpoints[::-1])
        self.break_down(state, 1)
        self.assertIs(state.next(), state.endpoints[0])

    def test_warmup_ends(self) -> None:
        """A new endpoint gets its share when the warmup is over."""
        balancer = LoadBalancer(warmup=Warmup(20.0))
        state = self.serve(static("web", tcp(1)).having(balancer=balancer))
        self.advance(100)
        self.serve(static("web", tcp(1), tcp(2)).having(balancer=balancer))
        new = state.endpoints[1]
        self.assertLess(sum(state.next() is new for _ in range(100)), 20)
        self.advance(23)
        self.assertLessEqual(abs(sum(state.next() is new for _ in range(100)) - 50), 1)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class HealthTests(ClusterCase):
    """Who is fit."""

    def test_ejected(self) -> None:
        """An endpoint that fails gets nothing until it is back."""
        state = self.serve(static("web", tcp(1), tcp(2), tcp(3)).having(outliers=RULES))
        one, *others = state.endpoints
        self.break_down(state, 0)
        self.assertEqual({state.next() for _ in range(50)}, set(others))
        self.assertNotIn(one, list(state.others([others[0]])))
        self.advance(33)
        self.assertEqual({state.next() for _ in range(50)}, {one, *others})

    def test_only_one(self) -> None:
        """The only endpoint may be ejected: then there is none, until it is back."""
        state = self.serve(static("web", tcp(1)).having(outliers=RULES))
        self.break_down(state, 0)
        self.assertEqual((state.only, state.next(), state.resolved), (None, None, True))
        self.advance(33)
        self.assertIs(state.next(), state.only)
        self.assertIsNotNone(state.only)

    def test_answers(self) -> None:
        """Answers count as well, and good ones end a row of bad ones."""
        state = self.serve(static("web", tcp(1), tcp(2)).having(outliers=RULES))
        one = state.endpoints[0]
        for status in (500, 500, 500, 500, 200, 500, 500, 500, 500):
            state.answered(one, status)
        self.assertTrue(one.fit)
        state.answered(one, 503)
        self.assertFalse(one.fit)

    def test_reload(self) -> None:
        """A reload changes nothing about who is ejected or unhealthy, nor does it begin a probe anew."""
        probed = Endpoint(tcp(2), probe=Probe(81, tcp=True))
        backend = static("web").having(endpoints=(Endpoint(tcp(1)), probed, Endpoint(tcp(3))), outliers=RULES)
        state = self.serve(backend)
        self.break_down(state, 0)
        self.clock.advance(0)
        self.ask.unwell("10.0.0.2:81")
        self.assertIs(state.next(), state.endpoints[2])
        self.serve(backend.having(endpoints=(*backend.endpoints, Endpoint(tcp(4))), connect_timeout=1.0))
        self.assertEqual([endpoint.fit for endpoint in state.endpoints], [False, False, True, True])
        self.assertEqual({state.next() for _ in range(20)}, set(state.endpoints[2:]))
        self.assertEqual(self.ask.asked, 1)

    def test_goes(self) -> None:
        """A cluster that goes asks nobody any more and leaves no timer, whoever reports to it."""
        endpoints = (Endpoint(tcp(1), probe=Probe(81, tcp=True)), Endpoint(tcp(2)))
        state = self.serve(static("web").having(endpoints=endpoints, outliers=RULES))
        self.registry.update({})
        self.break_down(state, 0)
        self.advance(40)
        self.assertEqual((self.ask.asked, self.clock.getDelayedCalls()), (0, []))

    def test_panic(self) -> None:
        """Where too few are fit, all get requests."""
        rules = replace(RULES, max_ejected=1.0, min_health=0.5)
        state = self.serve(static("web", tcp(1), tcp(2), tcp(3)).having(outliers=rules))
        self.break_down(state, 0)
        self.assertEqual(len({state.next() for _ in range(50)}), 2)
        self.break_down(state, 1)
        self.assertEqual(len({state.next() for _ in range(50)}), 3)

    def test_all_unhealthy(self) -> None:
        """Where no endpoint is healthy there is none to ask."""
        endpoints = tuple(Endpoint(tcp(number), probe=Probe(81, tcp=True)) for number in (1, 2))
        state = self.serve(static("web").having(endpoints=endpoints))
        self.clock.advance(0)
        for number in (1, 2):
            self.ask.unwell(f"10.0.0.{number}:81")
        self.assertIsNone(state.next())
        self.assertEqual(list(candidates(state)), [])


class SimulationTests(ClusterCase):
    """Requests with Istio's default retries: two, elsewhere, after connects that failed."""

    @settings(max_examples=8, deadline=None)
    @given(st.sampled_from([*(LoadBalancer(simple) for simple in Balancing), HASH]), st.integers(0, 2), st.booleans())
    def test_one_is_dead(self, balancer: LoadBalancer, dead: int, resets: bool) -> None:
        """
        Of three endpoints one is dead, or resets what it is sent, which is not tried again. After the first interval
        none of 10,000 requests fails, and the other two share them.
        """
        self.registry.update({})
        state = self.serve(static("web", tcp(1), tcp(2), tcp(3)).having(balancer=balancer, outliers=RULES))
        broken = state.endpoints[dead]
        random = Random(dead)
        served: Counter[str] = Counter()

        def request() -> bool:
            key = hash64(b"%d" % random.getrandbits(16)) if state.keyed else None
            tried: list[object] = []
            endpoint = state.next(key)
            while endpoint is not None and len(tried) < 3:
                if endpoint is not broken:
                    state.answered(endpoint, 200)
                    served[str(endpoint.address)] += 1
                    return True
                state.failed(endpoint)
                if resets:
                    return False
                tried.append(endpoint)
                endpoint = next(state.others(tried, key), None)  # type: ignore[arg-type]
            return False

        for _ in range(100):
            request()
            self.clock.advance(0.01)
        served.clear()
        for _ in range(10_000):
            self.assertTrue(request())
            self.clock.advance(0.002)
        self.assertEqual(len(served), 2)
        for count in served.values():
            self.assertLess(abs(count - 5000), 500)
