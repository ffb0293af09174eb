"""
What the admin listener answers: Twisted's own HTTP server, since it is not the data plane.

It takes megabytes: L{edgegate.admin.service} imports it when somebody first asks.
"""

from __future__ import annotations

from typing import Any

from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.server import Request, Site

from edgegate.admin.interfaces import Gateway
from edgegate.admin.options import AdminOptions
from edgegate.admin.resources import root
from edgegate.admin.token import TokenFile

TIMEOUT = 30
"""Seconds without a byte after which a connection is closed."""

MAX_BODY = 4096
"""Bytes of a request's body; none is of any use here."""

_LENGTH_DIGITS = 18
"""Digits that a length may have."""


class AdminRequest(Request):
    """A request whose body is bounded."""

    def gotLength(self, length: int | None) -> None:
        """Know how long the body is; L{None}: chunked, which nobody needs here."""
        self._refused = length is None or length > MAX_BODY
        super().gotLength(0 if self._refused else length)
        if self._refused:
            self.channel.loseConnection()

    def handleContentChunk(self, data: bytes) -> None:
        """Take a piece of the body."""
        if not self._refused:
            super().handleContentChunk(data)


class AdminChannel(HTTPChannel):
    """A connection that survives what Twisted's own makes numbers of: C{int} refuses more than 4,300 digits."""

    def headerReceived(self, line: bytes) -> bool:
        """Take a header field; return whether it can be one."""
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length" and len(value.strip()) > _LENGTH_DIGITS:
            assert self.transport is not None
            self.transport.write(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")
            self.loseConnection()
            return False
        return bool(super().headerReceived(line))


class AdminSite(Site):
    """A site that writes no access log, and tells nobody what went wrong inside."""

    protocol = AdminChannel  # type: ignore[assignment]
    displayTracebacks = False
    noisy = False

    def __init__(
        self,
        reactor: Any,
        gateway: Gateway,
        local: bool,
        options: AdminOptions = AdminOptions(),  # noqa: B008 (frozen)
        token: TokenFile | None = None,
    ) -> None:
        """
        @param local: It is a UNIX socket: its file says who may ask, whatever the Host.
        @param token: Says who may ask; L{None}: everyone who can.
        """
        pages = root(reactor, gateway, local, options, token)
        super().__init__(pages, requestFactory=AdminRequest, timeout=TIMEOUT, reactor=reactor)

    def log(self, request: HTTPRequest) -> None:
        """Write nothing."""
