"""Tests of L{edgegate.tcp.opening}: what becomes of a connection before a backend is connected."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECTION_DENIED, INTERNAL, NO_CLUSTER, NO_ROUTE, Fault
from edgegate.model.routes import TCPRoute
from edgegate.net.wheel import TimerWheel
from edgegate.observe.events import RelayEnd
from edgegate.observe.observers import Observers
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.guards.interfaces import ConnectionFilter
from edgegate.tcp.opening import Opening
from edgegate.upstream.registry import ClusterRegistry
from tests.http.guards.guards import ORIGIN, TestGuard
from tests.tcp.guards.test_relays import ASKED, Asking
from tests.tcp.test_routes import downstream, route
from tests.upstream.resolving import ResolvingReactor


class OpeningTests(SynchronousTestCase):
    """One to clusters that are not there."""

    def setUp(self) -> None:
        ASKED.clear()
        self.faults: list[Fault] = []

    def opening(self, *routes: TCPRoute, guard: type[ConnectionFilter] | None = None) -> Opening:
        """Return one that was begun, past a guard if there is any."""
        reactor: Any = ResolvingReactor()
        wheel = TimerWheel(Clock())
        clusters = ClusterRegistry(reactor, wheel, Random(1))
        kinds = {} if guard is None else {TestGuard: guard}
        gateway = TCPGateway(reactor, wheel, clusters, Observers([]), guards=kinds)
        connection = downstream(*routes)
        if guard is not None:
            connection = replace(connection, chain=replace(connection.chain, guards=(TestGuard("n/a", ORIGIN),)))
        self.end = RelayEnd(connection)
        opening = Opening(gateway, connection, self.end, lambda reached: None, self.faults.append)
        opening.open()
        return opening

    def test_route(self) -> None:
        """The route is known, also where nothing can be connected to by it."""
        self.opening(route("gone"))
        self.assertEqual((self.faults, self.end.origin), ([NO_CLUSTER], route("gone").origin))

    def test_no_route(self) -> None:
        """Where no route takes it, it fails."""
        self.opening()
        self.assertEqual((self.faults, self.end.origin), ([NO_ROUTE], None))

    def test_guard(self) -> None:
        """No route is chosen before a guard has let it pass, and none if it does not."""
        for fault, faults in ((None, [NO_CLUSTER]), (CONNECTION_DENIED, [CONNECTION_DENIED])):
            self.setUp()
            self.opening(route("gone"), guard=Asking)
            self.assertEqual((self.faults, self.end.origin), ([], None))
            ASKED[0].decided[0](fault)
            self.assertEqual((self.faults, self.end.origin is None), (faults, fault is not None))

    def test_cancelled(self) -> None:
        """One that is cancelled while it is asked about calls nobody, whatever is said then."""
        opening = self.opening(route("gone"), guard=Asking)
        opening.cancel()
        ASKED[0].decided[0](None)
        self.assertEqual((self.faults, self.end.origin), ([], None))

    def test_error(self) -> None:
        """An error of ours behind a guard ends it, and not who has decided."""
        opening = self.opening(route("gone"), guard=Asking)
        opening._gateway.clusters = None  # type: ignore[assignment]
        ASKED[0].decided[0](None)
        self.assertEqual(self.faults, [INTERNAL])
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
