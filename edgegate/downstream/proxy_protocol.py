"""
Connections that a load balancer in front introduces: a PROXY header says whose they are, before anything else.

Only those who are named are believed, because whoever is believed can be
anyone.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from time import monotonic

from edgegate.downstream.listener_filter import CROWDED, ListenerFilterCallbacks
from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.accepted_socket import AcceptedSocket
from edgegate.net.peek import Peek
from edgegate.net.proxy_protocol import MalformedHeader, NoHeader, ParsedHeader, parse
from edgegate.observe.events import RejectedConnection
from edgegate.overload.idle import UNFINISHED

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class ProxyProtocolRules:
    """
    On which ports connections begin with a PROXY header, and whose is believed.

    @ivar ports: By the number that the files name: whether a connection may do without.
    @ivar networks: Of those who are believed.
    """

    ports: Mapping[int, bool] = field(default_factory=dict)
    networks: tuple[Network, ...] = ()

    def believed(self, peer: Address) -> bool:
        """Whether what an address says of its clients is believed."""
        if not isinstance(peer, TCPAddress):
            return False
        address = ipaddress.ip_address(peer.host.partition("%")[0])
        return any(address in network for network in self.networks)


class ProxyProtocolReader:
    """
    One connection that is to be introduced. It owns the socket until it hands it on to its listener.

    It ends in exactly one of: handed on, closed.

    @ivar peer: The address that has connected.
    """

    __slots__ = (
        "_began",
        "_found",
        "_listener",
        "_local",
        "_malformed",
        "_optional",
        "_peek",
        "_since",
        "_socket",
        "peer",
    )

    def __init__(
        self, listener: ListenerFilterCallbacks, sock: AcceptedSocket, peer: Address, local: Address, optional: bool
    ) -> None:
        """
        @param optional: Whether the connection may do without a header.
        """
        self._listener = listener
        self._socket = sock
        self.peer = peer
        self._local = local
        self._optional = optional
        self._began = monotonic()
        self._since = listener.wheel.clock.seconds()
        self._found: ParsedHeader | None = None
        self._malformed = ""
        self._peek = Peek(listener.reactor, listener.wheel, sock, self._look, self._seen, self._not_seen)

    def start(self, patience: float) -> None:
        """Begin to look; for so many seconds."""
        self._peek.start(patience)

    def abort(self) -> None:
        """Close at once."""
        self._listener.settled(self)
        self._peek.cancel()
        self._socket.close()

    def idle_since(self) -> float:
        """See L{edgegate.overload.idle.Idle}."""
        return self._since + UNFINISHED

    def give_way(self) -> bool:
        """Close in favour of others."""
        self._peek.cancel()
        self._not_seen(CROWDED)
        return True

    def _look(self, data: bytes) -> int | None:
        """Return how many bytes are needed to tell; L{None}: enough."""
        try:
            found = parse(data)
        except NoHeader:
            if self._optional:
                self._found = ParsedHeader(0)
            else:
                self._malformed = "no PROXY header"
            return None
        except MalformedHeader as error:
            self._malformed = f"malformed PROXY header: {error}"
            return None
        if isinstance(found, int):
            return found
        self._found = found
        return None

    def _seen(self) -> None:
        found = self._found
        if found is None:
            self._not_seen(self._malformed)
            return
        # it was there when it was looked at, and nobody else reads
        if found.size and len(self._peek.take(found.size)) != found.size:
            self._not_seen("reset")
            return
        if found.peer is not None:
            self._socket.introducer = self.peer
        listener = self._listener
        listener.settled(self)
        listener.introduced(self._socket, found.peer or self.peer, found.local or self._local, self._since)

    def _not_seen(self, reason: str) -> None:
        listener = self._listener
        listener.settled(self)
        self._socket.close()
        listener.observer.connection_rejected(RejectedConnection(self.peer, self._local, reason, since=self._began))
