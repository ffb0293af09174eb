"""
The gateway as a Twisted service: it begins, takes over new files, and ends in good order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from enum import Enum
from functools import partial
from typing import cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorFromThreads, IReactorTime
from twisted.logger import Logger, LogLevel

from edgegate.model.addresses import Address
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSockets
from edgegate.net.socket_source import FirstOf
from edgegate.observe.counters import Counters
from edgegate.observe.observer import Observer
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.server.candidate import Candidates, Defer, Load
from edgegate.server.data_plane import DataPlane
from edgegate.server.drain import Drain
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.handover import Handed
from edgegate.server.ports import CannotBind
from edgegate.server.reload import Reload
from edgegate.server.reload_coordinator import ReloadCoordinator
from edgegate.server.retirement import Retirement
from edgegate.server.signals import stop
from edgegate.server.startup_log import served
from edgegate.server.unused_sockets import UnusedSockets
from edgegate.server.upgrade import Upgrades, listening_sockets
from edgegate.sources.file_reader import defer_to_daemon
from edgegate.sources.loading import Loaded
from edgegate.sources.source import Watched
from edgegate.startup import CannotStart
from edgegate.tls.secret_store import Secrets
from edgegate.upstream.registry import ClusterRegistry

log = Logger(namespace=__name__)


class _Phase(Enum):
    """How far the gateway is."""

    CLOSED = "no port is open yet"
    SERVING = "its ports are open"
    LEFT = "a new process serves its ports"
    ENDING = "it ends, or has ended"


class GatewayService(MultiService):
    """
    Serves what the files say.

    Its children begin after its ports are open, and end when nothing is served any more.

    @ivar counters: What happened so far.
    @ivar data_plane: All that serves.
    @ivar upgrades: Has new processes serve in the place of this one.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        loaded: Loaded,
        load: Load,
        observers: Iterable[Observer] = (),
        options: GatewayOptions = GatewayOptions(),  # noqa: B008 (frozen)
        defer: Defer | None = None,
        inherited: InheritedSockets | None = None,
        handed: HandedSockets | None = None,
    ) -> None:
        """
        @param loaded: The files without an error in them.
        @param observers: Told of what happens, besides the counters.
        @param defer: Calls something that takes its time; by default in a thread that nobody waits for at the end.
        @param inherited: Listening sockets that are open already, for ports of the files.
        @param handed: Those of a process whose place this one takes.
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        self._reactor = reactor
        self._config = loaded.source.location
        self.counters = Counters()
        self.data_plane = DataPlane(reactor, [self.counters, *observers], options, FirstOf(inherited, handed))
        if defer is None:
            defer = partial(defer_to_daemon, cast(IReactorFromThreads, reactor))
        self._candidates = Candidates(self.data_plane, loaded, load, defer)
        clock = cast(IReactorTime, reactor)
        self._reloads = ReloadCoordinator(self._candidates, clock)
        self._drain = Drain(self.data_plane, clock, options.drain, options.drain_delay)
        self._retirement = Retirement(self.data_plane, clock, options.upgrade_drain)
        self.upgrades = Upgrades(reactor, self)
        self._phase = _Phase.CLOSED
        self._inherited = InheritedSockets() if inherited is None else inherited
        unused = UnusedSockets(self._inherited)
        self.followers.append(lambda watched: unused.look(self.data_plane.ports))

    @property
    def config(self) -> str:
        """The path of its files, absolute; C{-} for standard input."""
        return self._config

    @property
    def snapshot(self) -> Snapshot:
        """What is served."""
        return self.data_plane.snapshot

    @property
    def secrets(self) -> Secrets:
        """The key material that it is served with."""
        return self.data_plane.secrets.secrets

    @property
    def clusters(self) -> ClusterRegistry:
        """The state of the clusters."""
        return self.data_plane.clusters

    @property
    def ready(self) -> bool:
        """Whether requests are served: the ports are open, be it in a new process, and the gateway is not ending."""
        return self._phase in (_Phase.SERVING, _Phase.LEFT)

    @property
    def open_ports(self) -> int:
        """How many ports are open."""
        return len(self.data_plane.ports)

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""
        return self.data_plane.connections

    def bound(self, listener: Listener) -> Address | None:
        """Return the address that is bound for a listener, the number that the kernel chose for port 0 included."""
        port = self.data_plane.ports.get(listener.bind)
        return None if port is None else port.local

    # Beginning and ending ---------------------------------------------------------------------------------------------

    def privilegedStartService(self) -> None:
        """
        Open the ports, while the process may still open those below 1024.

        @raise edgegate.startup.CannotStart: One cannot be bound; the others are closed again.
        """
        self._open()
        super().privilegedStartService()  # type: ignore[no-untyped-call]

    def startService(self) -> None:
        """
        Say what is served.

        @raise edgegate.startup.CannotStart: See L{privilegedStartService}, which C{twist} leaves out.
        """
        self._open()
        super().startService()  # type: ignore[no-untyped-call]
        self._say_what_is_served()
        self._reloads.follow()

    def stopService(self) -> Deferred[None]:
        """
        Close the ports, serve who has connected already, let requests and relays end, then reset what is left.

        @return: Fires when nothing is left.
        """
        self._phase = _Phase.ENDING
        self.upgrades.cancel()
        self._reloads.end()
        self._retirement.stop()
        return self._drain.begin().addCallback(lambda _: self._ended())

    def end(self) -> None:
        """Have the process end in good order, as SIGTERM does: the reactor stops once L{stopService} is through."""
        if self._phase is not _Phase.ENDING:
            self._phase = _Phase.ENDING
            stop(self._reactor)

    def hurry(self) -> None:
        """End the drain at once; one that has not begun yet ends as it begins."""
        self._drain.hurry()

    def _ended(self) -> Deferred[None]:
        self.data_plane.stop()
        children: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return children

    def _open(self) -> None:
        if self._phase is not _Phase.CLOSED:
            return
        try:
            self._candidates.install_first()
        except CannotBind as error:
            origin = error.listener.origin
            raise CannotStart(
                f"cannot bind {error.listener.bind} for {origin.resource} ({origin}): {error.reason}"
            ) from None
        self._phase = _Phase.SERVING

    def _say_what_is_served(self) -> None:
        bound = {bind: port.local for bind, port in self.data_plane.ports.items()}
        for level, line in served(self.snapshot, self.secrets, bound, datetime.now(timezone.utc)):
            log.emit(LogLevel.levelWithName(level), "{line}", line=line)

    # A new process ----------------------------------------------------------------------------------------------------

    def hold(self) -> str:
        """See L{edgegate.server.upgrade.Leaving}."""
        if self._phase is not _Phase.SERVING:
            return "the gateway does not serve yet, or ends"
        return "" if self._reloads.hold() else "the files are just being read again"

    def resume(self) -> None:
        """See L{edgegate.server.upgrade.Leaving}."""
        self._reloads.resume()

    def handed(self) -> list[Handed]:
        """See L{edgegate.server.upgrade.Leaving}."""
        ports = {bind: port.fileno() for bind, port in self.data_plane.ports.items()}
        return listening_sockets(ports, self._inherited)

    @property
    def binds(self) -> list[Address]:
        """What its ports are bound for."""
        return list(self.data_plane.ports)

    def hand_over(self, serves: Iterable[Address]) -> None:
        """See L{edgegate.server.upgrade.Leaving}."""
        self._phase = _Phase.LEFT
        self._reloads.end()
        self._drain.skip_delay()
        gone = set(self.data_plane.ports).difference(serves)
        self._retirement.begin(gone).addCallback(lambda _: self.end())

    # New files --------------------------------------------------------------------------------------------------------

    def reload(self) -> Deferred[Reload]:
        """See L{ReloadCoordinator.reload}."""
        return self._reloads.reload()

    def files_changed(self) -> None:
        """See L{ReloadCoordinator.files_changed}."""
        self._reloads.files_changed()

    @property
    def last_reload(self) -> Reload:
        """What came of the last reading of the files; at first of the one at the start."""
        return self._reloads.last

    @property
    def followers(self) -> list[Callable[[Watched], None]]:
        """Called after each reading, with where a change would be seen; see L{ReloadCoordinator}. More may be added."""
        return self._reloads.followers

    @property
    def reporters(self) -> list[Callable[[Reload | None], None]]:
        """Called with L{None} when files begin to be read again, and with what came of it. More may be added."""
        return self._reloads.reporters
