# Compiled: values that hot modules read.
"""Access logs as the files or options ask for them."""

from __future__ import annotations

from dataclasses import dataclass, field

from edgegate.model.log_formats import DefaultFormat, JSONObject, LogFormat
from edgegate.model.origin import Origin
from edgegate.model.picklable import Picklable

STANDARD_OUTPUT = "/dev/stdout"
STANDARD_ERROR = "/dev/stderr"
SYSLOG = "syslog:"
"""What the path of a log begins with that goes there: C{syslog:unix:/dev/log}, C{syslog:udp:HOST:PORT}."""

OTLP = "otlp:"
"""What it begins with where lines go to a collector of OpenTelemetry's: C{otlp:http://127.0.0.1:4318}."""

LOG_NAME = "otel_envoy_accesslog"
"""What such a log is called where nobody says otherwise, as in Istio."""


@dataclass(frozen=True, slots=True)
class AccessLogFile(Picklable):
    """
    One log.

    @ivar path: The file, L{STANDARD_OUTPUT}, L{STANDARD_ERROR}, or what begins with L{SYSLOG} or L{OTLP}.
    @ivar name: What the files call it, such as a provider; empty: options ask for it.
    @ivar filter: What of all is logged, in CEL (L{edgegate.model.cel}); empty: all.
    @ivar unmatched: Whether connections are logged that no server is for.
    @ivar attributes: What its records say beside their text, where it goes to a collector; L{None}: nothing.
    @ivar log_name: What a collector is told that it is called.
    @ivar origin: Where the files say that it is written.
    """

    path: str
    format: LogFormat = DefaultFormat.TEXT
    name: str = ""
    filter: str = ""
    unmatched: bool = True
    attributes: JSONObject | None = None
    log_name: str = LOG_NAME
    origin: Origin | None = field(default=None, compare=False)

    @property
    def is_file(self) -> bool:
        """Whether it is a file or a stream of the process, which another process can open for this one."""
        return not self.path.startswith((SYSLOG, OTLP))

    @property
    def is_collected(self) -> bool:
        """Whether it goes to a collector."""
        return self.path.startswith(OTLP)

    @property
    def destination(self) -> tuple[str, str]:
        """What it has in common with others whose lines go to the same place."""
        return self.path, self.log_name if self.is_collected else ""
