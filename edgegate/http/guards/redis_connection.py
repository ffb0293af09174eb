"""
Connects to a Redis: over TCP, TLS or a UNIX socket, with a password or without one.

Passwords, certificates and keys are read from their files for each connection, so that they may change.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint, UNIXClientEndpoint, wrapClientTLS
from twisted.internet.interfaces import IAddress, IStreamClientEndpoint
from twisted.internet.protocol import Factory
from twisted.internet.ssl import Certificate, PrivateCertificate, optionsForClientTLS, trustRootFromCertificates
from twisted.internet.threads import deferToThreadPool

from edgegate.model.guards.rate_limit import RedisServer, RedisTLS

MOST_BYTES: Final = 1_000_000
"""Bytes of a file that are read."""

_END: Final = b"-----END CERTIFICATE-----"


class RedisRefused(Exception):
    """Redis does not let us in; C{str} says why."""


@dataclass(frozen=True, slots=True)
class Terms:
    """
    What was read for one connection.

    @ivar tls: Options for L{wrapClientTLS}; L{None}: there is no TLS.
    """

    password: bytes | None
    tls: Any


def connector(reactor: Any, server: RedisServer) -> Callable[[], Deferred[Any]]:
    """Return what connects to a Redis: the result is a protocol of C{txredisapi} that may be asked."""

    def connect() -> Deferred[Any]:
        # off the loop: files may lie where reading takes its time
        reading: Deferred[Terms] = deferToThreadPool(reactor, reactor.getThreadPool(), terms_of, server)
        return reading.addCallback(lambda terms: _connect(_endpoint(reactor, server, terms), server, terms))

    return connect


def terms_of(server: RedisServer) -> Terms:
    """
    Read what a connection needs.

    @raise OSError: A file can't be read.
    @raise Exception: One does not hold what it should (OpenSSL's errors).
    """
    password = None if server.password is None else _read(server.password).strip(b"\r\n")
    return Terms(password, None if server.tls is None else _tls(server.tls))


def _tls(tls: RedisTLS) -> Any:
    trusted = None
    if tls.authorities is not None:
        texts = [text + _END for text in _read(tls.authorities).split(_END)[:-1]]
        if not texts:
            raise ValueError(f"{tls.authorities} has no certificate")
        trusted = trustRootFromCertificates([Certificate.loadPEM(text) for text in texts])
    own = None
    if tls.certificate is not None and tls.key is not None:
        own = PrivateCertificate.loadPEM(_read(tls.key) + b"\n" + _read(tls.certificate))
    return optionsForClientTLS(tls.name, trusted, own)


def _read(name: str) -> bytes:
    with Path(name).open("rb") as file:
        return file.read(MOST_BYTES)


def _endpoint(reactor: Any, server: RedisServer, terms: Terms) -> IStreamClientEndpoint:
    if not server.port:
        unix: IStreamClientEndpoint = UNIXClientEndpoint(reactor, server.host)
        return unix
    endpoint: IStreamClientEndpoint = HostnameEndpoint(reactor, server.host, server.port)
    if terms.tls is not None:
        endpoint = wrapClientTLS(terms.tls, endpoint)
    return endpoint


def _connect(endpoint: IStreamClientEndpoint, server: RedisServer, terms: Terms) -> Deferred[Any]:
    factory = _RedisFactory(server, terms)
    connecting: Deferred[Any] = endpoint.connect(factory)
    return connecting.addCallback(lambda _: factory.ready)


class _RedisFactory(Factory):
    """
    Makes the protocol of one connection, and is told by it what becomes of that.

    @ivar ready: Its result is the protocol, once Redis has let us in.
    """

    noisy = False
    isLazy = False  # noqa: N815 (what the protocol asks for)

    def __init__(self, server: RedisServer, terms: Terms) -> None:
        self._server = server
        self._terms = terms
        self._protocol: Any = None
        self.ready: Deferred[Any] = Deferred(self._cancel)

    def buildProtocol(self, addr: IAddress | None) -> Any:
        """Make the protocol: it tells the password and the database, and calls back when both are taken."""
        # only now, and in the process that serves: it wants the reactor as soon as it is imported
        from txredisapi import BaseRedisProtocol  # noqa: PLC0415

        protocol = self._protocol = BaseRedisProtocol(
            charset=None,
            password=self._terms.password,
            username=self._server.user,
            dbid=self._server.database,
            convertNumbers=False,
        )
        protocol.factory = self
        protocol.whenConnected().addCallback(self._connected)
        return protocol

    def stopTrying(self) -> None:
        """The protocol asks for it where it is refused; who connects has its own pauses."""

    def connectionError(self, why: str) -> None:
        """Redis has refused the password or the database, or has closed the connection before."""
        if not self.ready.called:
            self.ready.errback(RedisRefused(why))

    def _connected(self, protocol: Any) -> None:
        if not self.ready.called:
            self.ready.callback(protocol)

    def _cancel(self, ready: Deferred[Any]) -> None:
        if self._protocol is not None and self._protocol.transport is not None:
            self._protocol.transport.abortConnection()
