"""Tests of L{edgegate.server.service_manager}; tests/acceptance/test_unit starts a gateway under one."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from datetime import datetime, timezone
from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.server.first_certificates import Awaited, FirstCertificates
from edgegate.server.reload import Outcome, Reload
from edgegate.server.service_manager import NotifiedService, Reactor, notified


class FakeGateway(Service):
    """Has two ports, and ends when it is let."""

    def __init__(self, clock: IReactorTime) -> None:
        self.open_ports = 2
        self.missing: list[Awaited] = []
        self.first_certificates = FirstCertificates(clock, lambda: self.missing)
        self.reporters: list[Callable[[Reload | None], None]] = []
        self.ended: Deferred[None] = Deferred()

    def stopService(self) -> Deferred[None]:
        """Begin to end."""
        return self.ended


class NotifiedServiceTests(SynchronousTestCase):
    """What the manager is told."""

    def make(self, watchdog: float | None = None, main: Deferred[None] | None = None) -> None:
        """Make one, with a gateway in it."""
        self.told: list[tuple[str, ...]] = []
        self.reactor = MemoryReactorClock()
        self.gateway = FakeGateway(self.reactor)
        reactor = cast(Reactor, self.reactor)
        self.service = NotifiedService(
            reactor, self.gateway, lambda *told: self.told.append(told), watchdog, 30.0, main
        )
        self.gateway.setServiceParent(self.service)  # type: ignore[no-untyped-call]

    def run_reactor(self) -> None:
        """Have the reactor run."""
        self.reactor.hasRun = True
        for call, args, kwargs in self.reactor.whenRunningHooks:
            call(*args, **kwargs)

    def report(self, outcome: Outcome | None) -> None:
        """Reload."""
        at = datetime.now(timezone.utc)
        for reporter in self.gateway.reporters:
            reporter(None if outcome is None else Reload(outcome, at, Problems()))

    def test_from_start_to_end(self) -> None:
        """It is ready once the reactor runs, and says that it ends when that begins."""
        self.make()
        self.service.startService()
        self.assertEqual(self.told, [])
        self.run_reactor()
        self.assertEqual(self.told, [("READY=1", "STATUS=serving on 2 ports")])
        ended = self.service.stopService()
        self.assertEqual(self.told[1:], [("STOPPING=1", "STATUS=draining", "EXTEND_TIMEOUT_USEC=45000000")])
        self.assertNoResult(ended)
        self.gateway.ended.callback(None)
        self.successResultOf(ended)
        self.report(Outcome.INSTALLED)
        self.assertEqual((len(self.told), self.reactor.getDelayedCalls()), (2, []))

    def test_first_certificates(self) -> None:
        """It is ready once its first certificates are there; the manager gives it time, and hears of no reload."""
        self.make()
        self.gateway.missing = [Awaited("a.example.com", "n/ca", 200.0, "a.yaml:1")]
        self.gateway.first_certificates.begin()
        self.service.startService()
        self.run_reactor()
        waits = ("STATUS=waiting for the first certificates", "EXTEND_TIMEOUT_USEC=215000000")
        self.assertEqual(self.told, [waits])
        self.report(None)
        self.report(Outcome.INSTALLED)
        self.assertEqual(self.told, [waits])
        self.gateway.missing = []
        self.gateway.first_certificates.look()
        self.assertEqual(self.told, [waits, ("READY=1", "STATUS=serving on 2 ports")])

    def test_handed_over(self) -> None:
        """A process whose place a new one takes names that, and is silent from then on; the new one waits for it."""
        self.make(1.0)
        self.service.startService()
        self.run_reactor()
        self.service.prepare()
        self.service.keep()
        self.successResultOf(self.service.hand_over(7))
        self.assertEqual((self.told[-1], self.service.handed()), (("MAINPID=7", "READY=1"), []))
        count = len(self.told)
        self.reactor.advance(5)
        self.report(Outcome.INSTALLED)
        ended = self.service.stopService()
        self.gateway.ended.callback(None)
        self.successResultOf(ended)
        self.assertEqual(len(self.told), count)
        main: Deferred[None] = Deferred()
        self.make(main=main)
        self.service.startService()
        self.run_reactor()
        self.assertEqual(self.told, [])
        main.callback(None)
        self.assertEqual(self.told, [("READY=1", "STATUS=serving on 2 ports")])

    def test_ended_before_it_ran(self) -> None:
        """What ended before it was ready is never told to be."""
        self.make()
        self.service.startService()
        self.service.stopService()
        self.run_reactor()
        self.assertEqual([told[0] for told in self.told], ["STOPPING=1"])

    def test_reloads(self) -> None:
        """A reload is told when it begins, with the time by the clock that the manager goes by, and when it is over."""
        self.make()
        self.service.startService()
        self.run_reactor()
        before = time.monotonic_ns() // 1000
        self.report(None)
        first, second = self.told[-1]
        self.assertEqual(first, "RELOADING=1")
        name, _, at = second.partition("=")
        self.assertEqual(name, "MONOTONIC_USEC")
        self.assertLessEqual(before, int(at))
        self.gateway.open_ports = 1
        self.report(Outcome.INSTALLED)
        self.assertEqual(self.told[-1], ("READY=1", "STATUS=serving on 1 port"))
        self.report(None)
        self.report(Outcome.REFUSED)
        self.assertEqual(self.told[-1], ("READY=1", "STATUS=serving on 1 port; the last reload was refused"))

    def test_watchdog(self) -> None:
        """The loop is told of twice within the time that the manager gives it, until the very end."""
        self.make(watchdog=10.0)
        self.service.startService()
        self.reactor.advance(60)
        self.assertEqual(self.told, [])
        self.run_reactor()
        self.reactor.pump([5.0] * 4)
        self.assertEqual(self.told.count(("WATCHDOG=1",)), 5)
        ended = self.service.stopService()
        self.reactor.pump([5.0] * 2)
        self.assertEqual(self.told.count(("WATCHDOG=1",)), 7)
        self.gateway.ended.callback(None)
        self.successResultOf(ended)
        self.assertEqual(self.reactor.getDelayedCalls(), [])


class NotifiedTests(SynchronousTestCase):
    """What the environment says."""

    def watchdog(self, **environment: str) -> float | None:
        """Return the time of the watchdog."""
        found = notified(
            cast(Reactor, MemoryReactorClock()), FakeGateway(Clock()), {"NOTIFY_SOCKET": "@n", **environment}
        )
        assert found is not None
        return found._watchdog

    def test_none(self) -> None:
        """Without a manager, or with one that can't be reached, there is nobody to be told."""
        for environment in ({}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"WATCHDOG_USEC": "1000000"}):
            self.assertIsNone(notified(cast(Reactor, MemoryReactorClock()), FakeGateway(Clock()), environment))

    def test_watchdog(self) -> None:
        """It is for this process only, and a number of microseconds."""
        self.assertEqual(self.watchdog(WATCHDOG_USEC="30000000"), 30.0)
        self.assertEqual(self.watchdog(WATCHDOG_USEC="30000000", WATCHDOG_PID=str(os.getpid())), 30.0)
        self.assertIsNone(self.watchdog(WATCHDOG_USEC="30000000", WATCHDOG_PID="1"))
        for text in ("", "0", "x", "-1"):
            self.assertIsNone(self.watchdog(WATCHDOG_USEC=text))
        self.assertIsNone(self.watchdog())
