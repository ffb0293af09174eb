"""What the service manager that runs the gateway, systemd, is told of it (sd_notify(3))."""

from __future__ import annotations

import faulthandler
import os
from collections.abc import Callable, Mapping
from time import monotonic_ns
from typing import Protocol

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorCore, IReactorTime
from twisted.internet.task import LoopingCall

from edgegate.net.notify_socket import NotifySocket
from edgegate.server.first_certificates import FirstCertificates
from edgegate.server.handover import Handed
from edgegate.server.reload import Outcome, Reload
from edgegate.startup import STANDARD_ERROR

_PATIENCE = 15.0
"""Seconds beyond its drain that the end of the process may take."""


class Reactor(IReactorCore, IReactorTime):
    """What is asked of the reactor."""


class Gateway(Protocol):
    """
    A gateway that is told of; an C{edgegate.server.service.GatewayService}.

    @ivar first_certificates: What it waits for.
    """

    first_certificates: FirstCertificates

    @property
    def open_ports(self) -> int:
        """How many of its ports are open."""

    @property
    def reporters(self) -> list[Callable[[Reload | None], None]]:
        """Called with L{None} when files begin to be read again, and with what came of it when that is over."""


class NotifiedService(MultiService):
    """
    Runs a gateway, and tells the service manager when it is ready, reloads and ends, and that its loop is alive.

    The gateway is ready when all its ports serve, and its first certificates are there or not waited for any more: a
    start that fails is never told as one.
    """

    def __init__(
        self,
        reactor: Reactor,
        gateway: Gateway,
        tell: Callable[..., object],
        watchdog: float | None = None,
        drain: float = 0.0,
        main: Deferred[None] | None = None,
    ) -> None:
        """
        @param tell: Takes variables, C{NAME=value}.
        @param watchdog: Seconds within which the manager wants to hear of the loop; L{None}: it does not ask.
        @param drain: Seconds that the end may take.
        @param main: Fires when this process is the one that the manager hears; L{None}: it is.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._gateway = gateway
        self._tell = tell
        self._watchdog = watchdog
        self._drain = drain
        self._main = succeed(None) if main is None else main
        self._left = self._told_ready = False
        self._feeding = LoopingCall(tell, "WATCHDOG=1")
        self._feeding.clock = reactor
        gateway.reporters.append(self._reloading)

    def startService(self) -> None:
        """Begin, and tell so once the reactor runs, and with it whatever is served."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(lambda: self._main.addCallback(lambda _: self._wait()))

    def stopService(self) -> Deferred[None]:
        """Tell that the end has begun, and end; the loop is told of to the last."""
        if self._left:
            left: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
            return left
        microseconds = int((self._drain + _PATIENCE) * 1e6)
        self._tell("STOPPING=1", "STATUS=draining", f"EXTEND_TIMEOUT_USEC={microseconds}")
        ended: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return ended.addBoth(self._ended)

    # When a new process takes the place of this one; see L{edgegate.server.upgrade.Companion} -------------------------

    def prepare(self) -> None:
        """There is nothing to be done."""

    def keep(self) -> None:
        """There is nothing to be done: the manager does not hear the new process."""

    def handed(self) -> list[Handed]:
        """Return nothing: it has no listening sockets."""
        return []

    def hand_over(self, pid: int) -> Deferred[None]:
        """Tell the manager that the new process is the main one, and nothing any more."""
        self._tell(f"MAINPID={pid}", "READY=1")
        self._left = True
        self._ended(None)
        return succeed(None)

    # ------------------------------------------------------------------------------------------------------------------

    def _ended(self, result: None) -> None:
        if self._feeding.running:
            self._feeding.stop()
        return result

    def _wait(self) -> None:
        """Tell that the gateway is ready, once it is: there is more time for its first certificates."""
        if not self.running:
            return
        certificates = self._gateway.first_certificates
        if certificates.waiting:
            microseconds = int((certificates.left + _PATIENCE) * 1e6)
            self._tell("STATUS=waiting for the first certificates", f"EXTEND_TIMEOUT_USEC={microseconds}")
        certificates.when_over().addCallback(lambda _: self._ready())

    def _ready(self) -> None:
        if not self.running or self._left:
            return
        self._told_ready = True
        self._tell("READY=1", f"STATUS={self._status('')}")
        if self._watchdog is not None:
            # the manager ends one that hangs by SIGABRT: the log has the stack then
            faulthandler.enable(STANDARD_ERROR)
            self._feeding.start(self._watchdog / 2)

    def _reloading(self, reload: Reload | None) -> None:
        if not self.running or self._left or not self._told_ready:
            return
        if reload is None:
            self._tell("RELOADING=1", f"MONOTONIC_USEC={monotonic_ns() // 1000}")
            return
        refused = reload.outcome is Outcome.REFUSED
        self._tell("READY=1", f"STATUS={self._status('; the last reload was refused' if refused else '')}")

    def _status(self, more: str) -> str:
        count = self._gateway.open_ports
        return f"serving on {count} port{'' if count == 1 else 's'}{more}"


def notified(
    reactor: Reactor,
    gateway: Gateway,
    environment: Mapping[str, str],
    drain: float = 0.0,
    main: Deferred[None] | None = None,
) -> NotifiedService | None:
    """
    Return what tells the service manager of a gateway, which is to run within it; L{None}: there is none to be told.

    @param environment: The process's: C{NOTIFY_SOCKET}, C{WATCHDOG_USEC}, C{WATCHDOG_PID}.
    @param drain: Seconds that the end may take.
    @param main: See L{NotifiedService}.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return None
    microseconds = environment.get("WATCHDOG_USEC", "")
    asks = microseconds.isdecimal() and environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
    watchdog = int(microseconds) / 1e6 if asks and int(microseconds) else None
    return NotifiedService(reactor, gateway, NotifySocket(address).tell, watchdog, drain, main)
