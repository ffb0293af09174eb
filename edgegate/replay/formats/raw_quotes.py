"""Lines of Envoy's text in which clients have put quotes: it does not escape them (envoy#4191)."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from edgegate.replay.formats import columns
from edgegate.replay.formats.reading import Values

_BEGIN: Final = re.compile(
    rb'\[[^\]]*\] "([^ ]+) ([^ ?]*)((?:\?[^ ]*)?) ([^ "]+)" (\d+) ([^ ]+) '
    rb'(?:([^ ]+) [^ ]+ ".*?" )?\d+ \d+ \d+ [^ ]+ "'
)
_END: Final = re.compile(rb'[^"]*"(?: ([^ "]+) [^ "]+ ([^ "]+) [^ "]+ ([^ "]+) ([^"]+?))?\s*\Z')
_BETWEEN: Final = b'" "'
_EACH_BETWEEN: Final = re.compile(rb'(?=" ")')

_BEGIN_COLUMNS: Final = (
    *(columns.METHOD, columns.PATH, columns.QUERY, columns.PROTOCOL),
    *(columns.STATUS, columns.FLAGS, columns.DETAILS),
)
_END_COLUMNS: Final = (columns.CLUSTER, columns.LOCAL, columns.SNI, columns.ROUTE)
_QUOTED: Final = 4
"""X-Forwarded-For, User-Agent, X-Request-ID and the authority stand in quotes before the backend, which has its own."""


class RawQuotesReader:
    """
    Reads lines of Istio's or Envoy's default format from both ends: what is between belongs to the user agent.

    @ivar columns: What of each line is returned.
    """

    def __init__(self, wanted: Collection[str], istio: bool) -> None:
        """
        @param istio: Whether the format is Istio's, which says more than Envoy's own.
        """
        self.columns = tuple(wanted)
        self._istio = istio

    def read(self, line: bytes) -> tuple[Values, bool] | None:
        """
        Read a line.

        @return: The values, and whether they are unsure, as the line could be read in two ways; L{None}: it is no line
            of that format.
        """
        begin = _BEGIN.match(line)
        if begin is None:
            return None
        pieces = line[begin.end() :].split(_BETWEEN)
        end = _END.match(pieces[-1])
        if len(pieces) <= _QUOTED or end is None:
            return None
        if self._istio is not (begin[7] is not None and end[1] is not None):
            return None
        said: dict[str, bytes | None] = dict(zip(_BEGIN_COLUMNS, begin.groups(), strict=True))
        if end[1] is not None:
            said.update(zip(_END_COLUMNS, end.groups(), strict=True))
        said[columns.header("x-forwarded-for")] = pieces[0]
        said[columns.header("user-agent")] = _BETWEEN.join(pieces[1:-3])
        said[columns.header("x-request-id")] = pieces[-3]
        said[columns.AUTHORITY] = pieces[-2]
        # where they overlap it can't be told which quotes are the format's
        unsure = len(_EACH_BETWEEN.findall(line, begin.end())) > _QUOTED
        return tuple(said.get(each) for each in self.columns), unsure
