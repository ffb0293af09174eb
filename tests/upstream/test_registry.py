from __future__ import annotations

from collections import Counter
from itertools import pairwise
from random import Random

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.origin import Origin
from edgegate.model.routes import WeightedCluster
from edgegate.model.tls import UpstreamTLS
from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.families import CLUSTERS
from edgegate.tls.client_contexts import ClientContext
from edgegate.upstream.dns.resolutions import REFRESH
from edgegate.upstream.pending_resolution import RESOLVE_TIMEOUT
from edgegate.upstream.registry import ClusterRegistry, ClusterState, EndpointState
from tests.upstream.backends import Backend, dns, logical, serve, static
from tests.upstream.ordering import candidates
from tests.upstream.resolving import ResolvingReactor
from tests.upstream.test_pool import FakeConnection


def tcp(number: int, port: int = 80) -> TCPAddress:
    """Return one of many addresses."""
    return TCPAddress(f"10.0.0.{number}", port)


class RegistryCase(SynchronousTestCase):
    """A registry on a clock, with a resolver that is answered by hand."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.reactor = ResolvingReactor()
        self.names = self.reactor.nameResolver
        self.registry = ClusterRegistry(self.reactor, TimerWheel(self.clock, 0.5), Random(1))
        self.called: list[str] = []

    def advance(self, seconds: float) -> None:
        self.clock.pump([0.5] * int(seconds * 2))

    def update(self, *backends: Backend) -> None:
        serve(self.registry, *backends)

    def state(self, name: str = "web") -> ClusterState:
        state = self.registry.get(name)
        assert state is not None
        return state

    def addresses(self, name: str = "web") -> list[str]:
        return [str(endpoint.address) for endpoint in self.state(name).endpoints]


class TurnTests(RegistryCase):
    def test_single(self) -> None:
        """A cluster of one endpoint always gives that one, and nothing to fail over to."""
        self.update(static("web", tcp(1)))
        state = self.state()
        self.assertIs(state.only, state.endpoints[0])
        self.assertIs(state.next(), state.only)
        self.assertEqual(list(candidates(state)), state.endpoints)
        self.assertEqual(list(candidates(state, exclude=state.endpoints)), [])
        self.assertEqual(list(state.others(state.endpoints)), [])

    def test_in_turn(self) -> None:
        """Several endpoints are taken in turn, and all others follow the first in the order to try."""
        self.update(static("web", tcp(1), tcp(2), tcp(3)))
        state = self.state()
        one, two, three = state.endpoints
        self.assertIsNone(state.only)
        self.assertEqual([state.next() for _ in range(4)], [one, two, three, one])
        first, *others = candidates(state)
        self.assertEqual((first, set(others)), (two, {one, three}))
        first, *others = candidates(state, exclude=[three])
        self.assertEqual({first, *others}, {one, two})
        self.assertEqual(set(candidates(state, exclude=[one])), {two, three})

    def test_failover(self) -> None:
        """After a failure those not tried yet follow, each of them as likely, and nobody's turn is used up."""
        self.update(static("web", tcp(1), tcp(2), tcp(3)))
        state = self.state()
        one, two, three = state.endpoints
        self.assertIs(state.next(), one)
        self.assertEqual({tuple(state.others([one])) for _ in range(50)}, {(two, three), (three, two)})
        self.assertEqual(list(state.others([three, one])), [two])
        self.assertIs(state.next(), two)

    def test_empty(self) -> None:
        """A cluster without endpoints has nobody to try."""
        self.update(static("web"))
        state = self.state()
        self.assertIsNone(state.next())
        self.assertEqual(list(candidates(state)), [])
        self.assertEqual(list(state.others([])), [])

    @given(st.lists(st.integers(0, 9), min_size=1, max_size=8))
    def test_weighted(self, weights: list[int]) -> None:
        """Over a cycle each endpoint is first as often as it weighs, and each choice tries everybody once."""
        self.update(static("web", *[tcp(n) for n in range(len(weights))], weights=tuple(weights)))
        state = self.state()
        total = sum(weight or 1 for weight in weights)
        first: Counter[EndpointState] = Counter()
        for _ in range(total):
            order = list(candidates(state))
            self.assertEqual(len(order), len(weights))
            self.assertEqual(set(order), set(state.endpoints))
            first[order[0]] += 1
        self.assertEqual([first[endpoint] for endpoint in state.endpoints], [weight or 1 for weight in weights])
        self.update()

    def test_named_twice(self) -> None:
        """An address that is named twice is one endpoint with both weights."""
        self.update(static("web", tcp(1), tcp(2), tcp(1), weights=(2, 1, 3)))
        self.assertEqual([(e.address, e.weight) for e in self.state().endpoints], [(tcp(1), 5), (tcp(2), 1)])


class PickTests(RegistryCase):
    def test_single(self) -> None:
        """The only destination gets everything, whatever its weight."""
        only = WeightedCluster("web", 0)
        self.assertIs(self.registry.pick((only,)), only)

    def test_nothing_weighs(self) -> None:
        """Several destinations that all weigh nothing get nothing."""
        self.update(static("web", tcp(1)))
        self.assertIsNone(self.registry.pick((WeightedCluster("web", 0), WeightedCluster("web", 0))))
        self.assertIsNone(self.registry.pick(()))

    def test_shares(self) -> None:
        """Destinations are drawn by weight, and a weight of 0 is never drawn."""
        self.update(static("a", tcp(1)), static("b", tcp(2)), static("c", tcp(3)), static("d", tcp(4)))
        destinations = tuple(WeightedCluster(name, weight) for name, weight in zip("abcd", (0, 90, 10, 0), strict=True))
        drawn = Counter(each.cluster for _ in range(5000) if (each := self.registry.pick(destinations)) is not None)
        self.assertEqual(set(drawn), {"b", "c"})
        self.assertTrue(4350 <= drawn["b"] <= 4650, drawn)

    @given(st.lists(st.integers(0, 2**31), min_size=2, max_size=5), st.floats(0, 1, exclude_max=True))
    def test_any_draw(self, weights: list[int], point: float) -> None:
        """Whatever is drawn, the destination taken is the one in whose share of the total it falls."""

        class Drawn(Random):
            def random(self) -> float:
                return point

        registry = ClusterRegistry(self.reactor, TimerWheel(self.clock, 0.5), Drawn())
        serve(registry, *[static(str(n), tcp(n)) for n in range(len(weights))])
        picked = registry.pick(tuple(WeightedCluster(str(n), weight) for n, weight in enumerate(weights)))
        if not any(weights):
            self.assertIsNone(picked)
            return
        assert picked is not None
        index = int(picked.cluster)
        self.assertGreater(weights[index], 0)
        drawn = int(point * sum(weights))
        self.assertTrue(sum(weights[:index]) <= drawn < sum(weights[: index + 1]) or drawn == sum(weights))


class UpdateTests(RegistryCase):
    def test_unchanged(self) -> None:
        """A cluster that new files leave alone keeps its state, its turns and its idle connections."""
        self.update(static("web", tcp(1), tcp(2)))
        state = self.state()
        first = state.next()
        connection = FakeConnection()
        state.endpoints[0].pool.give(connection)
        self.update(static("web", tcp(1), tcp(2)), static("api", tcp(3)))
        self.assertIs(self.state(), state)
        self.assertIsNot(state.next(), first)
        self.assertIs(state.endpoints[0].pool.take(), connection)
        self.assertEqual(len(self.registry), 2)
        self.assertEqual([state.name for state in self.registry], ["web", "api"])

    def test_moved_in_the_file(self) -> None:
        """A cluster whose place or timeout changed has the new ones, and its endpoints and turns as before."""
        self.update(static("web", tcp(1), tcp(2)))
        state = self.state()
        endpoints = state.endpoints
        first = state.next()
        moved = static("web", tcp(1), tcp(2)).having(origin=Origin("new.yaml", 9, "x"), connect_timeout=1.0)
        self.update(moved)
        self.assertIs(self.state(), state)
        self.assertIs(state.endpoints, endpoints)
        self.assertIs(state.cluster, moved.cluster)
        self.assertIsNot(state.next(), first)

    def test_endpoint_goes(self) -> None:
        """Of an address that goes, idle connections are closed and used ones may finish; those that stay keep all."""
        self.update(static("web", tcp(1), tcp(2)))
        one, two = self.state().endpoints
        two.requests = 7
        idle, used, staying = FakeConnection(), FakeConnection(), FakeConnection()
        one.pool.give(idle)
        two.pool.give(staying)
        self.update(static("web", tcp(2), tcp(3), weights=(4, 1)))
        state = self.state()
        self.assertEqual(self.addresses(), ["10.0.0.2:80", "10.0.0.3:80"])
        self.assertIs(state.endpoints[0], two)
        self.assertEqual((two.requests, two.weight), (7, 4))
        self.assertEqual((idle.closed, staying.closed), (1, 0))
        one.pool.give(used)
        self.assertEqual(used.closed, 1)

    def test_met_in_another_way(self) -> None:
        """New terms of TLS close what is idle, and what is in use is asked for by nobody; equal ones change nothing."""
        terms = UpstreamTLS(verified=False)
        context = ClientContext(terms)
        backend = static("web", tcp(1)).having(tls=terms)
        serve(self.registry, backend, contexts={terms: context})
        state = self.state("web")
        transport_socket = state.transport_socket
        assert transport_socket is not None
        (endpoint,) = state.endpoints
        idle, used = FakeConnection(endpoint.pool, transport_socket), FakeConnection(endpoint.pool, transport_socket)
        endpoint.pool.give(idle)
        serve(self.registry, backend.having(), contexts={terms: context})
        self.assertEqual((idle.closed, state.transport_socket), (0, transport_socket))
        serve(self.registry, backend, contexts={terms: ClientContext(terms)})
        endpoint.pool.give(used)
        self.assertEqual((idle.closed, endpoint.pool.take(state.transport_socket)), (1, None))
        serve(self.registry, backend.having(tls=None))
        self.assertEqual((state.transport_socket, endpoint.pool.take()), (None, None))

    def test_assigned(self) -> None:
        """Endpoints that come and go by themselves leave those that stay, and all other clusters, alone."""
        self.update(static("web", tcp(1), tcp(2)), static("api", tcp(3)))
        web, api = self.state(), self.state("api")
        stays, others = web.endpoints[1], api.endpoints
        cluster = web.cluster
        self.registry.assign({"web": static("web", tcp(2), tcp(4)).endpoints, "unknown": ()})
        self.assertEqual(self.addresses(), ["10.0.0.2:80", "10.0.0.4:80"])
        self.assertIs(web.endpoints[0], stays)
        self.assertIs(web.cluster, cluster)
        self.assertIs(api.endpoints, others)
        self.assertEqual(len(self.registry), 2)
        self.registry.assign({"web": ()})
        self.assertEqual((self.addresses(), web.next()), ([], None))

    def test_cluster_goes(self) -> None:
        """A cluster that goes is not found any more, but serves on for whoever holds it."""
        self.update(static("web", tcp(1)))
        state = self.state()
        idle = FakeConnection()
        state.endpoints[0].pool.give(idle)
        self.update()
        self.assertIsNone(self.registry.get("web"))
        self.assertEqual(idle.closed, 1)
        endpoint = state.next()
        assert endpoint is not None
        endpoint.pool.give(idle)
        self.assertEqual(idle.closed, 2)

    def test_failed_update(self) -> None:
        """Files that can't be taken over leave the clusters as they were, and what was counted for them."""
        meters = self.registry.environment.meters
        self.update(static("web", tcp(1)))
        state = self.state()
        state.meter.count_cluster(0)
        unmet = static("unmet", tcp(2)).having(tls=UpstreamTLS(verified=False))
        for _ in range(2):
            with self.assertRaises(KeyError):
                self.update(static("api", tcp(3)), unmet)
        self.assertEqual([each.name for each in self.registry], ["web"])
        self.assertIs(self.state(), state)
        self.assertEqual([(each.labels, each.numbers[0]) for each in meters.of(CLUSTERS)], [(("web",), 1)])

    def test_stop(self) -> None:
        """After the stop no idle connection, no query and no timer is left."""
        self.update(static("web", tcp(1)), dns("api", TCPAddress("api.example", 80)))
        idle = FakeConnection()
        self.state().endpoints[0].pool.give(idle)
        self.state("api").when_resolved(lambda: self.called.append("api"))
        self.registry.stop()
        self.assertEqual(idle.closed, 1)
        self.assertEqual(self.called, ["api"])
        self.advance(REFRESH * 4)
        self.assertEqual(self.names.asked, ["api.example"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_repr(self) -> None:
        """Its state can be read in a log or a test's failure."""
        self.update(static("web", tcp(1), UNIXAddress("/run/web")), static("none"))
        self.assertEqual(repr(self.state()), "<ClusterState web: 10.0.0.1:80, unix:///run/web>")
        self.assertEqual(repr(self.state("none")), "<ClusterState none: no endpoint>")
        self.assertEqual(repr(self.state().endpoints[0]), "<EndpointState 10.0.0.1:80 active=0 <Pool of 0 idle>>")


class DNSTests(RegistryCase):
    def test_static_asks_nothing(self) -> None:
        """Fixed addresses are known at once and never looked up."""
        self.update(static("web", tcp(1)))
        self.state().when_resolved(lambda: self.called.append("now"))
        self.assertEqual((self.called, self.names.asked), (["now"], []))

    def test_all_addresses(self) -> None:
        """Every address of every name is an endpoint, with its name's port and weight; a literal stands for itself."""
        self.update(
            dns(
                "web",
                TCPAddress("a.example", 80),
                TCPAddress("b.example", 81),
                TCPAddress("10.9.9.9", 82),
                TCPAddress("a.example", 83),
                weights=(5, 0, 2, 1),
            )
        )
        self.assertEqual(sorted(self.names.asked), ["a.example", "b.example"])
        self.assertEqual(self.addresses(), ["10.9.9.9:82"])
        self.names.answer("a.example", "10.0.0.1", "2001:db8::1")
        self.names.answer("b.example", "10.0.0.1")
        self.assertEqual(
            [(str(endpoint.address), endpoint.weight) for endpoint in self.state().endpoints],
            [
                ("10.0.0.1:80", 5),
                ("[2001:db8::1]:80", 5),
                ("10.0.0.1:81", 1),
                ("10.9.9.9:82", 2),
                ("10.0.0.1:83", 1),
                ("[2001:db8::1]:83", 1),
            ],
        )

    def test_wait_for_the_first_answer(self) -> None:
        """Requests that come before the first answer wait for it, later ones do not wait."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        state = self.state()
        state.when_resolved(lambda: self.called.append("one"))
        state.when_resolved(lambda: self.called.append("two"))
        self.assertEqual(self.called, [])
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(self.called, ["one", "two"])
        self.assertIs(state.next(), state.only)
        state.when_resolved(lambda: self.called.append("three"))
        self.assertEqual(self.called, ["one", "two", "three"])

    def test_one_name_is_enough(self) -> None:
        """The first address of any name ends the waiting; a failure does when no name is left that may answer."""
        self.update(dns("web", TCPAddress("a.example", 80), TCPAddress("b.example", 80)))
        self.state().when_resolved(lambda: self.called.append("web"))
        self.names.answer("a.example")
        self.assertEqual(self.called, [])
        self.names.answer("b.example", "10.0.0.1")
        self.assertEqual(self.called, ["web"])

    def test_no_name_resolves(self) -> None:
        """Where no name resolves those who wait find no endpoint, and later ones are not kept waiting."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        state = self.state()
        state.when_resolved(lambda: self.called.append("one"))
        self.names.answer("a.example")
        state.when_resolved(lambda: self.called.append("two"))
        self.assertEqual(self.called, ["one", "two"])
        self.assertIsNone(state.next())

    def test_wait_is_bounded(self) -> None:
        """Nobody waits for DNS longer than the limit, and an answer that comes later serves those after."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        state = self.state()
        state.when_resolved(lambda: self.called.append("one"))
        self.advance(RESOLVE_TIMEOUT - 0.5)
        self.assertEqual(self.called, [])
        self.advance(1.5)
        self.assertEqual(self.called, ["one"])
        self.assertIsNone(state.next())
        state.when_resolved(lambda: self.called.append("two"))
        self.assertEqual(self.called, ["one"])
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(self.called, ["one", "two"])

    def test_failing_waiter(self) -> None:
        """A connection that fails when it is called back is logged and takes no other with it."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        state = self.state()

        def fail() -> None:
            raise RuntimeError("broken connection")

        state.when_resolved(fail)
        state.when_resolved(lambda: self.called.append("two"))
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(self.called, ["two"])
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    def test_addresses_change(self) -> None:
        """New addresses come in, those that stay keep their connections, those that go have theirs closed."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        one, two = self.state().endpoints
        going, staying = FakeConnection(), FakeConnection()
        self.advance(REFRESH * 1.1 + 1)
        one.pool.give(going)
        two.pool.give(staying)
        self.names.answer("a.example", "10.0.0.3", "10.0.0.2")
        self.assertEqual(set(self.addresses()), {"10.0.0.3:80", "10.0.0.2:80"})
        self.assertIn(two, self.state().endpoints)
        self.assertEqual((going.closed, staying.closed), (1, 0))

    def test_answer_during_a_request(self) -> None:
        """Who is in the middle of trying the endpoints goes on with those that it began with."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        order = candidates(self.state())
        first = next(order)
        self.advance(REFRESH * 1.1 + 1)
        self.names.answer("a.example", "10.0.0.2", "10.0.0.3")
        rest = list(order)
        self.assertNotIn(first, rest)
        self.assertEqual(len(rest), len(set(rest)))

    def test_shared_name(self) -> None:
        """Two ports of one host cost one query."""
        self.update(dns("web", TCPAddress("a.example", 80)), dns("api", TCPAddress("a.example", 81)))
        self.assertEqual(self.names.asked, ["a.example"])
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual((self.addresses("web"), self.addresses("api")), (["10.0.0.1:80"], ["10.0.0.1:81"]))

    def test_names_change(self) -> None:
        """New files ask for new names only and forget the old ones; requests then wait where nothing is known."""
        self.update(dns("web", TCPAddress("a.example", 80), TCPAddress("b.example", 80)))
        self.names.answer("a.example", "10.0.0.1")
        self.names.answer("b.example", "10.0.0.2")
        self.update(dns("web", TCPAddress("b.example", 80), TCPAddress("c.example", 80)))
        self.assertEqual(self.names.asked, ["a.example", "b.example", "c.example"])
        self.assertEqual(self.addresses(), ["10.0.0.2:80"])
        self.update(dns("web", TCPAddress("c.example", 80)))
        self.state().when_resolved(lambda: self.called.append("web"))
        self.assertEqual(self.called, [])
        self.update(static("web", tcp(5)))
        self.assertEqual(self.called, ["web"])
        self.advance(REFRESH * 2)
        self.assertEqual(self.names.asked, ["a.example", "b.example", "c.example"])

    def test_cluster_goes_while_waiting(self) -> None:
        """A request that waits for its first address gets it also when a reload removes the cluster meanwhile."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        state = self.state()
        state.when_resolved(lambda: self.called.append("web"))
        self.update()
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(self.called, ["web"])
        endpoint = state.next()
        assert endpoint is not None
        connection = FakeConnection()
        endpoint.pool.give(connection)
        self.assertEqual(connection.closed, 1)
        self.advance(REFRESH * 3)
        self.assertEqual(self.names.asked, ["a.example"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_cluster_that_went_before_it_was_asked(self) -> None:
        """A request that was held back by a reload's time has the first addresses of its cluster looked up for it."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        held = self.registry.in_force["web"]
        self.update()
        self.assertIsNone(self.registry.get("web"))
        for _ in range(2):
            held.when_resolved(lambda: self.called.append("web"))
        self.assertEqual(self.called, [])
        self.assertEqual(self.names.asked, ["a.example", "a.example"])
        self.names.answer("a.example", "10.0.0.2")
        self.assertEqual(self.called, [])  # that was the query that nobody waits for
        self.names.answer("a.example", "10.0.0.1")
        self.assertEqual(self.called, ["web"] * 2)
        endpoint = held.next()
        assert endpoint is not None
        self.assertEqual(endpoint.address, TCPAddress("10.0.0.1", 80))
        connection = FakeConnection()
        endpoint.pool.give(connection)
        self.assertEqual(connection.closed, 1)
        self.advance(REFRESH * 3)
        self.assertEqual((len(self.names.asked), self.clock.getDelayedCalls()), (2, []))

    def test_name_that_is_known_to_others(self) -> None:
        """The same where another cluster has the same name, and its addresses are known."""
        self.update(dns("web", TCPAddress("a.example", 80)), dns("other", TCPAddress("a.example", 81)))
        held = self.registry.in_force["web"]
        self.update(dns("other", TCPAddress("a.example", 81)))
        self.names.answer("a.example", "10.0.0.1")
        held.when_resolved(lambda: self.called.append("web"))
        self.assertEqual(self.called, ["web"])
        self.assertEqual([endpoint.address for endpoint in held.endpoints], [TCPAddress("10.0.0.1", 80)])
        self.update()
        self.advance(REFRESH * 3)
        self.assertEqual((self.names.asked, self.clock.getDelayedCalls()), (["a.example"], []))

    def test_wait_for_a_cluster_that_went_is_bounded(self) -> None:
        """Where no answer comes the wait ends as ever; where all is at its end nothing is looked up."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        held = self.registry.in_force["web"]
        self.update()
        held.when_resolved(lambda: self.called.append("late"))
        self.advance(RESOLVE_TIMEOUT + 2)
        self.assertEqual((self.called, held.next()), (["late"], None))
        self.registry.stop()
        held.when_resolved(lambda: self.called.append("stopped"))
        self.assertEqual(self.called, ["late", "stopped"])
        self.assertEqual(len(self.names.asked), 2)

    def test_resolution_order_is_stable(self) -> None:
        """The order of turns does not depend on what a name server answers first."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2", "10.0.0.3")
        before = self.addresses()
        for one, two in pairwise(["10.0.0.3", "10.0.0.1", "10.0.0.2"]):
            self.advance(REFRESH * 1.1 + 1)
            self.names.answer("a.example", one, two, *({"10.0.0.1", "10.0.0.2", "10.0.0.3"} - {one, two}))
        self.assertEqual(self.addresses(), before)

    def test_rotation_disturbs_nobody(self) -> None:
        """An answer in another order leaves the endpoints and whose turn it is alone."""
        self.update(dns("web", TCPAddress("a.example", 80)))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        state = self.state()
        before, first = state.endpoints, state.next()
        self.advance(REFRESH * 1.1 + 1)
        self.names.answer("a.example", "10.0.0.2", "10.0.0.1")
        self.assertIs(state.endpoints, before)
        self.assertIsNot(state.next(), first)


class LogicalTests(RegistryCase):
    """C{DNS_ROUND_ROBIN}: one address of a name at a time."""

    def answer(self, *hosts: str) -> None:
        """Let the name be asked again, and answered."""
        self.advance(REFRESH * 1.1 + 1)
        self.names.answer("a.example", *hosts)

    def test_first_address(self) -> None:
        """The first address of the latest answer is the only endpoint."""
        self.update(logical("web", "a.example"))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        self.assertEqual(self.addresses(), ["10.0.0.1:80"])
        self.answer("10.0.0.2", "10.0.0.1")
        self.assertEqual(self.addresses(), ["10.0.0.2:80"])
        self.assertIs(self.state().next(), self.state().endpoints[0])

    def test_connections_stay(self) -> None:
        """Connections to the address before go on being used, those that are idle and those under way."""
        self.update(logical("web", "a.example"))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        (former,) = self.state().endpoints
        idle, used = FakeConnection(), FakeConnection()
        self.advance(REFRESH * 1.1 + 1)
        former.pool.give(idle)
        self.names.answer("a.example", "10.0.0.2")
        former.pool.give(used)
        (endpoint,) = self.state().endpoints
        self.assertEqual((endpoint.pool.take(), endpoint.pool.take()), (used, idle))
        self.assertEqual((idle.closed, used.closed), (0, 0))

    def test_same_first_address(self) -> None:
        """While answers begin with the same address nothing changes, whatever follows it."""
        self.update(logical("web", "a.example"))
        self.names.answer("a.example", "10.0.0.1", "10.0.0.2")
        before = self.state().endpoints
        self.answer("10.0.0.1", "10.0.0.3")
        self.assertIs(self.state().endpoints, before)

    def test_failure(self) -> None:
        """When DNS fails the address stays."""
        self.update(logical("web", "a.example"))
        self.names.answer("a.example", "10.0.0.1")
        self.answer()
        self.assertEqual(self.addresses(), ["10.0.0.1:80"])

    def test_another_name(self) -> None:
        """Connections to another name are none of the new name's, and are closed with the cluster."""
        self.update(logical("web", "a.example"))
        self.names.answer("a.example", "10.0.0.1")
        idle = FakeConnection()
        self.state().endpoints[0].pool.give(idle)
        self.update(logical("web", "b.example"))
        self.names.answer("b.example", "10.0.0.2")
        self.assertEqual((self.addresses(), idle.closed), (["10.0.0.2:80"], 1))
        last = FakeConnection()
        self.state().endpoints[0].pool.give(last)
        self.update()
        self.assertEqual(last.closed, 1)
