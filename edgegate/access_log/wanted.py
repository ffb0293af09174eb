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


def handed(asked: tuple[AccessLogFile, ...] | None, declared: tuple[AccessLogFile, ...] | None) -> AccessLogFile | None:
    """
    Return the log that a supervisor opens, while it may still open any file, and hands to its workers; L{None}: they
    open theirs, as all that the files ask for.

    @param asked: See L{access_logs}.
    @param declared: Likewise; a supervisor, which reads no files, has L{None}.
    """
    if asked is None and declared is not None:
        return None
    return next((each for each in access_logs(asked, declared) if each.is_file), None)
