"""What reads lines, whatever their format."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, Protocol

from edgegate.replay.formats.escapes import Escapes

Values = tuple[bytes | None, ...]
"""The values of a line, as they are written; L{None}: the line says that there is none, or is known not to say it."""

NO_LINE: Final = "no line of this format"
NO_REQUEST: Final = "no request: a relay, or a connection that came to nothing"
NO_REQUEST_LINE: Final = "the request line is none: it was refused"
UNSURE: Final = "it can be read in two ways: quotes in it are not escaped (envoy#4191)"


class LineReader(Protocol):
    """Reads lines of one format."""

    @property
    def columns(self) -> tuple[str, ...]:
        """What of each line is returned."""

    def read(self, line: bytes) -> Values | str:
        """
        Read a line.

        @return: The values of the columns, or why there are none: one of the reasons above.
        """


class LineFormat(Protocol):
    """
    A format of lines.

    @ivar name: What it is called.
    """

    @property
    def name(self) -> str: ...

    @property
    def columns(self) -> tuple[str, ...]:
        """What its lines say."""

    @property
    def escapes(self) -> Escapes:
        """How what clients sent is written in the values that are read."""

    def reader(self, wanted: Collection[str]) -> LineReader:
        """Return what reads these columns of its lines, as far as they say them."""
