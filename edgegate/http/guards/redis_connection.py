"""
Connects to a Redis: over TCP, TLS or a UNIX socket, with a password or without one.

Connections are made and watched as those to backends are: what Twisted's own reactor watches waits for those.
Passwords, certificates and keys are read from their files for each connection, so that they may change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IHostResolution, IResolutionReceiver
from twisted.internet.threads import deferToThreadPool
from zope.interface import implementer

from edgegate.errors import CONNECT_FAILED, Fault
from edgegate.http.guards.redis_link import CONNECT_SECONDS
from edgegate.model.addresses import Address, TCPAddress, UNIXAddress, is_ip_address
from edgegate.model.redis import RedisServer, RedisTLS
from edgegate.model.tls import KeyPair, UpstreamTLS
from edgegate.net.connection_options import ConnectionOptions
from edgegate.net.stream import Stream
from edgegate.tls.client_contexts import ClientContext, Handshakes
from edgegate.upstream.pending_stream import Connector

MOST_BYTES: Final = 1_000_000
"""Bytes of a file that are read."""


class RedisRefused(Exception):
    """There is no connection, or Redis does not let us in; C{str} says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What was read for one connection.

    @ivar protocol: The class of its protocol.
    @ivar options: How it begins: with TLS, or at once.
    """

    protocol: Any
    password: bytes | None = field(default=None, repr=False)
    options: ConnectionOptions | None = None


def connector(reactor: Any, connections: Connector, server: RedisServer) -> Callable[[], Deferred[Any]]:
    """
    Return what connects to a Redis: the result is a protocol of C{txredisapi} that may be asked.

    @param reactor: Has threads, and finds names.
    """

    def connect() -> Deferred[Any]:
        # off the loop: files may lie where reading takes its time
        reading: Deferred[Terms] = deferToThreadPool(reactor, reactor.getThreadPool(), terms_of, server)
        return reading.addCallback(lambda terms: _Attempt(reactor, connections, server, terms).ready)

    return connect


def terms_of(server: RedisServer) -> Terms:
    """
    Read what a connection needs; for a thread.

    @raise OSError: A file can't be read.
    @raise edgegate.tls.secrets.BadKeyMaterial: One does not hold what it should.
    """
    # only now, and in the process that serves: it wants the reactor as soon as it is imported
    from txredisapi import BaseRedisProtocol  # noqa: PLC0415

    password = None if server.password is None else _read(server.password).strip(b"\r\n")
    return Terms(
        BaseRedisProtocol,
        password,
        None if server.tls is None else ConnectionOptions(tls=_handshakes(server, server.tls)),
    )


def _handshakes(server: RedisServer, tls: RedisTLS) -> Handshakes:
    pair = None
    if tls.certificate is not None and tls.key is not None:
        pair = KeyPair(tls.certificate, _read(tls.certificate), _read(tls.key), tls.key)
    authorities = None if tls.authorities is None else _read(tls.authorities)
    wanted = UpstreamTLS(tls.name, authorities, None if pair is None else pair.credential)
    return Handshakes(ClientContext(wanted, pair), tls.name, cluster=f"Redis {server}")


def _read(name: str) -> bytes:
    with Path(name).open("rb") as file:
        return file.read(MOST_BYTES)


@implementer(IResolutionReceiver)
class _Attempt:
    """
    Makes one connection: to the first of the addresses that takes one.

    It is the factory of the protocol, as far as that asks for one.

    @ivar ready: Its result is the protocol, once Redis has let us in.
    """

    isLazy = False  # noqa: N815 (what the protocol asks for)

    def __init__(self, reactor: Any, connections: Connector, server: RedisServer, terms: Terms) -> None:
        self._connections = connections
        self._server = server
        self._terms = terms
        self._addresses: list[Address] = []
        self._under_way: Any = None
        self._protocol: Any = None
        self.ready: Deferred[Any] = Deferred(self._cancel)
        if not server.port:
            self._addresses.append(UNIXAddress(server.host))
        elif is_ip_address(server.host):
            self._addresses.append(TCPAddress(server.host, server.port))
        else:
            reactor.nameResolver.resolveHostName(self, server.host, server.port)
            return
        self._next(CONNECT_FAILED)

    # IResolutionReceiver ----------------------------------------------------------------------------------------------

    def resolutionBegan(self, resolution: IHostResolution) -> None:
        """The name is looked up."""
        self._under_way = resolution

    def addressResolved(self, address: IAddress) -> None:
        """The name has an address."""
        found: Any = address
        self._addresses.append(TCPAddress(found.host, found.port))

    def resolutionComplete(self) -> None:
        """The name has no more."""
        self._under_way = None
        if not self._addresses:
            self.ready.errback(RedisRefused(f"{self._server.host} has no address"))
        else:
            self._next(CONNECT_FAILED)

    # What the protocol tells its factory ------------------------------------------------------------------------------

    def stopTrying(self) -> None:
        """The protocol asks for it where it is refused; who connects has its own pauses."""

    def connectionError(self, why: str) -> None:
        """Redis has refused the password or the database, or has closed the connection before."""
        if not self.ready.called:
            self.ready.errback(RedisRefused(why))

    # ------------------------------------------------------------------------------------------------------------------

    def _next(self, fault: Fault) -> None:
        """Try the next address, as the one before has failed."""
        self._under_way = None
        if not self._addresses:
            self.ready.errback(RedisRefused(fault.reason))
            return
        address = self._addresses.pop(0)
        self._under_way = self._connections.connect(
            address, CONNECT_SECONDS, self._connected, self._next, self._terms.options
        )

    def _connected(self, stream: Stream) -> None:
        self._under_way = None
        protocol = self._protocol = self._terms.protocol(
            charset=None,
            password=self._terms.password,
            username=self._server.user,
            dbid=self._server.database,
            convertNumbers=False,
        )
        protocol.factory = self
        protocol.whenConnected().addCallback(self._let_in)
        stream.start(protocol)

    def _let_in(self, protocol: Any) -> None:
        if not self.ready.called:
            self.ready.callback(protocol)

    def _cancel(self, ready: Deferred[Any]) -> None:
        if self._under_way is not None:
            self._under_way.cancel()
        if self._protocol is not None and self._protocol.transport is not None:
            self._protocol.transport.abortConnection()
