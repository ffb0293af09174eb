"""
The gateway as a Twisted service: it begins, takes over new files, and ends in good order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import cast

from twisted.application.service import MultiService
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReactorFromThreads, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger, LogLevel

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.config.report import summary
from edgegate.downstream.proxy_protocol import ProxyProtocolRules
from edgegate.http.limits import Limits
from edgegate.http.target import PathNormalisation
from edgegate.model.addresses import Address, TCPAddress
from edgegate.observe.counters import Counters
from edgegate.observe.events import Observer
from edgegate.observe.observers import Observers
from edgegate.routing.snapshot import Listener, Snapshot
from edgegate.server.data_plane import CannotBind, Contexts, DataPlane
from edgegate.server.reload import Outcome, Reload, changes
from edgegate.server.startup_log import certificates, hosts, kinds, mapped
from edgegate.sources.file_reader import defer_to_daemon
from edgegate.sources.loading import Loaded
from edgegate.startup import CannotStart
from edgegate.tls.secrets import EXPIRES_SOON, BadKeyMaterial
from edgegate.upstream.locality import Place
from edgegate.upstream.registry import ClusterRegistry

log = Logger(namespace=__name__)

DRAIN = 30.0
"""Seconds that requests and relays may go on after the gateway was told to end."""

_LOOK = 0.1
"""Seconds between two looks at whether a drain is done."""

_LEVELS = {Severity.ERROR: LogLevel.error, Severity.WARNING: LogLevel.warn, Severity.INFO: LogLevel.info}

Defer = Callable[[Callable[[], "_Read | None"]], "Deferred[_Read | None]"]


@dataclass(frozen=True, slots=True)
class _Read:
    """
    What was read, with the contexts made of it; none where it can't be served.

    @ivar changes: See L{Reload}.
    """

    loaded: Loaded
    contexts: Contexts | None = None
    changes: tuple[str, ...] = ()


class GatewayService(MultiService):
    """
    Serves what the files say.

    Its children begin after its ports are open, and end when nothing is served any more.

    @ivar counters: What happened so far.
    @ivar data_plane: All that serves.
    @ivar last_reload: What came of the last reading of the files; at first of the one at the start.
    @ivar followers: Called after each reading, with what was read. One that raises is logged, and no matter of the
        others or the next reading.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        loaded: Loaded,
        load: Callable[[], Loaded],
        observers: Iterable[Observer] = (),
        trusted_hops: int = 0,
        max_connections: int | None = None,
        paths: PathNormalisation = PathNormalisation.BASE,
        drain: float = DRAIN,
        defer: Defer | None = None,
        proxy_protocol: ProxyProtocolRules = ProxyProtocolRules(),  # noqa: B008 (frozen)
        place: Place = Place(),  # noqa: B008 (frozen)
        dns_servers: tuple[TCPAddress, ...] = (),
        limits: Limits = Limits(),  # noqa: B008 (frozen)
        shadow_hosts: bool = False,
    ) -> None:
        """
        @param loaded: The files without an error in them.
        @param load: Reads them anew.
        @param observers: Told of what happens, besides the counters.
        @param trusted_hops: See L{DataPlane}, as for C{max_connections}, C{paths}, C{proxy_protocol}, C{place},
            C{dns_servers}, C{limits} and C{shadow_hosts}.
        @param drain: Seconds that C{stopService} waits for what is under way.
        @param defer: Calls something that takes its time; by default in a thread that nobody waits for at the end.
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        super().__init__()  # type: ignore[no-untyped-call]
        assert loaded.snapshot is not None
        path = loaded.sources.path
        self._config = loaded.sources.config if path is None else str(path)
        self.counters = Counters()
        told = Observers([self.counters, *observers])
        self.data_plane = DataPlane(
            reactor,
            told,
            trusted_hops,
            max_connections,
            paths,
            proxy_protocol,
            place,
            dns_servers,
            limits,
            shadow_hosts,
        )
        self.followers: list[Callable[[Loaded], None]] = []
        self._read = _Read(loaded, self.data_plane.contexts(loaded.snapshot))
        self._load = load
        self._defer = partial(defer_to_daemon, cast(IReactorFromThreads, reactor)) if defer is None else defer
        self._clock = cast(IReactorTime, reactor)
        self._drain = drain
        self._opened = self._ending = self._hurried = self._aborted = False
        self._looking: LoopingCall | None = None
        self._reloading = self._changed = False
        self._waiting: list[Deferred[Reload]] = []
        self._under_way: list[Deferred[Reload]] = []
        self.last_reload = Reload(Outcome.INSTALLED, _now(), loaded.problems)

    @property
    def config(self) -> str:
        """The path of its files, absolute; C{-} for standard input."""
        return self._config

    @property
    def snapshot(self) -> Snapshot:
        """What is served."""
        return self.data_plane.snapshot

    @property
    def clusters(self) -> ClusterRegistry:
        """The state of the clusters."""
        return self.data_plane.clusters

    @property
    def ready(self) -> bool:
        """Whether requests are served: the ports are open, and the gateway is not ending."""
        return self._opened and not self._ending

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
        self._follow()

    def stopService(self) -> Deferred[None]:
        """
        Close the ports, serve who has connected already, let requests and relays end, then reset what is left.

        @return: Fires when nothing is left.
        """
        self._ending = True
        self.data_plane.drain()
        if self.connections:
            count = self.connections
            log.info("draining {count} connections for up to {seconds:g} seconds", count=count, seconds=self._drain)
        until = self._clock.seconds() + self._drain
        self._looking = looking = LoopingCall(self._look, until)
        looking.clock = self._clock
        done: Deferred[None] = looking.start(_LOOK, now=True).addCallback(lambda _: self._ended())
        return done

    def hurry(self) -> None:
        """End the drain at once; one that has not begun yet ends as it begins."""
        self._hurried = True
        looking = self._looking
        if looking is not None and looking.running:
            self._look(self._clock.seconds())

    def _ended(self) -> Deferred[None]:
        self.data_plane.stop()
        children: Deferred[None] = super().stopService()  # type: ignore[no-untyped-call]
        return children

    def _open(self) -> None:
        if self._opened:
            return
        self._opened = True
        snapshot, contexts = self._read.loaded.snapshot, self._read.contexts
        assert snapshot is not None and contexts is not None
        try:
            self.data_plane.install(snapshot, contexts)
        except CannotBind as error:
            origin = error.listener.origin
            raise CannotStart(
                f"cannot bind {error.listener.bind} for {origin.resource} ({origin}): {error.reason}"
            ) from None

    def _say_what_is_served(self) -> None:
        if not self.snapshot.listeners:
            log.info("no listener is open: no Gateway says so")
        for listener in self.snapshot.listeners:
            log.info(
                "serving {kinds} on {address}{mapped} for {hosts} ({origin})",
                kinds=kinds(listener),
                address=str(self.bound(listener)),
                mapped=mapped(listener),
                hosts=hosts(listener),
                origin=str(listener.origin),
            )
        for pair, days in certificates(self.snapshot, _now()):
            level = LogLevel.warn if days < EXPIRES_SOON.days else LogLevel.info
            log.emit(level, "certificate {name} is valid for {days} more days", name=pair.name, days=days)

    def _look(self, until: float) -> None:
        """End the drain when nothing is under way, or its time is over."""
        looking = self._looking
        assert looking is not None
        if not self._aborted and not self.data_plane.ended:
            if self._clock.seconds() >= until or self._hurried:
                if self.connections:
                    log.info("resetting {count} connections", count=self.connections)
                self._aborted = True
                self.data_plane.abort()
                # what is reset is over, and in the access log, by the next look
            return
        looking.stop()

    # New files --------------------------------------------------------------------------------------------------------

    def reload(self) -> Deferred[Reload]:
        """
        Read the files again, and serve what they say now; what is wrong with them keeps what runs.

        Who asks while one is under way gets the next one, which has seen what made them ask.

        @return: Fires with what came of it, never with a failure.
        """
        asked: Deferred[Reload] = Deferred()
        self._waiting.append(asked)
        self._begin_unless_under_way()
        return asked

    def files_changed(self) -> None:
        """Files may have changed: reload if they have. Nobody waits for the outcome."""
        self._changed = True
        self._begin_unless_under_way()

    def _begin_unless_under_way(self) -> None:
        if not self._reloading:
            self._reloading = True
            self._under_way, self._waiting = self._waiting, []
            self._changed = False
            Deferred.fromCoroutine(self._reload())

    async def _reload(self) -> None:
        since = self._clock.seconds()
        try:
            reload = self._install(await self._defer(self._read_again))
        except Exception as error:
            # whatever is wrong with us, what runs goes on
            log.failure("the reload broke")
            problems = Problems()
            problems.add(Problem("edgegate", 1, 1, Severity.ERROR, "", f"internal error: {type(error).__name__}"))
            reload = Reload(Outcome.REFUSED, _now(), problems)
        self._reloaded(replace(reload, seconds=self._clock.seconds() - since))

    def _follow(self) -> None:
        for follower in self.followers:
            try:
                follower(self._read.loaded)
            except Exception:
                log.failure("what follows the reading of files broke")

    def _read_again(self) -> _Read | None:
        """Read the files, in a thread; nothing where they are what they were."""
        # who asks for what was refused is told once more why, and a port may have become free
        again = self.last_reload.outcome is Outcome.REFUSED and self._under_way
        if not again and not self._read.loaded.sources.changed():
            return None
        loaded = self._load()
        if loaded.snapshot is None:
            return _Read(loaded)
        try:
            contexts = self.data_plane.contexts(loaded.snapshot)
        except BadKeyMaterial as error:
            loaded.problems.add(Problem(error.name, 1, 1, Severity.ERROR, "", error.reason))
            return _Read(loaded)
        return _Read(loaded, contexts, changes(self.snapshot, loaded.snapshot))

    def _install(self, read: _Read | None) -> Reload:
        if read is None or self._ending:
            return Reload(Outcome.UNCHANGED, _now(), self.last_reload.problems)
        self._read = read
        loaded = read.loaded
        refused = Reload(Outcome.REFUSED, _now(), loaded.problems)
        if loaded.snapshot is None or read.contexts is None:
            return refused
        try:
            self.data_plane.install(loaded.snapshot, read.contexts)
        except CannotBind as error:
            origin = error.listener.origin
            loaded.problems.add(Problem(origin.file, origin.line, 1, Severity.ERROR, "", str(error)))
            return refused
        return Reload(Outcome.INSTALLED, _now(), loaded.problems, read.changes)

    def _reloaded(self, reload: Reload) -> None:
        if reload.outcome is not Outcome.UNCHANGED:
            self.last_reload = reload
        waiting, self._under_way = self._under_way, []
        try:
            if reload.outcome is not Outcome.UNCHANGED or waiting:
                self._say_what_changed(reload)
            if reload.outcome is not Outcome.UNCHANGED:
                self._follow()
        finally:
            # whatever happens, who waits is told and the next one begins
            self._reloading = False
            if self._waiting or self._changed:
                self._begin_unless_under_way()
            for asked in waiting:
                asked.callback(reload)

    def _say_what_changed(self, reload: Reload) -> None:
        if reload.outcome is Outcome.UNCHANGED:
            log.info("reload: nothing has changed")
            return
        for problem in reload.problems:
            log.emit(_LEVELS[problem.severity], "{problem}", problem=str(problem))
        if reload.outcome is Outcome.REFUSED:
            log.error("reload refused: what was served before goes on ({problems})", problems=summary(reload.problems))
            return
        log.info("reloaded in {seconds:.3f} seconds", seconds=reload.seconds)
        for change in reload.changes:
            log.info("reload: {change}", change=change)


def _now() -> datetime:
    return datetime.now(timezone.utc)
