"""Where lines of access logs may go, besides files, as options and files say it."""

from __future__ import annotations

from edgegate.model.access_logs import OTLP, SYSLOG
from edgegate.model.collector_url import LOGS_PATH, collector_url
from edgegate.model.syslog import parse_syslog


def check_log_path(path: str) -> None:
    """
    @raise ValueError: The path of a log names a syslog or a collector, and is not written so.
    """
    if path.startswith(SYSLOG):
        parse_syslog(path.removeprefix(SYSLOG))
    elif path.startswith(OTLP):
        collected_at(path)


def collected_at(path: str) -> str:
    """
    Return the URL of the collector that a path names.

    @raise ValueError: It names none.
    """
    return collector_url(path.removeprefix(OTLP), LOGS_PATH)
