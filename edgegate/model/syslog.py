"""Where a syslog is, as options and files say it."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.model.addresses import TCPAddress, UNIXAddress

PORT = 514
"""Where a syslog listens that names no other (RFC 5426)."""


@dataclass(frozen=True, slots=True)
class SyslogAddress:
    """
    Where a syslog is.

    @ivar to: A path for datagrams on this machine, or the host (by name or address) and port of one that takes UDP.
    """

    to: UNIXAddress | TCPAddress


def parse_syslog(text: str) -> SyslogAddress:
    """
    Read C{unix:/dev/log}, C{udp:HOST} or C{udp:HOST:PORT}; an IPv6 address stands in brackets.

    @raise ValueError: It is none of these.
    """
    kind, _, rest = text.partition(":")
    if kind == "unix" and rest.startswith("/"):
        return SyslogAddress(UNIXAddress(rest))
    if kind == "udp" and rest:
        host, port = _host_and_port(rest)
        return SyslogAddress(TCPAddress(host, port))
    raise ValueError("a syslog is unix:/PATH, udp:HOST or udp:HOST:PORT")


def _host_and_port(text: str) -> tuple[str, int]:
    if text.startswith("["):
        host, closed, port = text[1:].partition("]")
        port = port.removeprefix(":")
        if not closed:
            raise ValueError(f"{text!r} lacks a ]")
    else:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isdecimal() and 0 < int(port) < 65536)):
        raise ValueError(f"{text!r} is no HOST or HOST:PORT (IPv6 in brackets)")
    return host, int(port) if port else PORT
