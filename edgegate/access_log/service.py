"""
The access logs in their files and on their way to collectors, from the start of the gateway to its end: as options say,
or what was loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from twisted.application.service import Service
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.logger import Logger

from edgegate.access_log.collected_log import CollectedLog
from edgegate.access_log.destinations import log_file
from edgegate.access_log.lines import followed_line, log_line
from edgegate.access_log.otlp_records import RecordOutput, RecordWriter
from edgegate.access_log.wanted import access_logs
from edgegate.model.access_logs import AccessLogFile
from edgegate.observe.access_log import AccessLog, LineOutput, Output
from edgegate.observe.export.otlp import Attribute
from edgegate.observe.log_file import LogFile
from edgegate.observe.log_lines import Line

log = Logger(namespace=__name__)

Opener = Callable[[], int]
"""Returns the descriptor of a file, in place of opening it."""


class CannotLog(Exception):
    """
    A log can't be written.

    @ivar wanted: Which.
    """

    def __init__(self, wanted: AccessLogFile, reason: str) -> None:
        self.wanted = wanted
        super().__init__(f"cannot open the access log {wanted.path}: {reason}")


@dataclass(slots=True)
class _Opened:
    """
    Where lines go.

    @ivar files: By their paths.
    @ivar collected: By their destinations.
    """

    files: dict[str, LogFile] = field(default_factory=dict)
    collected: dict[tuple[str, str], CollectedLog] = field(default_factory=dict)

    def output(self, wanted: AccessLogFile, made: Line | RecordWriter) -> Output:
        """Return what takes what ended to where it is wanted."""
        if isinstance(made, RecordWriter):
            return RecordOutput(made, self.collected[wanted.destination].add)
        return LineOutput(made, self.files[wanted.path].write)

    def __iter__(self) -> Iterator[LogFile | CollectedLog]:
        yield from self.files.values()
        yield from self.collected.values()


class AccessLogService(Service):
    """
    Opens what takes the lines of the log, and closes it.

    @ivar log: What is told.
    """

    def __init__(
        self,
        clock: IReactorTime,
        asked: tuple[AccessLogFile, ...] | None = None,
        opener: Opener | None = None,
        resource: Sequence[Attribute] = (),
    ) -> None:
        """
        @param clock: Also provides C{IReactorFromThreads}.
        @param asked: The logs that options ask for; L{None}: what the files say.
        @param opener: Where one log is asked for: returns the descriptor of its file.
        @param resource: What collectors are told of the gateway.
        """
        self.log = AccessLog((), self._start_timer)
        self._clock = clock
        self._asked = asked
        self._opener = opener
        self._resource = resource
        self._written: tuple[AccessLogFile, ...] = ()
        self._open_now = _Opened()
        self._left: list[LogFile | CollectedLog] = []  # whose last lines are being written
        self._lost = 0  # by what is not written any more
        self._timer: IDelayedCall | None = None
        self._opened = False

    def privilegedStartService(self) -> None:
        """
        Open the files, while the process may still open any.

        @raise CannotLog: One can't be opened.
        """
        super().privilegedStartService()  # type: ignore[no-untyped-call]
        self._open()

    def startService(self) -> None:
        """
        Write from now on.

        @raise CannotLog: See L{privilegedStartService}, which C{twist} leaves out.
        """
        super().startService()  # type: ignore[no-untyped-call]
        self._open()

    def stopService(self) -> Deferred[None]:
        """
        Write what is left.

        @return: Fires when files are written, and collectors have what is left, or have had their time.
        """
        super().stopService()  # type: ignore[no-untyped-call]
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        collected = self.close_collected()
        for each in (*self._open_now, *self._left):
            if isinstance(each, LogFile):
                each.close()
        self.log.use(())
        # those that collectors are to get now may still be lost
        left: list[LogFile | CollectedLog] = list(self._open_now.collected.values())
        left += [each for each in self._left if isinstance(each, CollectedLog)]
        self._lost = self.lines_lost() - sum(each.lost for each in left)
        self._open_now, self._left = _Opened(), left
        return collected

    def close_collected(self) -> Deferred[None]:
        """
        Have collectors get what ended so far; what ends later they do not get.

        @return: Fires when they have it, or have had their time.
        """
        self.log.flush()
        ending = [each.close() for each in (*self._open_now, *self._left) if isinstance(each, CollectedLog)]
        return DeferredList(ending).addCallback(lambda _: None)

    def lines_lost(self) -> int:
        """Return how many lines could not be written so far."""
        lost: int = sum(each.lost for each in (*self._open_now, *self._left))
        return self._lost + lost

    def line(self, json: bool) -> Line:
        """Return what makes a line of all that ends, for who follows: in the format of the first log, if it fits."""
        return followed_line(self._written, json)

    def reopen(self) -> None:
        """Go on in new files: the old ones were renamed."""
        self.log.flush()
        for file in self._open_now.files.values():
            try:
                file.reopen()
            except OSError as error:
                log.error("cannot reopen the access log {path}: {reason}", path=file.path, reason=error.strerror)

    def prepare(self, declared: tuple[AccessLogFile, ...] | None) -> Callable[[bool], None]:
        """
        Open what is to be written and not open yet.

        @param declared: What the files ask for; L{None}: they say nothing.
        @return: Is to be called once: with whether what is wanted is to be written from now on. Else all is as it was.
        @raise CannotLog: A file can't be opened, or its lines can't be made; all is as it was.
        """
        wanted = access_logs(self._asked, declared)
        fresh = _Opened()
        made: list[Line | RecordWriter] = []
        for each in wanted:
            try:
                made.append(RecordWriter(each) if each.is_collected else log_line(each))
                self._prepare(each, fresh)
            except (OSError, ValueError, RecursionError) as error:
                _close(fresh)
                reason = error.strerror if isinstance(error, OSError) else None
                raise CannotLog(each, reason or str(error)) from None

        def decide(taken: bool) -> None:
            if not taken:
                _close(fresh)
                return
            files = {**self._open_now.files, **fresh.files}
            collected = {**self._open_now.collected, **fresh.collected}
            now = self._open_now = _Opened(
                {each.path: files[each.path] for each in wanted if not each.is_collected},
                {each.destination: collected[each.destination] for each in wanted if each.is_collected},
            )
            self._written = wanted
            self._opened = True
            self.log.use([now.output(each, maker) for each, maker in zip(wanted, made, strict=True)])
            kept = {id(each) for each in now}
            before: list[LogFile | CollectedLog] = [*files.values(), *collected.values()]
            self._leave([each for each in before if id(each) not in kept])

        return decide

    def _prepare(self, wanted: AccessLogFile, fresh: _Opened) -> None:
        """
        Open what a log needs, if it is not open.

        @raise OSError: It can't be opened.
        @raise ValueError: It is nowhere that lines can go.
        """
        if wanted.is_collected:
            where = wanted.destination
            if where not in self._open_now.collected and where not in fresh.collected:
                fresh.collected[where] = collected = CollectedLog(self._clock, wanted, self._resource)
                collected.open()
        elif wanted.path not in self._open_now.files and wanted.path not in fresh.files:
            file = log_file(wanted.path, self._complain, self._opener)
            file.open()
            fresh.files[wanted.path] = file

    def _leave(self, gone: list[LogFile | CollectedLog]) -> None:
        """Have what is not wanted any more end by itself: a slow disk or collector must not hold up what is served."""
        for each in gone:
            if isinstance(each, LogFile):
                each.leave()
            else:
                each.close()
        ended = [each for each in self._left if each.ended]
        self._lost += sum(each.lost for each in ended)
        self._left = [each for each in self._left if each not in ended] + gone

    def _open(self) -> None:
        if not self._opened:
            self.prepare(None)(True)

    def _complain(self, words: str) -> None:
        """Say what is wrong with a file, from whichever thread."""
        cast(IReactorFromThreads, self._clock).callFromThread(log.error, "access log {words}", words=words)

    def _start_timer(self, seconds: float) -> None:
        if self._timer is None:
            self._timer = self._clock.callLater(seconds, self._flush)

    def _flush(self) -> None:
        self._timer = None
        self.log.flush()


def _close(opened: _Opened) -> None:
    for each in opened:
        each.close()
