"""Tests of L{edgegate.upstream.dns.named_endpoint}."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred, fail
from twisted.internet.error import ConnectError, ConnectionRefusedError, DNSLookupError
from twisted.internet.interfaces import IProtocolFactory, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.net.wheel import TimerWheel
from edgegate.upstream.dns.lookups import Answer, Cancel, Tell
from edgegate.upstream.dns.named_endpoint import MOST_WAITING, NamedEndpoint, SharedLookups
from edgegate.upstream.dns.resolutions import LOST


class FakeLookups:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.begun: list[tuple[str, Tell]] = []

    def begin(self, name: str, tell: Tell) -> Cancel:
        self.begun.append((name, tell))
        return lambda: self.begun.remove((name, tell))

    def changed(self) -> bool:
        return False


class FakeEndpoint:
    """Fails, or waits."""

    def __init__(self, outcome: Deferred[Any]) -> None:
        self.outcome = outcome

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[Any]:
        return self.outcome


class NamedEndpointTests(SynchronousTestCase):
    """A host of two addresses."""

    def setUp(self) -> None:
        self.lookups = FakeLookups()
        self.clock = Clock()
        self.shared = SharedLookups(self.lookups, TimerWheel(self.clock, 0.5))
        self.outcomes: dict[str, Deferred[Any]] = {"10.0.0.1": Deferred(), "10.0.0.2": Deferred()}
        self.endpoint = NamedEndpoint(self.shared, "a.example", self.reach)

    def reach(self, host: str) -> IStreamClientEndpoint:
        return cast(IStreamClientEndpoint, FakeEndpoint(self.outcomes[host]))

    def connect(self) -> Deferred[Any]:
        return self.endpoint.connect(cast(IProtocolFactory, Factory()))

    def answer(self, *addresses: str) -> None:
        self.lookups.begun[-1][1](Answer(addresses))

    def test_interface(self) -> None:
        """It is an endpoint of Twisted's."""
        verifyObject(IStreamClientEndpoint, self.endpoint)

    def test_first(self) -> None:
        """The first address that takes the connection has it."""
        connecting = self.connect()
        self.answer(*self.outcomes)
        self.outcomes["10.0.0.1"].callback("connected")
        self.assertEqual(self.successResultOf(connecting), "connected")

    def test_next(self) -> None:
        """Where an address refuses the next is tried; when all have, the last one's words are told."""
        for first in (ConnectionRefusedError(), ConnectError()):
            self.outcomes["10.0.0.1"], self.outcomes["10.0.0.2"] = fail(first), Deferred()
            connecting = self.connect()
            self.answer(*self.outcomes)
            self.assertNoResult(connecting)
            self.outcomes["10.0.0.2"].errback(ConnectionRefusedError())
            self.failureResultOf(connecting, ConnectionRefusedError)

    def test_unknown(self) -> None:
        """A name without addresses."""
        connecting = self.connect()
        self.answer()
        self.failureResultOf(connecting, DNSLookupError)

    def test_one_look_up(self) -> None:
        """Whoever asks meanwhile joins; who gives up leaves the look-up to the others."""
        first, second = self.connect(), self.connect()
        self.assertEqual(len(self.lookups.begun), 1)
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.outcomes["10.0.0.1"].callback("connected")
        self.answer("10.0.0.1")
        self.assertEqual(self.successResultOf(second), "connected")
        self.connect()
        self.assertEqual([name for name, _ in self.lookups.begun], ["a.example"] * 2)

    def test_lost(self) -> None:
        """A look-up that is never answered is given up, and whoever asks then begins another one."""
        first = self.connect()
        self.clock.pump([1] * int(LOST + 1))
        self.failureResultOf(first, DNSLookupError)
        self.assertEqual(self.lookups.begun, [])
        second = self.connect()
        self.outcomes["10.0.0.1"].callback("connected")
        self.answer("10.0.0.1")
        self.assertEqual(self.successResultOf(second), "connected")

    def test_many_wait(self) -> None:
        """No more than some wait for one name; who gave up does not count."""
        for _ in range(2 * MOST_WAITING):
            self.shared.find("a.example").addErrback(lambda failure: failure.trap(CancelledError)).cancel()
        waiting = [self.shared.find("a.example") for _ in range(MOST_WAITING)]
        self.assertEqual(self.successResultOf(self.shared.find("a.example")), Answer())
        self.assertEqual(len(self.lookups.begun), 1)
        self.answer("10.0.0.1")
        for found in waiting:
            self.assertEqual(self.successResultOf(found), Answer(("10.0.0.1",)))
