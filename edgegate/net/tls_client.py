# Hot path: every byte to a backend that speaks TLS passes here.
"""A stream inside TLS whose client we are: the connections to backends."""

from __future__ import annotations

import socket

from OpenSSL import SSL
from twisted.internet.interfaces import IProtocol, IReactorFDSet

from edgegate.errors import Fault
from edgegate.model.addresses import Address
from edgegate.net.connection_options import ClientTerms
from edgegate.net.tls_stream import BACKEND_BATCH, TLSStream, reason_of
from edgegate.net.wheel import TimerWheel


class TLSClientStream(TLSStream):
    """
    A stream to a backend. L{handshake} comes before L{start}.

    In TLS 1.3 the sessions that may be resumed come after the handshake, in
    front of the first bytes of a response: they are kept then. So does the
    word of a backend that wants another client certificate than ours.
    """

    __slots__ = ("_terms",)

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        sock: socket.socket,
        local: Address,
        peer: Address,
        terms: ClientTerms,
    ) -> None:
        super().__init__(reactor, wheel, sock, local, peer, terms.context)
        self._terms = terms
        self.connection.set_connect_state()
        terms.prepare(self.connection, peer)

    def start(self, protocol: IProtocol, read: bool = True) -> None:
        """Give the stream its protocol."""
        super().start(protocol, read)
        self._received = self._first_received

    def refused(self, reason: str) -> Fault:
        """Return what a handshake that failed means for who wanted it; why is logged."""
        return self._terms.refused(self.connection, self.peer, reason, self._wheel.clock.seconds())

    def _most_at_once(self) -> int:
        return BACKEND_BATCH

    def _first_received(self, data: bytes) -> None:
        self._received = received = self._protocol.dataReceived
        self._terms.keep(self.connection, self.peer)
        received(data)

    def _read_failed(self, reason: SSL.Error) -> None:
        if not self.bytes_in and not isinstance(reason, SSL.SysCallError):
            self.refused(reason_of(reason))
        super()._read_failed(reason)
