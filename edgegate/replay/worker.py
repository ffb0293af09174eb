"""What replays pieces of logs, in whichever process."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from itertools import islice
from operator import itemgetter
from typing import Final

from edgegate.replay.comparison import Comparison
from edgegate.replay.findings import EXAMPLES, Example, Finding, Group, Tally
from edgegate.replay.formats import columns
from edgegate.replay.formats.reading import LineFormat, Values
from edgegate.replay.log_file import Piece
from edgegate.replay.logged_request import Defaults, RequestReader, printable

MOST_KNOWN: Final = 200_000
"""Requests that a process remembers, of all logs together; then the older half goes of the log with most of them."""

LONGEST_KNOWN: Final = 1024
"""Bytes of a line whose request is remembered."""

_SHOWN: Final = 300
"""Characters of an example."""


@dataclass(frozen=True, slots=True)
class Log:
    """
    A log, and how its lines are read.

    @ivar name: What the user calls it.
    """

    name: str
    format: LineFormat
    defaults: Defaults = field(default_factory=Defaults)


class Worker:
    """
    Replays lines, those that ask for the same once.

    @ivar tally: What was found.
    """

    def __init__(
        self, logs: Sequence[Log], comparison: Comparison, answers: bool, most_known: int = MOST_KNOWN
    ) -> None:
        """
        @param answers: Whether it matters how requests were answered.
        @param most_known: Requests that are remembered.
        """
        self.tally = Tally()
        self._most_known = most_known
        self._remembered = 0
        self._logs = [_LogReader(log, answers, comparison.asked()) for log in logs]
        self._comparison = comparison
        # by what tells requests apart whatever routes ask about, and where they do by that, too
        self._known: list[dict[Values, Group]] = [{} for _ in logs]
        self._known_wide: list[dict[Values, Group]] = [{} for _ in logs]

    def replay(self, piece: Piece) -> None:
        """
        Replay a piece.

        @raise OSError: It can't be read.
        """
        log = piece.log
        reader = self._logs[log]
        read, known = reader.key, self._known[log].get
        lines = piece.lines()
        for number, line in enumerate(lines):
            key = read(line)
            group = None if isinstance(key, str) else known(key)
            if group is None:
                group = self._meet(reader, log, key, line, Example(log, piece.number, number, ""))
            group.count += 1
        self.tally.lines[log, piece.number] = len(lines)

    def _meet(self, reader: _LogReader, log: int, key: Values | str, line: bytes, place: Example) -> Group:
        """Return the group of a line that is not known by what mostly tells them apart."""
        whole = reader.whole(line)
        if isinstance(whole, str):
            return self._shown(whole, place, line)
        wide = reader.wide(whole)
        group = self._known_wide[log].get(wide)
        if group is not None:
            return group
        request = reader.requests.request(whole)
        if isinstance(request, str):
            return self._shown(request, place, line)
        self._comparison.asked_more = False
        finding = self._comparison.judge(request)
        self.tally.decided += 1
        group = self.tally.group(finding)
        if len(group.examples) < EXAMPLES:
            group.show(place._replace(text=request.shown()[:_SHOWN]))
        if len(line) <= LONGEST_KNOWN:
            self._remember(log, key, wide, group)
        return group

    def _shown(self, why: Finding | str, place: Example, line: bytes) -> Group:
        group = self.tally.group(why)
        group.show(place._replace(text=printable(line[:_SHOWN])))
        return group

    def _remember(self, log: int, key: Values | str, wide: Values, group: Group) -> None:
        if not self._comparison.asked_more:
            if not isinstance(key, str):
                self._keep(self._known[log], key, group)
        else:
            self._keep(self._known_wide[log], wide, group)

    def _keep(self, known: dict[Values, Group], key: Values, group: Group) -> None:
        before = len(known)
        known[key] = group
        self._remembered += len(known) - before
        if self._remembered > self._most_known:
            most = max(*self._known, *self._known_wide, key=len)
            # whoever replays holds on to this very dictionary
            kept = list(islice(most.items(), (len(most) + 1) // 2, None))
            self._remembered -= len(most) - len(kept)
            most.clear()
            most.update(kept)


class _LogReader:
    """
    Reads the lines of one log, in two ways.

    @ivar key: What tells requests apart whatever routes ask about. What is odd is none of these lines.
    @ivar whole: All that is needed of a request.
    @ivar wide: Of that what tells requests apart by what routes ask about, too.
    """

    def __init__(self, log: Log, answers: bool, asked: Collection[str]) -> None:
        """
        @param asked: The columns that routes ask about.
        """
        said = log.format.columns
        host = next((each for each in columns.HOSTS if each in said), "")
        apart = {*_APART, host, *(columns.ANSWER if answers else ())}
        form = log.format
        self.key = form.reader([each for each in said if each in apart]).read
        whole = form.reader([each for each in said if each in {*apart, *columns.HOSTS, columns.QUERY, *asked}])
        self.whole = whole.read
        shown = [at for at, each in enumerate(whole.columns) if each in apart or each in asked]
        self.wide: Callable[[Values], Values] = itemgetter(*shown)
        self.requests = RequestReader(whole.columns, said, form.escapes, log.defaults)


_APART: Final = (
    *(columns.METHOD, columns.PATH, columns.PROTOCOL, columns.SNI),
    *(columns.LOCAL, columns.PORT, columns.SCHEME),
)
"""What tells requests apart, whatever routes ask about."""
