"""What is read from files and may be served next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

from twisted.internet.defer import Deferred, succeed
from twisted.logger import Logger, LogLevel

from edgegate.access_log.service import AccessLogService, CannotLog
from edgegate.config.problems import Problem, Problems, Severity
from edgegate.observe.tracing.tracing_service import TracingService
from edgegate.server.contexts import Contexts
from edgegate.server.data_plane import DataPlane
from edgegate.server.loader_process import CannotLaunch
from edgegate.server.outside_loader import Defer, OutsideLoader
from edgegate.server.ports import CannotBind
from edgegate.server.reload import changes
from edgegate.sources.loading import Loaded
from edgegate.sources.source import Contents, Watched
from edgegate.tls.secrets import BadKeyMaterial

log = Logger(namespace=__name__)

Load = Callable[[Contents | None], Loaded | None]
"""Reads files anew; returns L{None} where all is what it was before, if there is something to compare."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """
    What was read, with the contexts made of it; none where it can't be served.

    @ivar changes: See L{edgegate.server.reload.Reload}.
    """

    loaded: Loaded
    contexts: Contexts | None = None
    changes: tuple[str, ...] = ()

    @property
    def problems(self) -> Problems:
        """What is wrong with it."""
        return self.loaded.problems

    @property
    def watched(self) -> Watched:
        """Where a change of it would be seen."""
        return self.loaded.contents.watched


class Candidates:
    """
    Reads candidates, and has a data plane serve them.

    @ivar latest: What was read last, whatever came of it.
    """

    def __init__(
        self,
        data_plane: DataPlane,
        first: Loaded,
        load: Load,
        defer: Defer,
        outside: OutsideLoader | None = None,
        logs: AccessLogService | None = None,
        traces: TracingService | None = None,
    ) -> None:
        """
        @param first: The files without an error in them.
        @param defer: Calls what takes its time.
        @param outside: Reads in place of C{load} where there is much to read.
        @param logs: Writes the access logs that the files ask for.
        @param traces: Traces as the files say.
        @raise edgegate.tls.secrets.BadKeyMaterial: A server's certificate, key, authorities or ciphers are of no use.
        """
        assert first.snapshot is not None
        self._data_plane = data_plane
        self._load = load
        self._defer = defer
        self._outside = outside
        self._logs = logs
        self._traces = traces
        self._proxy = first.snapshot.proxy
        self.latest = Candidate(first, data_plane.contexts(first.snapshot, first.secrets))

    def read(self, anyway: bool) -> Deferred[Candidate | None]:
        """Read the files, where they are not what they were or it is to be done anyway; see
        L{edgegate.server.reload_coordinator.Steps}."""
        before = None if anyway else self.latest.loaded.contents
        if self._outside is None:
            return self._defer(partial(self._read, before))
        return Deferred.fromCoroutine(self._read_outside(self._outside, before))

    async def _read_outside(self, outside: OutsideLoader, before: Contents | None) -> Candidate | None:
        """Read in another process where that is called for and can be done."""
        if await outside.wanted(self.latest.loaded.contents.size):
            try:
                loaded = await outside.load(before)
            except CannotLaunch as error:
                words = "no other process can read the files ({reason}): this one does, and requests wait meanwhile"
                log.emit(LogLevel.warn, words, reason=str(error))
            else:
                return None if loaded is None else await self._defer(partial(self._made, loaded))
        return await self._defer(partial(self._read, before))

    def end(self) -> None:
        """End what other processes do."""
        if self._outside is not None:
            self._outside.end()

    def _read(self, before: Contents | None) -> Candidate | None:
        """Touches nothing that is served, as L{_made}: may be called in a thread."""
        loaded = self._load(before)
        return None if loaded is None else self._made(loaded)

    def _made(self, loaded: Loaded) -> Candidate:
        if loaded.snapshot is None:
            return Candidate(loaded)
        if loaded.snapshot.proxy.paths != self._proxy.paths:
            message = "pathNormalization of MeshConfig is another than at the start: it counts from the next start on, "
            message += "unless --path-normalization is given"
            loaded.problems.add(Problem(loaded.source.name, 1, 1, Severity.WARNING, "", message))
        if replace(loaded.snapshot.proxy, paths="") != replace(self._proxy, paths=""):
            message = (
                "defaultConfig of MeshConfig says otherwise than at the start how many proxies are trusted, or what "
            )
            message += "becomes of headers with underscores: it counts from the next start on, unless options say it"
            loaded.problems.add(Problem(loaded.source.name, 1, 1, Severity.WARNING, "", message))
        try:
            contexts = self._data_plane.contexts(loaded.snapshot, loaded.secrets)
        except BadKeyMaterial as error:
            loaded.problems.add(Problem(error.name, 1, 1, Severity.ERROR, "", error.reason))
            return Candidate(loaded)
        served = self._data_plane
        renewed = contexts.secrets.renewed_since(served.secrets.secrets)
        told = changes(served.snapshot, loaded.snapshot, served.endpoints, loaded.endpoints, renewed)
        return Candidate(loaded, contexts, told)

    def install(self, read: Candidate) -> Deferred[bool]:
        """
        Serve what was read; fires, at once, with whether it is served. Where it can't be, what is wrong is among its
        problems, and what was served before is.
        """
        return succeed(self._install(read))

    def _install(self, candidate: Candidate) -> bool:
        before, self.latest = self._data_plane.snapshot, candidate
        loaded = candidate.loaded
        if loaded.snapshot is None or candidate.contexts is None:
            return False
        try:
            self._serve(loaded, candidate.contexts)
        except CannotBind as error:
            origin = error.listener.origin
            loaded.problems.add(Problem(origin.file, origin.line, 1, Severity.ERROR, "", str(error)))
            return False
        except CannotLog as error:
            where = error.wanted.origin
            file, line = (loaded.source.name, 1) if where is None else (where.file, where.line)
            loaded.problems.add(Problem(file, line, 1, Severity.ERROR, "", str(error)))
            return False
        if self._outside is not None:
            self._outside.let_go(before)
        return True

    def _serve(self, loaded: Loaded, contexts: Contexts) -> None:
        """
        Serve what was read, and log and trace it as it says, or change nothing.

        @raise CannotBind: A port can't be opened.
        @raise CannotLog: An access log can't be.
        """
        snapshot = loaded.snapshot
        assert snapshot is not None
        decide = _nothing if self._logs is None else self._logs.prepare(snapshot.access_logs)
        try:
            self._data_plane.install(snapshot, contexts, loaded.endpoints)
        except BaseException:
            decide(False)
            raise
        decide(True)
        if self._traces is not None:
            self._traces.use(snapshot.tracing)

    def install_first(self) -> None:
        """
        Serve what was read at the start.

        @raise CannotBind: A port can't be opened.
        @raise CannotLog: An access log can't be.
        """
        loaded, contexts = self.latest.loaded, self.latest.contexts
        assert contexts is not None
        self._serve(loaded, contexts)


def _nothing(_: bool) -> None:
    """There is no log to decide about."""
