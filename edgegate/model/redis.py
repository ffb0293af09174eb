# Compiled: values that hot modules read.
"""A Redis, and how it is spoken to."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.model.picklable import Picklable


@dataclass(frozen=True, slots=True)
class RedisTLS(Picklable):
    """
    How Redis is spoken to over TLS.

    @ivar name: That its certificate must be for.
    @ivar authorities: A file of the certificates that are trusted; L{None}: the system's.
    @ivar certificate: A file with the client's certificate, and C{key} one with its key; L{None}: it shows none.
    """

    name: str
    authorities: str | None = None
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True)
class RedisServer(Picklable):
    """
    A Redis, as a connection to it is made. Equal ones share one connection.

    @ivar host: A name or an address; or, where C{port} is 0, the path of a UNIX socket.
    @ivar password: A file that holds it; L{None}: none is asked for.
    """

    host: str
    port: int
    database: int = 0
    user: str | None = None
    password: str | None = None
    tls: RedisTLS | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}" if self.port else self.host
