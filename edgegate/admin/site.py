"""
What the admin listener answers: Twisted's own HTTP server, since it is not the data plane.

It takes megabytes: L{edgegate.admin.service} imports it when somebody first asks.
"""

from __future__ import annotations

from typing import cast

from twisted.internet.interfaces import IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel
from twisted.web.http import Request as HTTPRequest
from twisted.web.resource import Resource
from twisted.web.server import Request, Site

from edgegate.admin.interfaces import Gateway
from edgegate.admin.metrics_page import metrics_root
from edgegate.admin.options import AdminOptions
from edgegate.admin.resources import root
from edgegate.admin.token import TokenFile

TIMEOUT = 30
"""Seconds without a byte after which a connection is closed."""

MAX_BODY = 4096
"""Bytes of a request's body; none is of any use here."""

MOST_HEAD, MOST_FIELDS = 16 * 1024, 100
"""Bytes and header fields of a request's head."""

REQUEST_SECONDS = 10
"""From the first byte of a request to its last, however steadily it drips."""

ANSWER_SECONDS = 60
"""In which the last answer of a connection is to be read."""

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
    """
    A connection on which nothing takes longer than it may.

    It survives what Twisted's own makes numbers of: C{int} refuses more than 4,300 digits.
    """

    maxHeaders = MOST_FIELDS
    totalHeadersSize = MOST_HEAD

    def __init__(self) -> None:
        super().__init__()
        self._deadline: IDelayedCall | None = None
        self._answering = False

    def dataReceived(self, data: bytes) -> None:
        """Take what has come."""
        if self._deadline is None and not self._answering:
            self._limit(REQUEST_SECONDS)
        super().dataReceived(data)

    def allContentReceived(self) -> None:
        """Answer a request that is whole."""
        self._end_limit()
        self._answering = True
        super().allContentReceived()

    def requestDone(self, request: HTTPRequest) -> None:
        """Go on, or end, behind an answer that was given to the transport."""
        self._answering = False
        super().requestDone(request)
        if not self.persistent and not self._answering:
            # one that goes on ends by its silence; one that had come with this one may be answered already, or be under
            # way
            self._limit(ANSWER_SECONDS)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Nothing is left."""
        self._end_limit()
        super().connectionLost(reason)

    def _limit(self, seconds: float) -> None:
        self._end_limit()
        self._deadline = self.callLater(seconds, self._too_slow)

    def _end_limit(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.cancel()

    def _too_slow(self) -> None:
        self._deadline = None
        cast(ITCPTransport, self.transport).abortConnection()

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

    def __init__(self, clock: IReactorTime, pages: Resource) -> None:
        """
        @param pages: The root of what it answers.
        """
        super().__init__(pages, requestFactory=AdminRequest, timeout=TIMEOUT, reactor=clock)

    def log(self, request: HTTPRequest) -> None:
        """Write nothing."""


def admin_site(
    clock: IReactorTime,
    gateway: Gateway,
    local: bool = False,
    options: AdminOptions = AdminOptions(),  # noqa: B008 (frozen)
    token: TokenFile | None = None,
) -> AdminSite:
    """Return the site of the admin listener; see L{root}."""
    return AdminSite(clock, root(clock, gateway, local, options, token))


def metrics_site(clock: IReactorTime, gateway: Gateway) -> AdminSite:
    """Return a site of which nothing can be asked but metrics, and nothing changed: whoever reaches it may see them."""
    return AdminSite(clock, metrics_root(gateway))
