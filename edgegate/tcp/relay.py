"""
TCP between a client and a backend whose bytes are not looked at: plain TCP and TLS passed through.

The client's socket stays untouched until the backend is connected, so what the
client sends meanwhile waits in the kernel, which holds it back by itself. That
a client goes away meanwhile is found out afterwards; no connect lasts longer
than its deadline.
"""

from __future__ import annotations

from edgegate.errors import CLIENT_GONE, INTERNAL, STREAM_IDLE, UPSTREAM_CUT_SHORT, Fault
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import contained
from edgegate.net.sockets import Socket
from edgegate.net.splice import SplicedPair
from edgegate.net.stream import Stream
from edgegate.net.tls_stream import TLSStream
from edgegate.observe.events import RelayEnd
from edgegate.tcp.copying import RelayProtocol
from edgegate.tcp.dial import Reached
from edgegate.tcp.gateway import TCPGateway
from edgegate.tcp.opening import Opening

FAULTS = {
    "": None,
    "aborted": None,
    "broke": INTERNAL,
    "idle": STREAM_IDLE,
    "one": CLIENT_GONE,
    "other": UPSTREAM_CUT_SHORT,
}
"""What it means when a L{SplicedPair} of a client and a backend ends so."""


def relay_socket(gateway: TCPGateway, downstream: ConnectionInfo, sock: Socket) -> None:
    """
    Relay a client whose bytes are not looked at.

    @param sock: The client's socket, from which nothing was read; it is the relay's from now on.
    """
    relay = SocketRelay(downstream, gateway, sock)
    gateway.observer.relay_began(downstream)
    relay.start()


class SocketRelay:
    """
    One client's socket on its way to a backend, and then with it.

    Without a route or a backend the client's connection is closed.
    """

    __slots__ = ("_gateway", "_opening", "_over", "_pair", "_reached", "_socket", "downstream", "end")

    def __init__(self, downstream: ConnectionInfo, gateway: TCPGateway, sock: Socket) -> None:
        """
        @param sock: The client's socket; owned from now on.
        """
        self.downstream = downstream
        self.end = RelayEnd(downstream)
        self._gateway = gateway
        self._socket = sock
        self._opening = Opening(gateway, downstream, self.end, self._connected, self._unconnected)
        self._reached: Reached | None = None
        self._pair: SplicedPair | None = None
        self._over = False

    @contained
    def start(self) -> None:
        """Find out where it goes, and connect."""
        self._gateway.relays.add(self)
        self._opening.open()

    @contained
    def abort(self) -> None:
        """Reset both connections."""
        if self._pair is not None:
            self._pair.abort()
        else:
            self._unconnected(None)

    def moved(self) -> tuple[int, int]:
        """See L{edgegate.tcp.gateway.Relay.moved}."""
        return (self.end.received, self.end.sent) if self._pair is None else self._pair.moved

    def broke(self) -> None:
        """An error of ours was raised on the way to a backend: the client's connection is closed."""
        pair, self._pair = self._pair, None
        try:
            if pair is not None:
                pair.broke()
        finally:
            if not self._over:
                self._socket.close()
                self._ended_with(INTERNAL)

    def _connected(self, reached: Reached) -> None:
        stream = reached.stream
        if isinstance(stream, TLSStream):
            self._copy(reached)
            return
        self._reached = reached
        reached.begin(self.end)
        gateway = self._gateway
        idle = gateway.idle_timeout_of(reached)
        self._pair = SplicedPair(gateway.reactor, gateway.wheel, self._socket, stream.detach(), idle, self._ended)

    def _copy(self, reached: Reached) -> None:
        """Bytes that are to be encrypted can't be spliced: leave both connections to a relay that copies."""
        gateway, downstream = self._gateway, self.downstream
        self._over = True
        gateway.relays.discard(self)
        client = Stream(gateway.reactor, self._socket, downstream.local, downstream.peer)
        client.start(RelayProtocol(downstream, gateway, self.end.origin, reached), read=False)

    def _unconnected(self, fault: Fault | None) -> None:
        if self._pair is not None:
            # an error of ours was raised when it was there already
            self.broke()
        elif not self._over:
            self._socket.close()
            self._ended_with(fault)

    @contained
    def _ended(self, reason: str, received: int, sent: int) -> None:
        self._pair = None
        self.end.sent, self.end.received = sent, received
        self._ended_with(FAULTS[reason])

    def _ended_with(self, fault: Fault | None) -> None:
        reached, self._reached, self._pair = self._reached, None, None
        self._over = True
        self._opening.cancel()
        try:
            if reached is not None:
                reached.end()
        finally:
            self.end.fault = fault
            self._gateway.relays.discard(self)
            self._gateway.observer.relay_ended(self.end)
