"""Tests of L{edgegate.server.lifecycle}."""

from __future__ import annotations

import socket
from collections.abc import Iterable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problems
from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.inherited_sockets import InheritedSocket, InheritedSockets
from edgegate.server.first_certificates import Awaited
from edgegate.server.handover import Handed, Role
from edgegate.server.lifecycle import Lifecycle, Phase
from edgegate.server.reload import Outcome
from edgegate.server.reload_coordinator import ReloadCoordinator
from edgegate.sources.source import Watched

HTTP, HTTPS = TCPAddress("::", 80), TCPAddress("::", 443)


class Read:
    """What was read."""

    problems = Problems()
    changes = ()
    watched = Watched()


class Steps:
    """Files that are what they were, unless the test says when they are read."""

    latest = Read()

    def __init__(self) -> None:
        self.reading: Deferred[Read | None] = succeed(None)

    def read(self, anyway: bool) -> Deferred[Read | None]:
        """Read."""
        return self.reading

    def install(self, read: Read) -> Deferred[bool]:
        """Install."""
        return succeed(True)


class Reactor(Clock):
    """Says how often it was stopped."""

    stopped = 0

    def stop(self) -> None:
        """Stop."""
        self.stopped += 1


class Gateway(Lifecycle[Read]):
    """One with a port, and one more socket of its service manager's."""

    def __init__(self, reactor: Reactor, inherited: InheritedSockets | None) -> None:
        super().__init__(reactor, "/etc/edgegate", inherited)  # type: ignore[arg-type]
        self.steps = Steps()
        self.missing: list[Awaited] = []
        self._reload_by(ReloadCoordinator(self.steps, reactor))  # type: ignore[arg-type]

    @property
    def ports(self) -> dict[Address, int]:
        """Its port."""
        return {HTTP: 5}

    @property
    def _serves(self) -> bool:
        return self._phase is Phase.SERVING

    def _awaited(self) -> list[Awaited]:
        return self.missing

    def go(self, phase: Phase) -> None:
        """Be so far."""
        self._phase = phase

    def hand_over(self, serves: Iterable[Address]) -> None:
        """Leave."""


class LifecycleTests(SynchronousTestCase):
    """From the first port to the end."""

    def test_first_certificates(self) -> None:
        """It serves without its first certificates, and is ready with them; a reload may ask for others."""
        gateway = self.gateway
        gateway.missing = [Awaited("a.example.com", "n/ca", 60.0, "a.yaml:1")]
        gateway.go(Phase.SERVING)
        gateway.first_certificates.begin()
        self.assertEqual((gateway.ready, gateway.waiting), (False, True))
        self.successResultOf(gateway.reload())
        self.assertEqual((gateway.ready, gateway.waiting), (False, True))
        gateway.missing = [Awaited("b.example.com", "n/ca", 60.0, "a.yaml:1")]
        self.successResultOf(gateway.reload())
        self.assertEqual((gateway.ready, gateway.waiting, self.reactor.getDelayedCalls()), (True, False, []))
        gateway.go(Phase.ENDING)
        self.assertEqual((gateway.ready, gateway.waiting), (False, False))

    def setUp(self) -> None:
        """Make one."""
        passed = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(passed.close)
        self.passed = InheritedSocket("443", HTTPS, passed)
        self.reactor = Reactor()
        self.gateway = Gateway(self.reactor, InheritedSockets([self.passed]))

    def test_hold(self) -> None:
        """Only one that serves, and reads no files at the time, is held; files are read when that is over."""
        for phase in (Phase.CLOSED, Phase.LEFT, Phase.ENDING):
            self.gateway.go(phase)
            self.assertEqual(self.gateway.hold(), "the gateway does not serve yet, or ends")
        self.gateway.go(Phase.SERVING)
        self.gateway.steps.reading = reading = Deferred()
        self.gateway.files_changed()
        self.assertEqual(self.gateway.hold(), "the files are just being read again")
        reading.callback(None)
        self.assertEqual(self.gateway.hold(), "")
        self.gateway.steps.reading = succeed(None)
        asked = self.gateway.reload()
        self.assertNoResult(asked)
        self.gateway.resume()
        self.assertIs(self.successResultOf(asked).outcome, Outcome.UNCHANGED)

    def test_handed(self) -> None:
        """All sockets are handed, the service manager's by their names, and what it has bound is told."""
        descriptor = self.passed.socket.fileno()
        self.assertEqual(
            self.gateway.handed(), [Handed(Role.PASSED, HTTPS, descriptor, "443"), Handed(Role.PORT, HTTP, 5)]
        )
        self.assertEqual((self.gateway.binds, self.gateway.open_ports), ([HTTP], 1))
        self.assertEqual(Gateway(self.reactor, None).handed(), [Handed(Role.PORT, HTTP, 5)])

    def test_end(self) -> None:
        """The reactor is stopped once, however often an end is asked for."""
        self.gateway.end()
        self.gateway.end()
        self.assertEqual(self.reactor.stopped, 1)
