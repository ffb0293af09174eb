# Hot path: gives the values of each line of a format that is not the default.
"""
Times in the access log: moments, and what lies between two of them.
"""

from __future__ import annotations

from collections.abc import Callable
from time import time
from typing import Final

from edgegate.access_log.record import Getter, LogRecord, Value
from edgegate.http.formatter_time import formatted
from edgegate.observe.log_lines import milliseconds, moment


def start_time(local: bool) -> Callable[[str], Getter]:
    """C{%START_TIME(FORMAT)%}, in UTC or, where it is C{local}, in the machine's time zone."""

    def made(argument: str) -> Getter:
        if not argument and not local:
            return lambda record: moment(record.began)
        return lambda record: formatted(record.began, argument, local)

    return made


def emit_time(local: bool) -> Callable[[str], Getter]:
    """C{%EMIT_TIME(FORMAT)%}: of when the line is made; see L{start_time}."""
    return lambda argument: lambda record: formatted(time(), argument, local)


def duration(record: LogRecord) -> Value:
    """C{%DURATION%}, in milliseconds."""
    return milliseconds(record.at - record.stream.started)


def _points(record: LogRecord) -> dict[str, float]:
    """Return what has happened, by Envoy's names, in seconds of C{time.monotonic}."""
    stream = record.stream
    points = {"DS_RX_BEG": stream.started, "DS_TX_END": record.at}
    if stream.request_whole or (record.is_request and not stream.head.length):
        points["DS_RX_END"] = stream.uploaded or stream.started
    if stream.asked_at:
        points["US_TX_BEG"] = stream.asked_at
        points["US_TX_END"] = max(stream.asked_at, points.get("DS_RX_END", 0.0))
    if stream.responded_at:
        points["US_RX_BEG"] = points["DS_TX_BEG"] = stream.responded_at
        points["US_RX_END"] = record.at
    return points


_FACTORS: Final = {"ms": 1e3, "us": 1e6, "ns": 1e9}


def between_points(start: str, end: str, factor: float = 1e3) -> Getter:
    """
    Return what gives the time between two points, see L{_points}; nothing where one of them was not reached.

    @param factor: How many of its units a second has.
    """

    def between(record: LogRecord) -> Value:
        points = _points(record)
        begun, ended = points.get(start), points.get(end)
        return None if begun is None or ended is None or ended < begun else int((ended - begun) * factor)

    return between


def common_duration(argument: str) -> Getter:
    """C{%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:us)%}."""
    words = argument.split(":")
    return between_points(words[0], words[1], _FACTORS[words[2] if len(words) > 2 else "ms"])
