from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED, CONNECT_TIMEOUT, INTERNAL, NO_CLUSTER, NO_HEALTHY_UPSTREAM, OVERFLOW, Fault
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import (
    Balancing,
    Cluster,
    ConsistentHash,
    Discovery,
    Endpoint,
    HashSource,
    LoadBalancer,
    OutlierDetection,
    PoolLimits,
)
from edgegate.model.origin import Origin
from edgegate.model.routes import WeightedCluster
from edgegate.model.tls import UpstreamTLS
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.connecting import Connecting
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RelayEnd
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tcp.dial import Dial, Reached, connection_key
from edgegate.tls.client_contexts import ClientContext
from edgegate.upstream.balancing.original_dst import destination_key
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.registry import ClusterRegistry, EndpointState
from tests.http.conversation import FakeStream, plain
from tests.upstream.resolving import ResolvingReactor

ORIGIN = Origin("echo.yaml", 1, "ServiceEntry default/echo")
ECHO = (WeightedCluster("echo", 1),)


@dataclass
class FakeConnecting:
    """A connect under way, whose outcome the test decides."""

    address: Address
    timeout: float
    connected: Callable[[Stream], None]
    failed: Callable[[Fault], None]
    options: ConnectionOptions | None = None
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True


class DialTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.reactor = ResolvingReactor()
        self.clusters = ClusterRegistry(self.reactor, TimerWheel(self.clock, 0.5), Random(1))
        self.tries: list[FakeConnecting] = []
        self.reached: list[Reached] = []
        self.faults: list[Fault] = []
        self.dial = Dial(self.connect, self.reached.append, self.faults.append, plain())

    def connect(self, *asked: Any, **options: Any) -> Connecting:
        self.tries.append(FakeConnecting(*asked, **options))
        return cast(Connecting, self.tries[-1])

    def serve(self, *hosts: str, discovery: Discovery = Discovery.STATIC) -> None:
        endpoints = tuple(Endpoint(TCPAddress(host, 2701)) for host in hosts)
        self.clusters.update({"echo": Cluster("echo", discovery, ORIGIN, connect_timeout=3.0)}, {"echo": endpoints})

    def hosts(self) -> list[str]:
        return [str(each.address) for each in self.tries]

    def endpoints(self) -> list[EndpointState]:
        state = self.clusters.get("echo")
        assert state is not None
        return state.endpoints

    def test_connected(self) -> None:
        """The first endpoint that answers is handed over with its stream, and is counted."""
        self.serve("10.0.0.1")
        self.dial.start(self.clusters, ECHO)
        self.assertEqual((self.hosts(), self.tries[0].timeout), (["10.0.0.1:2701"], 3.0))
        stream = cast(Stream, object())
        self.tries[0].connected(stream)
        (endpoint,) = self.endpoints()
        self.assertEqual((self.reached, self.faults), ([Reached(stream, endpoint)], []))
        self.assertEqual((endpoint.connections, endpoint.connect_failures), (1, 0))
        self.dial.cancel()
        self.assertFalse(self.tries[0].cancelled)

    def test_error_in_who_is_connected(self) -> None:
        """A relay that can't begin is told so, and neither the connection nor what was counted for it is left."""
        self.serve("10.0.0.1")
        stream = FakeStream()

        def connected(reached: Reached) -> None:
            reached.begin(RelayEnd(plain()))
            self.assertEqual(reached.endpoint.active, 1)
            raise ZeroDivisionError

        dial = Dial(self.connect, connected, self.faults.append, plain())
        dial.start(self.clusters, ECHO)
        self.tries[0].connected(cast(Stream, stream))
        self.assertEqual((self.faults, stream.ended), ([INTERNAL], "aborted"))
        self.assertEqual(self.endpoints()[0].active, 0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_error_on_the_way(self) -> None:
        """An error in trying the next endpoint ends it, once."""
        self.serve("10.0.0.1", "10.0.0.2")

        def connect(*args: Any, **options: Any) -> Connecting:
            if self.tries:
                raise ZeroDivisionError
            return self.connect(*args, **options)

        dial = Dial(connect, self.reached.append, self.faults.append, plain())
        dial.start(self.clusters, ECHO)
        self.tries[0].failed(CONNECT_REFUSED)
        dial.broke()
        self.assertEqual((self.reached, self.faults), ([], [INTERNAL]))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_failover(self) -> None:
        """An endpoint that does not answer is counted, and the next one is tried."""
        self.serve("10.0.0.1", "10.0.0.2")
        self.dial.start(self.clusters, ECHO)
        self.tries[0].failed(CONNECT_REFUSED)
        self.tries[1].connected(cast(Stream, object()))
        one, two = self.endpoints()
        self.assertEqual(self.hosts(), ["10.0.0.1:2701", "10.0.0.2:2701"])
        self.assertIs(self.reached[0].endpoint, two)
        self.assertEqual((one.connect_failures, one.connections), (1, 0))
        self.assertEqual((two.connect_failures, two.connections), (0, 1))

    def test_all_fail(self) -> None:
        """When nobody answers, the last failure is the reason; no endpoint is tried twice."""
        self.serve("10.0.0.1", "10.0.0.2")
        self.dial.start(self.clusters, ECHO)
        self.tries[0].failed(CONNECT_REFUSED)
        self.tries[1].failed(CONNECT_TIMEOUT)
        self.assertEqual((len(self.tries), self.faults, self.reached), (2, [CONNECT_TIMEOUT], []))

    def test_three_tries(self) -> None:
        """Of many endpoints three are tried."""
        self.serve(*[f"10.0.0.{n}" for n in range(9)])
        self.dial.start(self.clusters, ECHO)
        for index in range(3):
            self.tries[index].failed(CONNECT_REFUSED)
        self.assertEqual((len(set(self.hosts())), len(self.tries), self.faults), (3, 3, [CONNECT_REFUSED]))

    def test_no_cluster(self) -> None:
        """A route to a cluster that is not in force fails at once."""
        self.dial.start(self.clusters, ECHO)
        self.assertEqual(self.faults, [NO_CLUSTER])

    def test_no_endpoint(self) -> None:
        """A cluster without endpoints fails at once."""
        self.serve()
        self.dial.start(self.clusters, ECHO)
        self.assertEqual(self.faults, [NO_HEALTHY_UPSTREAM])

    def test_name_of_the_client(self) -> None:
        """A cluster of all names of a wildcard is dialled by SNI; without a name there is nobody to be dialled."""
        self.serve("*.wiki.test", discovery=Discovery.DYNAMIC)
        self.dial.start(self.clusters, ECHO)
        self.assertEqual(self.faults, [NO_HEALTHY_UPSTREAM])
        named = replace(plain(), server_name="en.wiki.test")
        Dial(self.connect, self.reached.append, self.faults.append, named).start(self.clusters, ECHO)
        self.reactor.nameResolver.answer("en.wiki.test", "10.0.0.1")
        self.assertEqual(self.hosts(), ["10.0.0.1:2701"])

    def test_waits_for_dns(self) -> None:
        """A name that is not resolved yet is waited for."""
        self.serve("echo.example", discovery=Discovery.DNS)
        self.dial.start(self.clusters, ECHO)
        self.assertEqual(self.tries, [])
        self.reactor.nameResolver.answer("echo.example", "10.0.0.7")
        self.assertEqual(self.hosts(), ["10.0.0.7:2701"])

    def test_dns_does_not_answer(self) -> None:
        """Where no address comes in time there is no healthy upstream."""
        self.serve("echo.example", discovery=Discovery.DNS)
        self.dial.start(self.clusters, ECHO)
        self.clock.pump([0.5] * 12)
        self.assertEqual(self.faults, [NO_HEALTHY_UPSTREAM])

    def test_cancel(self) -> None:
        """After a cancel nothing is connected and nobody is called."""
        self.serve("10.0.0.1", "10.0.0.2")
        self.dial.start(self.clusters, ECHO)
        self.dial.cancel()
        self.dial.cancel()
        self.assertTrue(self.tries[0].cancelled)
        self.assertEqual((len(self.tries), self.reached, self.faults), (1, [], []))

    def test_cancel_while_resolving(self) -> None:
        """A cancel before the first address came holds as well."""
        self.serve("echo.example", discovery=Discovery.DNS)
        self.dial.start(self.clusters, ECHO)
        self.dial.cancel()
        self.reactor.nameResolver.answer("echo.example", "10.0.0.7")
        self.assertEqual((self.tries, self.faults), ([], []))

    def test_outliers(self) -> None:
        """An endpoint that cannot be connected to is ejected; a connect that succeeds ends its row of failures."""
        endpoints = tuple(Endpoint(TCPAddress(host, 2701)) for host in ("10.0.0.1", "10.0.0.2"))
        rules = OutlierDetection(consecutive_5xx=2)
        self.clusters.update({"echo": Cluster("echo", Discovery.STATIC, ORIGIN, outliers=rules)}, {"echo": endpoints})
        one, two = self.endpoints()
        for endpoint in (one, two, one):
            self.dial.start(self.clusters, ECHO)
            self.assertEqual(self.tries[-1].address, endpoint.address)
            if endpoint is one:
                self.tries[-1].failed(CONNECT_REFUSED)
            self.tries[-1].connected(cast(Stream, object()))
            self.dial = Dial(self.connect, lambda *result: self.reached.append(result), self.faults.append, plain())
        self.assertEqual((one.fit, one.record.errors, two.record.errors), (False, 2, 0))

    def test_key(self) -> None:
        """Where endpoints are chosen by the client's address, a client's connections go to one."""
        endpoints = tuple(Endpoint(TCPAddress(f"10.0.0.{number}", 2701)) for number in range(1, 5))
        balancer = LoadBalancer(hash=ConsistentHash(HashSource.SOURCE_IP))
        cluster = Cluster("echo", Discovery.STATIC, ORIGIN, balancer=balancer)
        self.clusters.update({"echo": cluster}, {"echo": endpoints})
        chain = FilterChain("tcp", ORIGIN, ())
        listener = Listener("80", TCPAddress("::", 80), 80, ORIGIN, plain=chain)
        found = set()
        for number in range(1, 30):
            client = ConnectionInfo(
                listener, chain, TCPAddress(f"192.0.2.{number}", 999), TCPAddress("192.0.2.100", 80)
            )
            hosts = set()
            for _ in range(3):
                dial = Dial(self.connect, lambda *result: self.reached.append(result), self.faults.append, client)
                dial.start(self.clusters, ECHO)
                hosts.add(str(self.tries[-1].address))
            self.assertEqual(len(hosts), 1)
            found |= hosts
        self.assertEqual(len(found), 4)

    def test_ssl_request(self) -> None:
        """A backend is asked for TLS as its client asked us, where it is to speak it with one of us."""
        terms = UpstreamTLS(verified=False)
        for ended, encrypted, expected in (
            (False, False, True),
            (True, True, True),
            (True, False, False),
            (False, True, False),
        ):
            tls = terms if encrypted else None
            endpoints = (Endpoint(TCPAddress("10.0.0.1", 5432)),)
            cluster = Cluster("echo", Discovery.STATIC, ORIGIN, tls=tls)
            self.clusters.update({"echo": cluster}, {"echo": endpoints}, {terms: ClientContext(terms)})
            for asked in (True, False):
                client = replace(plain(), tls=ended, ssl_request=asked)
                Dial(self.connect, self.reached.append, self.faults.append, client).start(self.clusters, ECHO)
                options = self.tries[-1].options
                self.assertEqual(options is not None and options.ssl_request, asked and expected)
                self.assertEqual(options is not None and options.tls is not None, encrypted)


class ConnectionKeyTests(SynchronousTestCase):
    def test_what_is_known(self) -> None:
        """Of a connection only its addresses are known: what needs a request has no key."""
        chain = FilterChain("tcp", ORIGIN, ())
        listener = Listener("80", TCPAddress("::", 80), 80, ORIGIN, plain=chain)
        client = ConnectionInfo(listener, chain, TCPAddress("192.0.2.1", 999), TCPAddress("10.0.0.1", 80))
        self.assertIsNone(connection_key(LoadBalancer(hash=ConsistentHash(HashSource.HEADER, "x")), client))
        key = connection_key(LoadBalancer(Balancing.PASSTHROUGH), client)
        self.assertEqual(key, destination_key(TCPAddress("10.0.0.1", 80)))


class LimitTests(DialTests):
    """Clusters that take only so many connections."""

    def circuit_breaker(self) -> CircuitBreaker:
        """Return what counts them."""
        state = self.clusters.get("echo")
        assert state is not None
        assert state.circuit_breaker is not None
        return state.circuit_breaker

    def serve(self, *hosts: str, discovery: Discovery = Discovery.STATIC) -> None:
        endpoints = tuple(Endpoint(TCPAddress(host, 2701)) for host in hosts)
        limits = PoolLimits(connections=1, tcp_idle=7.0)
        self.clusters.update({"echo": Cluster("echo", discovery, ORIGIN, 3.0, limits=limits)}, {"echo": endpoints})

    def test_connected(self) -> None:
        """One more than the limit is refused at once, until one ends; the cluster's idle time comes with it."""
        self.serve("10.0.0.1")
        self.dial.start(self.clusters, ECHO)
        self.tries[0].connected(cast(Stream, FakeStream()))
        other = Dial(self.connect, self.reached.append, self.faults.append, plain())
        other.start(self.clusters, ECHO)
        self.assertEqual((self.faults, len(self.tries)), ([OVERFLOW], 1))
        (reached,) = self.reached
        self.assertEqual((reached.counted, reached.idle_timeout), (self.circuit_breaker(), 7.0))
        reached.begin(RelayEnd(plain()))
        self.assertEqual(reached.endpoint.active, 1)
        for _ in range(2):
            reached.end()
        self.assertEqual((self.circuit_breaker().connections, reached.endpoint.active), (0, 0))

    def test_given_back(self) -> None:
        """What fails, or is given up, is counted no more."""
        self.serve("10.0.0.1", "10.0.0.2")
        self.dial.start(self.clusters, ECHO)
        self.tries[0].failed(CONNECT_REFUSED)
        self.assertEqual(self.circuit_breaker().connections, 1)
        self.dial.cancel()
        self.assertEqual(self.circuit_breaker().connections, 0)

    def test_error_on_the_way(self) -> None:
        """What an error of ours ends is counted no more, were it raised before there was a connect to cancel."""
        super().test_error_on_the_way()
        self.assertEqual(self.circuit_breaker().connections, 0)
