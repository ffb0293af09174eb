"""What the command operators that ask for times stand for."""

from __future__ import annotations

import re
from time import gmtime, localtime, monotonic, strftime, time

from edgegate.http.formatter_context import Meaning, Message, StreamInfo

_FRACTION = re.compile(r"%([0-9]?)f")
_DEFAULT = "%Y-%m-%dT%H:%M:%S.%3fZ"
_DEFAULT_LOCAL = "%Y-%m-%dT%H:%M:%S.%3f%z"
_FACTORS = {"ms": 1e3, "us": 1e6, "ns": 1e9}


def formatted(when: float, form: str, local: bool = False) -> bytes:
    """
    Return a time by Envoy's format: C{strftime}'s letters, C{%s} for seconds since the epoch, C{%3f} for digits of it.

    @param when: Seconds since the epoch.
    @param form: Empty: the usual one.
    """
    whole = int(when)
    fraction = f"{when - whole:.9f}"[2:]
    form = form or (_DEFAULT_LOCAL if local else _DEFAULT)
    form = _FRACTION.sub(lambda found: fraction[: int(found[1] or 9)], form).replace("%s", str(whole))
    return strftime(form, (localtime if local else gmtime)(whole)).encode()


def _started(local: bool) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        return formatted(time() - (monotonic() - exchange.started), argument, local)

    return find


def _now(local: bool) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        return formatted(time(), argument, local)

    return find


def _points(exchange: StreamInfo, message: Message) -> dict[str, float]:
    """Return what has happened until now, by Envoy's names, in seconds of L{monotonic}."""
    points = {"DS_RX_BEG": exchange.started}
    if exchange.request_whole:
        points["DS_RX_END"] = exchange.uploaded or exchange.started
    if message.backend is not None:
        now = monotonic()
        points["US_RX_BEG"] = now
        points["US_TX_BEG"] = max(now - exchange.upstream_time / 1000, exchange.started)
        points["US_TX_END"] = max(points["US_TX_BEG"], points.get("DS_RX_END", 0.0))
    return points


def _between(exchange: StreamInfo, message: Message, start: str, end: str, factor: float = 1e3) -> bytes:
    points = _points(exchange, message)
    if start not in points or end not in points or points[end] < points[start]:
        return b""
    return b"%d" % ((points[end] - points[start]) * factor)


def _until(end: str) -> Meaning:
    def find(exchange: StreamInfo, message: Message, argument: str) -> bytes:
        # before there is a response nothing is told of the request's end (Envoy)
        return b"" if message.answer is None else _between(exchange, message, "DS_RX_BEG", end)

    return find


def _common(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """C{%COMMON_DURATION(DS_RX_BEG:US_RX_BEG:us)%}."""
    words = argument.split(":")
    return _between(exchange, message, words[0], words[1], _FACTORS[words[2] if len(words) > 2 else "ms"])


def _duration(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    return b"%d" % ((monotonic() - exchange.started) * 1000)


def _handshake(exchange: StreamInfo, message: Message, argument: str) -> bytes:
    """The end of the handshake, counted from the request: below zero (Envoy)."""
    connection = exchange.connection
    return b"%d" % ((connection.since - exchange.started) * 1000) if connection.tls else b""


MEANINGS: dict[str, Meaning] = {
    "START_TIME": _started(local=False),
    "START_TIME_LOCAL": _started(local=True),
    "EMIT_TIME": _now(local=False),
    "EMIT_TIME_LOCAL": _now(local=True),
    "DURATION": _duration,
    "COMMON_DURATION": _common,
    "REQUEST_DURATION": _until("DS_RX_END"),
    "REQUEST_TX_DURATION": _until("US_TX_END"),
    "RESPONSE_DURATION": _until("US_RX_BEG"),
    "UPSTREAM_CONNECTION_POOL_READY_DURATION": _until("US_TX_BEG"),
    "DOWNSTREAM_HANDSHAKE_DURATION": _handshake,
}
"""By the operators' names."""
