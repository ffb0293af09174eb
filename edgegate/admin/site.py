"""The admin listener: Twisted's own HTTP server, since it is not the data plane."""

from __future__ import annotations

from typing import Any
from weakref import WeakSet

from twisted.application.service import Service
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.logger import Logger, LogLevel
from twisted.web.http import Request as HTTPRequest
from twisted.web.server import Request, Site

from edgegate.admin.interfaces import Gateway
from edgegate.admin.resources import root
from edgegate.routing.snapshot import Address, TCPAddress, UNIXAddress

log = Logger()

TIMEOUT = 30
"""Seconds without a byte after which a connection is closed."""

MAX_BODY = 4096
"""Bytes of a request's body; none is of any use here."""

_MODE = 0o600


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


class AdminSite(Site):
    """A site that writes no access log, and tells nobody what went wrong inside."""

    displayTracebacks = False
    noisy = False

    def __init__(self, reactor: Any, gateway: Gateway, local: bool) -> None:
        super().__init__(root(gateway, local), requestFactory=AdminRequest, timeout=TIMEOUT, reactor=reactor)
        self._channels: WeakSet[Any] = WeakSet()

    def buildProtocol(self, addr: Any) -> Any:
        """Return the protocol of a new connection."""
        channel = super().buildProtocol(addr)
        self._channels.add(channel)
        return channel

    def close(self) -> None:
        """Close every connection."""
        for channel in tuple(self._channels):
            if channel.transport is not None:
                channel.transport.abortConnection()

    def log(self, request: HTTPRequest) -> None:
        """Write nothing."""


class AdminService(Service):
    """The admin listener, from the gateway's start to its end."""

    def __init__(self, reactor: Any, gateway: Gateway, address: Address, required: bool = True) -> None:
        """
        @param reactor: Provides C{IReactorTCP} or C{IReactorUNIX}.
        @param required: Whether the start fails where the port can't be bound; else the gateway runs without.
        """
        self._required = required
        self._reactor = reactor
        self._site = AdminSite(reactor, gateway, isinstance(address, UNIXAddress))
        self._address = address
        self._port: IListeningPort | None = None
        self._tried = False

    def privilegedStartService(self) -> None:
        """
        Open the port.

        @raise SystemExit: It cannot be bound; what is wrong was logged in one line.
        """
        super().privilegedStartService()
        self._open()

    def startService(self) -> None:
        """
        Answer from now on.

        @raise SystemExit: See L{privilegedStartService}, which C{twist} leaves out.
        """
        super().startService()
        self._open()
        if self._port is not None:
            log.info("admin listener on {address}", address=_shown(self._port, self._address))

    async def _close(self, port: IListeningPort) -> None:
        await maybeDeferred(port.stopListening)
        self._site.close()
        # connections end in the next turn
        await deferLater(self._reactor, 0)

    def stopService(self) -> Deferred[None]:
        """Close the port, and every connection."""
        super().stopService()
        port, self._port = self._port, None
        return succeed(None) if port is None else Deferred.fromCoroutine(self._close(port))

    @property
    def port(self) -> IListeningPort | None:
        """What is open."""
        return self._port

    def _open(self) -> None:
        if self._tried:
            return
        self._tried = True
        address = self._address
        try:
            if isinstance(address, TCPAddress):
                self._port = self._reactor.listenTCP(address.port, self._site, interface=address.host)
            else:
                # the lock beside the socket tells one that was left behind from one in use
                self._port = self._reactor.listenUNIX(address.path, self._site, mode=_MODE, wantPID=True)
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or str(error.socketError)
            level = LogLevel.critical if self._required else LogLevel.warn
            log.emit(
                level, "cannot bind {address} for the admin listener: {reason}", address=str(address), reason=reason
            )
            if self._required:
                raise SystemExit(1) from None


def _shown(port: IListeningPort, address: Address) -> str:
    host: Any = port.getHost()
    return str(TCPAddress(host.host, host.port)) if isinstance(address, TCPAddress) else str(address)
