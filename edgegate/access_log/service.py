"""The access logs in their files, from the start of the gateway to its end: as options say, or what was loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

from twisted.application.service import Service
from twisted.internet.interfaces import IDelayedCall, IReactorFromThreads, IReactorTime
from twisted.logger import Logger

from edgegate.access_log.destinations import log_file
from edgegate.access_log.lines import followed_line, log_line
from edgegate.access_log.wanted import access_logs
from edgegate.model.access_logs import AccessLogFile
from edgegate.observe.access_log import AccessLog
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


class AccessLogService(Service):
    """
    Opens the files of the log and closes them.

    @ivar log: What is told.
    """

    def __init__(
        self, clock: IReactorTime, asked: tuple[AccessLogFile, ...] | None = None, opener: Opener | None = None
    ) -> None:
        """
        @param clock: Also provides C{IReactorFromThreads}.
        @param asked: The logs that options ask for; L{None}: what the files say.
        @param opener: Where one log is asked for: returns the descriptor of its file.
        """
        self.log = AccessLog((), self._start_timer)
        self._clock = clock
        self._asked = asked
        self._opener = opener
        self._written: tuple[AccessLogFile, ...] = ()
        self._files: dict[str, LogFile] = {}
        self._left: list[LogFile] = []  # whose last lines are being written
        self._lost = 0  # by files that are not written any more
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

    def stopService(self) -> None:
        """Write what is left."""
        super().stopService()  # type: ignore[no-untyped-call]
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()
        self.log.flush()
        for file in (*self._files.values(), *self._left):
            file.close()
        self._lost = self.lines_lost()
        self._files, self._left = {}, []

    def lines_lost(self) -> int:
        """Return how many lines could not be written so far."""
        return self._lost + sum(file.lost for file in (*self._files.values(), *self._left))

    def line(self, json: bool) -> Line:
        """Return what makes a line of all that ends, for who follows: in the format of the first log, if it fits."""
        return followed_line(self._written, json)

    def reopen(self) -> None:
        """Go on in new files: the old ones were renamed."""
        self.log.flush()
        for file in self._files.values():
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
        fresh: dict[str, LogFile] = {}
        lines: list[Line] = []
        for each in wanted:
            try:
                lines.append(log_line(each))
                if each.path not in self._files and each.path not in fresh:
                    file = log_file(each.path, self._complain, self._opener)
                    file.open()
                    fresh[each.path] = file
            except (OSError, ValueError, RecursionError) as error:
                _close(fresh)
                reason = error.strerror if isinstance(error, OSError) else None
                raise CannotLog(each, reason or str(error)) from None

        def decide(taken: bool) -> None:
            if not taken:
                _close(fresh)
                return
            files = {**self._files, **fresh}
            self._files = {each.path: files[each.path] for each in wanted}
            self._written = wanted
            self._opened = True
            self.log.use([(line, files[each.path].write) for line, each in zip(lines, wanted, strict=True)])
            self._leave([file for path, file in files.items() if path not in self._files])

        return decide

    def _leave(self, files: list[LogFile]) -> None:
        """Have files that are not wanted any more end by themselves: a slow disk must not hold up what is served."""
        for file in files:
            file.leave()
        ended = [file for file in self._left if file.ended]
        self._lost += sum(file.lost for file in ended)
        self._left = [file for file in self._left if file not in ended] + files

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


def _close(files: dict[str, LogFile]) -> None:
    for file in files.values():
        file.close()
