"""A replay from logs and files to what was found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Final

from edgegate.diff.behaviour import service
from edgegate.diff.clusters import compare_clusters, renamed_clusters
from edgegate.diff.findings import Findings
from edgegate.diff.sides import Side
from edgegate.replay.comparison import AgainstFiles, AgainstLog, Comparison
from edgegate.replay.findings import Tally
from edgegate.replay.formats.reading import LineFormat
from edgegate.replay.formats.recognition import UnknownFormat, format_of, recognised, says_host
from edgegate.replay.log_file import LogFile, Piece
from edgegate.replay.logged_request import Defaults
from edgegate.replay.processes import replayed
from edgegate.replay.routing import Routing
from edgegate.replay.worker import Log, Worker
from edgegate.routing.hosts import host_of


class CannotReplay(Exception):
    """A log can't be read, or not without knowing more."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """
    How logs are to be read.

    @ivar format: What their writer was told, or the name of a format; empty: it is told by their lines.
    @ivar host: That was asked for, where the lines don't say it; empty: nobody knows.
    @ivar port: That requests came to, where the lines don't say it.
    @ivar ports: The numbers of the files, by those that were bound.
    @ivar jobs: Processes.
    """

    format: str = ""
    host: str = ""
    port: int | None = None
    ports: Mapping[int, int] = field(default_factory=dict)
    jobs: int = 1


class Replay:
    """
    Logs that are open, and the files that their requests are to go through.

    @ivar size: Bytes of all logs; 0: nobody knows.
    @ivar logs: How each is read.
    """

    def __init__(self, names: Sequence[str], old: Side | None, new: Side, wishes: Wishes) -> None:
        """
        @param old: What the answers are compared with; L{None}: with what the logs say.
        @raise CannotReplay: A log can't be.
        """
        self._old, self._new, self._wishes = old, new, wishes
        self._files: list[LogFile] = []
        self.logs: list[Log] = []
        try:
            for name in names:
                self._open(name)
        except CannotReplay:
            self.close()
            raise
        sizes = [file.size for file in self._files]
        self.size = sum(sizes) if all(sizes) else 0

    def run(self, progress: Callable[[int], None]) -> Tally:
        """
        Replay all.

        @param progress: Is told of bytes that are done.
        @raise CannotReplay: A log can't be read to its end.
        @raise edgegate.replay.processes.WorkerEnded: A process has ended.
        """
        worker = Worker(self.logs, self._comparison(), answers=self._old is None)
        try:
            return replayed(self._pieces(), worker, self._wishes.jobs, progress)
        except OSError as error:
            place = f"{error.filename}: " if error.filename else ""
            raise CannotReplay(f"{place}{error.strerror or error}") from None

    def close(self) -> None:
        """Close the logs."""
        for file in self._files:
            file.close()

    def _open(self, name: str) -> None:
        try:
            file = LogFile(name)
            self._files.append(file)
            form = format_of(self._wishes.format) if self._wishes.format else recognised(file.sample())
        except OSError as error:
            raise CannotReplay(f"{name}: {error.strerror or error}") from None
        except UnknownFormat as error:
            raise CannotReplay(f"{'--format' if self._wishes.format else name}: {error}") from None
        host = self._host(name, form)
        self.logs.append(Log(name, form, Defaults(host.encode("ascii"), self._wishes.port, self._wishes.ports)))

    def _host(self, name: str, form: LineFormat) -> str:
        """Return the host that was asked for, where lines don't say it."""
        if says_host(form):
            return ""
        found = self._wishes.host or _host_in(name, [self._new, *([] if self._old is None else [self._old])])
        if not found:
            raise CannotReplay(f"{name}: its lines ({form.name}) do not say which host was asked for: --host says it")
        if not found.isascii():
            raise CannotReplay(f"--host: clients ask for {found} by its name in ASCII, which begins with xn--")
        return found

    def _pieces(self) -> Iterator[Piece]:
        for at, file in enumerate(self._files):
            yield from file.pieces(at)

    def _comparison(self) -> Comparison:
        if self._old is None:
            return AgainstLog(Routing(self._new))
        renamed = renamed_clusters(self._old, self._new)
        found = Findings()
        compare_clusters(self._old, self._new, found, renamed)
        changes = {each.host: tuple(map(str, each.fields)) for each in found.differences}
        named = {name: changes[service(name)] for name in self._new.snapshot.clusters if service(name) in changes}
        return AgainstFiles(Routing(self._old, renamed), Routing(self._new), named)


_NO_HOST: Final = re.compile(
    r"(?i)^(?:access[._-]*log|access)[._-]+|[._-]*(?:\.gz|\.[0-9]+|-[0-9]{8}|\.log|[._-]access|[._-]ssl)$"
)
"""What names of logs begin and end with beside a host."""


def _host_in(name: str, sides: Sequence[Side]) -> str:
    """Return the host that the name of a log names, if it is one that files have by its name; else nothing."""
    text = PurePath(name).name
    while (shorter := _NO_HOST.sub("", text)) != text:
        text = shorter
    try:
        host = host_of(text.encode("ascii", "replace"))
    except ValueError:
        return ""
    tables = (chain.http for side in sides for each in side.snapshot.listeners for chain in each.chains())
    return host if any(table is not None and host in table for table in tables) else ""
