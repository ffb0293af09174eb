"""What comes between a connect to an endpoint and the first byte of what is said to it."""

from __future__ import annotations

import socket
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Protocol

from OpenSSL import SSL

from edgegate.errors import Fault
from edgegate.model.addresses import Address
from edgegate.model.clusters import Keepalive

_MAX_SECONDS = 32767  # MAX_TCP_KEEPIDLE and MAX_TCP_KEEPINTVL of Linux's net/tcp.h
_MAX_PROBES = 127  # MAX_TCP_KEEPCNT


class ClientTerms(Protocol):
    """
    On what terms a client's handshake with a backend is made.

    One object is for as many connections as are made on these terms; what
    belongs to one of them is kept with OpenSSL's connection.
    """

    @property
    def context(self) -> SSL.Context:
        """Verifies the backend's certificate."""

    def prepare(self, connection: SSL.Connection, address: Address) -> None:
        """Say what is to be said in the ClientHello, and offer to resume a session."""

    def keep(self, connection: SSL.Connection, address: Address) -> None:
        """The backend has answered: its session may be resumed by others from now on."""

    def refused(self, connection: SSL.Connection, address: Address, reason: str, now: float) -> Fault:
        """
        Log why a connection came to nothing, and return what that means for who wanted it.

        @param reason: OpenSSL's words.
        @param now: The clock's seconds.
        """


@dataclass(frozen=True, slots=True)
class ConnectionOptions:
    """
    How one connection to an endpoint begins.

    @ivar key: Tells which requests it may be used for, if not for all of its endpoint; for the pool.
    @ivar header: A PROXY header: the very first bytes, before TLS.
    @ivar ssl_request: Whether the backend is asked for TLS as L{edgegate.net.ssl_request} has it, behind the PROXY
        header: then its ClientHello follows, be it ours or that of whoever uses the connection.
    @ivar tls: L{None}: in the clear.
    @ivar keepalive: L{None}: the kernel does not probe.
    """

    key: Hashable = None
    header: bytes = b""
    tls: ClientTerms | None = None
    keepalive: Keepalive | None = None
    ssl_request: bool = False


def keep_alive(sock: socket.socket, keepalive: Keepalive) -> None:
    """Have the kernel probe a TCP connection on which nothing is said (C{tcp(7)})."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    # macOS calls the first of them by another name
    idle = "TCP_KEEPIDLE" if hasattr(socket, "TCP_KEEPIDLE") else "TCP_KEEPALIVE"
    for name, value, most in (
        (idle, keepalive.time, _MAX_SECONDS),
        ("TCP_KEEPINTVL", keepalive.interval, _MAX_SECONDS),
        ("TCP_KEEPCNT", keepalive.probes, _MAX_PROBES),
    ):
        if value is not None and hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), min(max(int(value), 1), most))
