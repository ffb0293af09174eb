# Compiled: values that hot modules read.
"""Access logs as the files or options ask for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.model.log_formats import DefaultFormat, LogFormat
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable

STANDARD_OUTPUT = "/dev/stdout"
STANDARD_ERROR = "/dev/stderr"
SYSLOG = "syslog:"
"""What the path of a log begins with that goes there: C{syslog:unix:/dev/log}, C{syslog:udp:HOST:PORT}."""


@dataclass(frozen=True, slots=True)
class AccessLogFile(Picklable):
    """
    One log.

    @ivar path: The file, L{STANDARD_OUTPUT}, L{STANDARD_ERROR}, or what begins with L{SYSLOG}.
    @ivar name: What the files call it, such as a provider; empty: options ask for it.
    @ivar filter: What of all is logged, in CEL (L{edgegate.model.cel}); empty: all.
    @ivar unmatched: Whether connections are logged that no server is for.
    @ivar origin: Where the files say that it is written.
    """

    path: str
    format: LogFormat = DefaultFormat.TEXT
    name: str = ""
    filter: str = ""
    unmatched: bool = True
    origin: Origin | None = field(default=None, compare=False)
