"""
A worker: a process that serves what its zygote has read.

It is forked before there is a reactor, and makes its own. What it logs, and what it can show of itself, it tells the
supervisor; it ends when that tells it to, or is gone.
"""

from __future__ import annotations

import faulthandler
import gc
import os
import sys
import traceback
from collections.abc import Sequence
from datetime import datetime, timezone
from time import monotonic
from typing import NoReturn, cast

from twisted.internet.defer import DeferredList
from twisted.internet.interfaces import (
    IReactorCore,
    IReactorFDSet,
    IReactorFromThreads,
    IReactorPluggableNameResolver,
    IReactorTime,
)
from twisted.internet.task import LoopingCall
from twisted.logger import ILogObserver, Logger, formatEvent, globalLogBeginner
from twisted.logger import LogEvent as TwistedEvent

from edgegate.access_log.service import AccessLogService, CannotLog
from edgegate.access_log.wanted import access_logs, handed
from edgegate.admin.local import rows
from edgegate.model.proxy import NO_SETTINGS
from edgegate.net.channel import Received
from edgegate.net.peer import Peer
from edgegate.net.system_resolver import SystemResolver
from edgegate.observe.observer import Observer
from edgegate.observe.tracing.tracing_service import TracingService
from edgegate.server.clock import count_monotonic
from edgegate.server.data_plane import DataPlane
from edgegate.server.drain import Drain as Draining
from edgegate.server.first_certificates import Awaited
from edgegate.server.readings import PlaneReadings
from edgegate.server.retirement import Retirement
from edgegate.server.startup_log import served
from edgegate.workers.adopted_sockets import AdoptedSockets
from edgegate.workers.inheritance import Inheritance
from edgegate.workers.live_reporter import LiveReporter
from edgegate.workers.messages import (
    Accept,
    Awaits,
    BeginLive,
    BeginTap,
    Drain,
    EndLive,
    EndTap,
    Failed,
    LogEvent,
    LogTo,
    Measure,
    Ready,
    Retire,
    Show,
    ViewRows,
)
from edgegate.workers.metrics_reporter import MetricsReporter
from edgegate.workers.slots import ABSENT, takes_next
from edgegate.workers.tap_reporter import TapReporter

log = Logger(namespace=__name__)

BEAT = 0.5
"""Seconds between two signs of life."""

LATE = 4 * BEAT
"""Seconds without one after which a worker is not waited for to take connections."""

LAST_WORDS = 1.0
"""Seconds for which a worker that ends waits for the supervisor to read what it has counted."""

GC_THRESHOLD = 20_000
"""Objects more than before after which the garbage collector looks through the young ones."""


class Reactor(IReactorCore, IReactorFDSet, IReactorTime, IReactorFromThreads, IReactorPluggableNameResolver):
    """What a worker asks of its reactor."""


class Worker:
    """Serves, and does what the supervisor tells it."""

    def __init__(self, reactor: Reactor, inheritance: Inheritance) -> None:
        self._reactor = reactor
        self._slot, self._peers = inheritance.fork.slot, inheritance.fork.peers
        self._slots = inheritance.slots
        self._loaded = inheritance.loaded
        self._accepting = False
        self._ending = self._ended = False
        self._supervisor = Peer(reactor, inheritance.channel, self._told, self._alone)
        options = inheritance.options
        snapshot = inheritance.loaded.snapshot
        self._options = options.gateway_options(NO_SETTINGS if snapshot is None else snapshot.proxy)
        self._log_file = -1
        asked, declared = options["access-logs"], None if snapshot is None else snapshot.access_logs
        logs = access_logs(asked, declared)
        self._log_is_handed = handed(asked, declared) is not None
        opener = self._next_log_file if self._log_is_handed else None
        self._access_log = AccessLogService(reactor, logs, opener, options.resource())
        observers: list[Observer] = [self._access_log.log] if logs else []
        self._traces = TracingService(reactor, options["tracing"])
        sockets = AdoptedSockets(inheritance.sockets, inheritance.passed)
        self.data_plane = DataPlane(reactor, observers, self._options, sockets, self._takes_next, inheritance.contexts)
        self.data_plane.share_buckets(*inheritance.slots.buckets)
        self.data_plane.issued = self._issued
        self._awaits: tuple[Awaited, ...] = ()
        readings = PlaneReadings(self.data_plane)
        readings.lines_lost = self._access_log.lines_lost
        self._traces.trace_by, readings.spans = self.data_plane.trace_by, self._traces.outcomes
        self._metrics = MetricsReporter(reactor, self.data_plane.meters, readings, self._supervisor)
        self._taps = TapReporter(self.data_plane, self._supervisor, self._access_log.line)
        self._live = LiveReporter(reactor, self.data_plane, self._supervisor, self._slot - min(self._peers))
        self._drain: Draining | None = None
        self._retirement = Retirement(self.data_plane, reactor)
        self._beats = LoopingCall(self._beat)
        self._beats.clock = reactor
        self._contexts = inheritance.contexts

    def start(self) -> bool:
        """Serve as soon as it is told to accept; return whether it can. The reactor is not to run where it can't."""
        self._supervisor.start()
        self._beats.start(BEAT)
        self._metrics.start()
        snapshot = self._loaded.snapshot
        assert snapshot is not None
        try:
            if not self._log_is_handed:
                self._access_log.startService()
            self.data_plane.install(snapshot, self._contexts, self._loaded.endpoints)
            self._traces.use(snapshot.tracing)
        except CannotLog as error:
            self._supervisor.send(Failed(str(error), error.wanted.origin))
            self._clean()
            return False
        except Exception as error:
            log.failure("the files can't be served")
            self._supervisor.send(Failed(f"{type(error).__name__}: {error}"))
            self._clean()
            return False
        bound = {bind: port.local for bind, port in self.data_plane.ports.items()}
        says = served(snapshot, self._loaded.secrets, bound, datetime.now(timezone.utc))
        self._awaits = self.data_plane.awaited
        self._supervisor.send(Ready(tuple(says), self._awaits))
        return True

    def observer(self, event: TwistedEvent) -> None:
        """Tell the supervisor what is logged."""
        text = formatEvent(event)
        failure = event.get("log_failure")
        if failure is not None:
            text = f"{text}\n{failure.getTraceback()}"
        level = event.get("log_level")
        namespace = event.get("log_namespace", "-")
        # a supervisor that does not read hears less; what is served goes on
        self._supervisor.offer(LogEvent("info" if level is None else level.name, namespace, text))

    # What it is told --------------------------------------------------------------------------------------------------

    def _told(self, received: Received) -> None:
        value = received.value
        if isinstance(value, LogTo):
            self._log_to(received.descriptors)
        elif isinstance(value, Accept):
            self._accepting = True
        elif isinstance(value, Show):
            self._show(value)
        elif isinstance(value, Measure):
            self._metrics.answer(value)
        elif isinstance(value, BeginTap):
            self._taps.begin(value)
        elif isinstance(value, EndTap):
            self._taps.end(value)
        elif isinstance(value, BeginLive):
            self._live.begin(value)
        elif isinstance(value, EndLive):
            self._live.end(value)
        elif isinstance(value, Retire):
            self._retire(value)
        elif isinstance(value, Drain):
            self._drain_within(value.seconds)

    def _log_to(self, descriptors: Sequence[int]) -> None:
        """The supervisor's file is another one, and so are all others that were renamed."""
        if not self._log_is_handed or not descriptors:
            for descriptor in descriptors:
                os.close(descriptor)
            if self._access_log.running:
                self._access_log.reopen()
            return
        self._log_file, first = descriptors[0], not self._access_log.running
        if first:
            self._access_log.startService()
        else:
            self._access_log.reopen()

    def _issued(self) -> None:
        """Certificates have come."""
        if self._awaits:
            self._awaits = self.data_plane.awaited
            self._supervisor.send(Awaits(self._awaits))

    def _next_log_file(self) -> int:
        descriptor, self._log_file = self._log_file, -1
        return descriptor

    def _show(self, show: Show) -> None:
        try:
            shown: ViewRows = ViewRows(show.number, rows(self.data_plane, show.view, show.of))
        except Exception as error:
            log.failure("a view can't be shown")
            shown = ViewRows(show.number, f"{type(error).__name__}: {error}")
        if not self._supervisor.offer(shown):
            self._supervisor.send(ViewRows(show.number, "too much is being shown already"))

    def _retire(self, retire: Retire) -> None:
        """Workers of a newer generation serve: end with the last connection."""
        if self._ending:
            return
        self._ending = True
        self._slots.set_connections(self._slot, ABSENT)
        self._retirement.begin(retire.gone).addCallback(lambda _: self._end())

    def _leave_ports(self) -> None:
        """Do nothing to sockets that others serve: this worker was never told to."""
        if not self._accepting:
            self.data_plane.retire(())

    def _drain_within(self, seconds: float) -> None:
        self._ending = True
        self._slots.set_connections(self._slot, ABSENT)
        if self._drain is None:
            self._leave_ports()
            self._drain = Draining(self.data_plane, self._reactor, seconds)
            self._drain.begin().addCallback(lambda _: self._end())
        elif seconds <= 0:
            self._drain.hurry()

    def _alone(self) -> None:
        """
        The supervisor is gone, and with it whoever would replace this worker: what is under way may end. Nothing is
        done to sockets that an older process may serve, whose place that supervisor was to take.
        """
        if self._accepting and not self._ending:
            self.data_plane.take_waiting()
        self.data_plane.retire(())
        self._drain_within(self._options.drain)

    def _end(self) -> None:
        if self._ended:
            return
        self._ended = True
        # the supervisor's channel stays open meanwhile: whoever closes it is taken for gone
        DeferredList([self._access_log.close_collected(), self._traces.stopService()]).addBoth(lambda _: self._leave())

    def _leave(self) -> None:
        self._clean()
        self._reactor.stop()

    def _clean(self) -> None:
        if self._beats.running:
            self._beats.stop()
        self._retirement.stop()
        self._live.stop()
        self.data_plane.stop()
        if self._access_log.running:
            self._access_log.stopService()
        # what ends with these counts
        self._metrics.stop()
        self._supervisor.finish(LAST_WORDS)

    # ------------------------------------------------------------------------------------------------------------------

    def _beat(self) -> None:
        self._slots.beat(self._slot, monotonic())
        self._slots.set_open(self._slot, self.data_plane.connections)
        if self._accepting and not self._ending:
            self._slots.set_connections(self._slot, self.data_plane.connections)

    def _takes_next(self) -> bool:
        """Whether the next connection is for this worker, and not for one that has fewer."""
        if not self._accepting:
            return False
        mine = self.data_plane.connections
        self._slots.set_connections(self._slot, mine)
        return takes_next(mine, self._slots.fewest(self._peers, monotonic() - LATE))


def serve(inheritance: Inheritance) -> NoReturn:
    """Be a worker until the end of the process."""
    # the stack of one that hangs is in the supervisor's log before it is killed
    faulthandler.enable()
    gc.set_threshold(GC_THRESHOLD, 10, 10)
    from twisted.internet import reactor as made  # noqa: PLC0415

    reactor = cast(Reactor, made)
    count_monotonic(reactor)
    reactor.installNameResolver(SystemResolver(reactor))
    status = 1
    try:
        worker = Worker(reactor, inheritance)
        globalLogBeginner.beginLoggingTo(
            [cast(ILogObserver, worker.observer)], discardBuffer=True, redirectStandardIO=False
        )
        if worker.start():
            reactor.run(installSignalHandlers=False)  # type: ignore[call-arg]
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        # not what the zygote would do at its end
        os._exit(status)
