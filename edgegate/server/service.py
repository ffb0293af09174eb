"""
The gateway as a Twisted service: it begins, takes over new files, and ends in good order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timezone
from functools import partial
from itertools import chain
from typing import cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorFromThreads, IReactorTime
from twisted.logger import Logger, LogLevel

from edgegate.access_log.service import AccessLogService, CannotLog
from edgegate.model.addresses import Address
from edgegate.model.origin import placed
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSockets
from edgegate.net.socket_source import FirstOf
from edgegate.observe.metrics.gauges import Gauges
from edgegate.observe.metrics.measured import Measured
from edgegate.observe.observer import Observer
from edgegate.observe.tracing.tracing_service import TracingService
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.server.candidate import Candidate, Candidates, Load
from edgegate.server.data_plane import DataPlane
from edgegate.server.drain import Drain
from edgegate.server.first_certificates import Awaited
from edgegate.server.gateway_options import GatewayOptions
from edgegate.server.lifecycle import Lifecycle, Phase
from edgegate.server.outside_loader import Defer, OutsideLoader
from edgegate.server.ports import CannotBind
from edgegate.server.readings import GatewayReadings, PlaneReadings
from edgegate.server.reload_coordinator import ReloadCoordinator
from edgegate.server.retirement import Retirement
from edgegate.server.startup_log import served
from edgegate.server.turns import in_turns
from edgegate.sources.file_reader import defer_to_daemon
from edgegate.sources.loading import Loaded
from edgegate.startup import CannotStart
from edgegate.tls.secret_store import Secrets
from edgegate.upstream.registry import ClusterRegistry

log = Logger(namespace=__name__)


class GatewayService(Lifecycle[Candidate]):
    """
    Serves what the files say.

    Its children begin after its ports are open, and end when nothing is served any more.

    @ivar data_plane: All that serves.
    @ivar readings: What metrics show of it.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        loaded: Loaded,
        load: Load,
        observers: Sequence[Observer] = (),
        options: GatewayOptions = GatewayOptions(),  # noqa: B008 (frozen)
        defer: Defer | None = None,
        inherited: InheritedSockets | None = None,
        handed: HandedSockets | None = None,
        outside: OutsideLoader | None = None,
        logs: AccessLogService | None = None,
        traces: TracingService | None = None,
    ) -> None:
        """
        @param loaded: The files without an error in them.
        @param observers: Told of what happens.
        @param defer: Calls something that takes its time; by default in a thread that nobody waits for at the end.
        @param inherited: Listening sockets that are open already, for ports of the files.
        @param handed: Those of a process whose place this one takes.
        @param outside: Reads in place of C{load} where there is much to read.
        @param logs: Writes the access logs that the files ask for; is among the observers and a child, too.
        @param traces: Traces as the files say; is a child, too.
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        super().__init__(reactor, loaded.source.location, inherited)
        self.data_plane = DataPlane(reactor, observers, options, FirstOf(inherited, handed))
        if defer is None:
            defer = partial(defer_to_daemon, cast(IReactorFromThreads, reactor))
        self._metrics = options.metrics
        self.readings = PlaneReadings(self.data_plane)
        if traces is not None:
            traces.trace_by, self.readings.spans = self.data_plane.trace_by, traces.outcomes
        self._candidates = Candidates(self.data_plane, loaded, load, defer, outside, logs, traces)
        clock = cast(IReactorTime, reactor)
        # whoever sends requests to a process whose place this one takes goes on
        self._waits = handed is None
        self.data_plane.issued = self.first_certificates.look
        self._reload_by(ReloadCoordinator(self._candidates, clock))
        self._drain = Drain(self.data_plane, clock, options.drain, options.drain_delay)
        self._retirement = Retirement(self.data_plane, clock, options.upgrade_drain)
        self._own_readings = GatewayReadings(self, self.data_plane.meters)

    @property
    def clock(self) -> IReactorTime:
        """The reactor, as what tells the time."""
        return cast(IReactorTime, self._reactor)

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
    def _serves(self) -> bool:
        return self._phase in (Phase.SERVING, Phase.LEFT)

    def _awaited(self) -> Iterable[Awaited]:
        return self.data_plane.awaited

    @property
    def ports(self) -> dict[Address, int]:
        """The descriptors of its ports, by what they are bound for."""
        return {bind: port.fileno() for bind, port in self.data_plane.ports.items()}

    @property
    def connections(self) -> int:
        """Clients' connections that are open."""
        return self.data_plane.connections

    def bound(self, listener: Listener) -> Address | None:
        """Return the address that is bound for a listener, the number that the kernel chose for port 0 included."""
        port = self.data_plane.ports.get(listener.bind)
        return None if port is None else port.local

    def measure(self) -> Deferred[Measured]:
        """Return its metrics, once what nobody counts as it happens has been read, in turns."""
        gauges = Gauges()

        def read() -> Iterator[None]:
            self.readings.sample()
            for row in chain(self.readings.rows(), self._own_readings.rows()):
                if row is not None:
                    gauges.put(row)
                yield

        done = in_turns(cast(IReactorTime, self._reactor), read()).whenDone()
        meters = self.data_plane.meters
        return done.addCallback(lambda _: Measured(meters, gauges, self._metrics, self.snapshot.metrics))

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
        self._phase = Phase.ENDING
        self.first_certificates.stop()
        self.upgrades.cancel()
        self._reloads.end()
        self._candidates.end()
        self._retirement.stop()
        return self._drain.begin().addCallback(lambda _: self._ended())

    def hurry(self) -> None:
        """End the drain at once; one that has not begun yet ends as it begins."""
        self._drain.hurry()

    def _ended(self) -> Deferred[None]:
        self.data_plane.stop()
        children: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return children

    def _open(self) -> None:
        if self._phase is not Phase.CLOSED:
            return
        try:
            self._candidates.install_first()
        except CannotBind as error:
            origin = error.listener.origin
            raise CannotStart(
                f"cannot bind {error.listener.bind} for {origin.resource} ({origin}): {error.reason}"
            ) from None
        except CannotLog as error:
            raise CannotStart(placed(str(error), error.wanted.origin)) from None
        self._phase = Phase.SERVING
        if self._waits:
            self.first_certificates.begin()

    def _say_what_is_served(self) -> None:
        bound = {bind: port.local for bind, port in self.data_plane.ports.items()}
        for level, line in served(self.snapshot, self.secrets, bound, datetime.now(timezone.utc)):
            log.emit(LogLevel.levelWithName(level), "{line}", line=line)

    # A new process ----------------------------------------------------------------------------------------------------

    def hand_over(self, serves: Iterable[Address]) -> None:
        """See L{edgegate.server.upgrade.Leaving}."""
        self._phase = Phase.LEFT
        self.first_certificates.stop()
        self._reloads.end()
        self._drain.skip_delay()
        gone = set(self.data_plane.ports).difference(serves)
        self._retirement.begin(gone).addCallback(lambda _: self.end())
