"""Tests for L{edgegate.http.environment}."""

from __future__ import annotations

from email.utils import parsedate_to_datetime
from random import Random
from time import time
from typing import Any, cast

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.interfaces import Served
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.wheel import TimerWheel
from edgegate.observe.observers import Observers
from edgegate.upstream.registry import ClusterRegistry
from tests.http.conversation import plain


class FakeConnection:
    """A client's connection, of which nothing but its existence matters."""

    def __init__(self) -> None:
        self.downstream = plain()


class HTTPEnvironmentTests(SynchronousTestCase):
    """What all of HTTP shares."""

    def setUp(self) -> None:
        """Make it, with an observer of connections."""
        self.clock = Clock()
        self.told: list[tuple[str, ConnectionInfo]] = []
        wheel = TimerWheel(self.clock, 0.5)
        clusters = ClusterRegistry(cast(Any, None), wheel, Random(1))
        self.environment = HTTPEnvironment(cast(Any, None), wheel, clusters, Observers([self]))

    def connection_began(self, downstream: ConnectionInfo) -> None:
        """Remember it."""
        self.told.append(("began", downstream))

    def connection_ended(self, downstream: ConnectionInfo) -> None:
        """Remember it."""
        self.told.append(("ended", downstream))

    def test_connections(self) -> None:
        """Each begins and ends once, whoever serves it at last, and however often its end is told."""
        first, successor = cast(Served, FakeConnection()), cast(Served, FakeConnection())
        self.environment.connection_began(first)
        self.environment.connection_replaced(first, successor)
        self.environment.connection_ended(first)
        self.assertEqual((self.environment.connections, len(self.told)), ({successor}, 1))
        for _ in range(2):
            self.environment.connection_ended(successor)
        self.assertEqual(self.environment.connections, set())
        self.assertEqual(self.told, [("began", first.downstream), ("ended", successor.downstream)])

    def test_deadline(self) -> None:
        """It counts from now, not from the last time that anybody looked, and is kept to hundredths of a second."""
        passed: list[float] = []
        self.clock.rightNow = 100.123
        deadline = self.environment.deadline(0.05, lambda: passed.append(self.clock.seconds()))
        self.clock.pump([0.01] * 4)
        self.assertEqual(passed, [])
        self.clock.pump([0.01] * 4)
        self.assertEqual(len(passed), 1)
        deadline.end()
        self.environment.fine_wheel.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_date(self) -> None:
        """The date is of now, and made once in a second."""
        before = int(time())
        block = self.environment.date()
        self.assertTrue(before <= parsedate_to_datetime(block.fields[0][1].decode()).timestamp() <= time())
        again = self.environment.date()
        self.assertTrue(again is block or again.fields != block.fields)
