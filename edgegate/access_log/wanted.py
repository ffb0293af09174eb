"""Which access logs are written: those that options ask for, else those of the files, else one on standard output."""

from __future__ import annotations

from edgegate.model.access_logs import AccessLogFile
from edgegate.observe.log_file import STANDARD_OUTPUT

DEFAULT = (AccessLogFile(STANDARD_OUTPUT),)
"""Where nobody asks for others."""


def access_logs(
    asked: tuple[AccessLogFile, ...] | None, declared: tuple[AccessLogFile, ...] | None
) -> tuple[AccessLogFile, ...]:
    """
    Return what is written.

    @param asked: What options ask for; L{None}: nothing.
    @param declared: What the files ask for, likewise.
    """
    if asked is not None:
        return asked
    return DEFAULT if declared is None else declared
