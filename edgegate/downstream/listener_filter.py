# Hot path: passed by each new connection.
"""
Listener filters: what looks at a connection before its filter chain is known, and what it asks its listener for.

Terms are Envoy's (C{ListenerFilterCallbacks}): the PROXY header and the ClientHello are looked at by one each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Protocol

from twisted.internet.interfaces import IReactorFDSet

from edgegate.downstream.address_lists import AddressLists
from edgegate.model.addresses import Address
from edgegate.net.accepted_socket import AcceptedSocket
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.tls_stream import TLSStream
from edgegate.net.wheel import TimerWheel
from edgegate.observe.metrics.meters import ListenerMeter
from edgegate.observe.observers import Observers
from edgegate.overload.idle import Idle
from edgegate.routing.snapshot import FilterChain, Listener
from edgegate.tls.acme.hello_challenges import HelloChallenges
from edgegate.tls.context_seeker import ContextSeeker
from edgegate.tls.sni import ContextMap

CROWDED = "gave way to others"
"""What the log says of a connection that was closed because there were too many."""


@dataclass(frozen=True, slots=True)
class Serving:
    """
    What one Snapshot says of a port.

    @ivar contexts: The OpenSSL contexts of its servers, by SNI name.
    """

    listener: Listener
    contexts: ContextMap

    @property
    def speaks_https(self) -> bool:
        """Whether a server ends TLS for HTTP."""
        return any(chain.http is not None for _, chain in self.listener.secure.items())

    @property
    def relays_tls(self) -> bool:
        """Whether a server relays what comes by TLS, ended here or passed through."""
        return any(chain.http is None for _, chain in self.listener.secure.items())


class ListenerFilter(Idle, Protocol):
    """
    One connection that is looked at. It owns the socket until it hands it on.

    @ivar peer: The client's address, as far as it is known.
    """

    peer: Address

    def abort(self) -> None:
        """Close at once."""


class ListenerFilterCallbacks(ABC):
    """
    The listener, as its filters see it. A socket that they hand on is not theirs any more.

    @ivar reactor: Watches sockets.
    @ivar wheel: Tells time.
    @ivar observer: Told of what becomes of connections.
    @ivar meter: Counts for the port.
    @ivar serving: What new connections and new requests get; a reload replaces it.
    @ivar address_lists: Tell who has to go before anything is done for it.
    @ivar challenges: Tell which ClientHellos are questions of authorities; L{None}: none is.
    @ivar seeker: Finds the contexts that C{serving} has not; L{None}: nobody does.
    @ivar pending: Connections that are not told apart yet. A filter takes itself out by L{settled}.
    """

    reactor: IReactorFDSet
    wheel: TimerWheel
    observer: Observers
    meter: ListenerMeter
    serving: Serving
    pending: set[ListenerFilter]
    address_lists: AddressLists
    challenges: HelloChallenges | None
    seeker: ContextSeeker | None

    @property
    def listener(self) -> Listener:
        """What the files say of it."""
        return self.serving.listener

    @abstractmethod
    def shakes_hands(self, pending: ListenerFilter) -> None:
        """A filter begins a handshake of TLS. Where there are too many the oldest gives way."""

    @abstractmethod
    def settled(self, pending: ListenerFilter) -> None:
        """A filter ends: its connection is handed on or closed. May be called again."""

    @abstractmethod
    def introduced(self, sock: AcceptedSocket, peer: Address, local: Address, since: float) -> None:
        """
        It is known whose a connection is.

        @param since: When it was taken, in the clock's seconds.
        """

    @abstractmethod
    def serve_socket(
        self,
        chain: FilterChain,
        sock: AcceptedSocket,
        peer: Address,
        local: Address,
        server_name: str = "",
        ssl_request: bool = False,
    ) -> None:
        """Serve a connection whose TLS, if it speaks any, does not end here."""

    @abstractmethod
    def serve_stream(self, stream: TLSStream, downstream: ConnectionInfo) -> None:
        """Serve a connection whose handshake is done."""
