"""
Active checks: endpoints are asked again and again whether they are well (Istio's C{ReadinessProbe}).

An endpoint that was never asked is taken for healthy; its first response counts
at once, as in Envoy, and from then on as many in a row as the probe says. One
check serves all clusters that have the same endpoint and probe, and lasts as
long as one of them is there: a reload does not make it begin anew.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.model.clusters import Probe

Ask = Callable[[Address, Probe], "Deferred[None]"]
"""Ask an address once; fails with whatever is wrong, may be cancelled."""

log = Logger(namespace=__name__)


class Health:
    """
    What the responses of an endpoint make of it. Pure.

    @ivar healthy: L{None}: not known yet.
    """

    __slots__ = ("_probe", "_row", "healthy")

    def __init__(self, probe: Probe) -> None:
        self._probe = probe
        self._row = 0
        self.healthy: bool | None = None

    def answered(self, well: bool) -> bool:
        """
        The endpoint was asked.

        @return: Whether its health has changed.
        """
        if well is self.healthy:
            self._row = 0
            return False
        self._row += 1
        enough = self._probe.successes if well else self._probe.failures
        if self.healthy is not None and self._row < enough:
            return False
        self._row = 0
        self.healthy = well
        return True


Watcher = Callable[[bool], None]
"""Hears whether an endpoint is healthy, when that changes."""


class Check:
    """One endpoint that is asked again and again."""

    __slots__ = ("_address", "_ask", "_asked_at", "_asking", "_clock", "_health", "_next", "_probe", "_watchers")

    def __init__(self, clock: IReactorTime, ask: Ask, address: Address, probe: Probe) -> None:
        self._clock = clock
        self._ask = ask
        self._address = address
        self._probe = probe
        self._health = Health(probe)
        self._watchers: list[Watcher] = []
        self._asked_at = 0.0
        self._asking: Deferred[None] | None = None
        self._next: IDelayedCall | None = clock.callLater(probe.initial_delay, self._due)

    def watch(self, watcher: Watcher) -> None:
        """Tell one more of changes, and at once what is known."""
        self._watchers.append(watcher)
        if self._health.healthy is not None:
            watcher(self._health.healthy)

    def unwatch(self, watcher: Watcher) -> bool:
        """Tell one less; return whether anybody is left."""
        self._watchers.remove(watcher)
        return bool(self._watchers)

    def stop(self) -> None:
        """Ask no more."""
        self._watchers = []
        following, self._next = self._next, None
        if following is not None:
            following.cancel()
        asking, self._asking = self._asking, None
        if asking is not None:
            asking.cancel()

    def _due(self) -> None:
        """Ask; the response, or that there is none in time, arranges for the next time."""
        probe = self._probe
        self._next = None
        self._asked_at = self._clock.seconds()
        self._asking = asking = self._ask(self._address, probe)
        asking.addTimeout(probe.timeout, self._clock)
        asking.addCallbacks(self._well, self._unwell)

    def _well(self, result: object) -> None:
        self._answered(True, "it answers")

    def _unwell(self, failure: Failure) -> None:
        self._answered(False, failure.getErrorMessage() or type(failure.value).__name__)

    def _answered(self, well: bool, words: str) -> None:
        if self._asking is None:
            return  # stopped
        self._asking = None
        wait = self._asked_at + self._probe.period - self._clock.seconds()
        self._next = self._clock.callLater(max(0.0, wait), self._due)
        if not self._health.answered(well):
            return
        state = "healthy" if well else "unhealthy"
        log.info("endpoint {endpoint} is {state}: {words}", endpoint=self._address, state=state, words=words)
        for watcher in tuple(self._watchers):
            watcher(well)


class ActiveHealthChecks:
    """All checks of a gateway."""

    __slots__ = ("_ask", "_checks", "_clock")

    def __init__(self, clock: IReactorTime, ask: Ask) -> None:
        self._clock = clock
        self._ask = ask
        self._checks: dict[tuple[Address, Probe], Check] = {}

    def watch(self, address: Address, probe: Probe, watcher: Watcher) -> None:
        """
        Have an endpoint asked from now on.

        @param address: The endpoint's; the probe may say another port or host.
        """
        key = target(address, probe), probe
        check = self._checks.get(key)
        if check is None:
            check = self._checks[key] = Check(self._clock, self._ask, *key)
        check.watch(watcher)

    def unwatch(self, address: Address, probe: Probe, watcher: Watcher) -> None:
        """Undo a L{watch}."""
        key = target(address, probe), probe
        check = self._checks[key]
        if not check.unwatch(watcher):
            del self._checks[key]
            check.stop()

    def stop(self) -> None:
        """Ask nobody any more."""
        checks, self._checks = self._checks, {}
        for check in checks.values():
            check.stop()

    def __len__(self) -> int:
        return len(self._checks)


def target(address: Address, probe: Probe) -> Address:
    """Return whom a probe asks: a UNIX socket itself, else the endpoint's host, or the probe's, at the probe's port."""
    if isinstance(address, UNIXAddress):
        return address
    return TCPAddress(probe.host or address.host, probe.port)
