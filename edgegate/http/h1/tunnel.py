"""
What follows on a C{101}: a client's connection and a backend's, whose bytes are another protocol's and not looked at.

Where neither is inside TLS their sockets are given to
L{edgegate.net.splice.SplicedPair}, and the kernel moves what is much; else the
two streams are copied by L{edgegate.tcp.stream_pair.StreamPair}. Half-closes
are kept and back-pressure holds both ways in either.
"""

from __future__ import annotations

from collections.abc import Callable
from math import inf

from edgegate.errors import INTERNAL, Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange, Phase
from edgegate.http.interfaces import Served
from edgegate.http.overdue import Overdue
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import broke, contained
from edgegate.net.splice import SplicedPair
from edgegate.net.stream import Stream
from edgegate.tcp.relay import FAULTS
from edgegate.tcp.stream_pair import StreamPair


class Tunnel:
    """
    An exchange after its C{101}, until both connections have ended. It owns both.

    It stands in the gateway's set where the client's connection of HTTP stood, so a drain
    waits for it. It ends after C{Limits.stream_idle_seconds} without a byte
    either way (Envoy's stream idle timeout); the route's timeout ended with
    the 101, as Envoy's does with the response.

    @ivar downstream: The client's connection.
    """

    __slots__ = ("_environment", "_exchange", "_over", "_pair", "downstream")

    def __init__(self, exchange: Exchange, environment: HTTPEnvironment, over: Callable[[], None]) -> None:
        """
        @param over: Called once, when the backend's connection is no more.
        """
        self.downstream: ConnectionInfo = exchange.connection
        self._exchange = exchange
        self._environment = environment
        self._over = over
        self._pair: SplicedPair | StreamPair | None = None

    def __repr__(self) -> str:
        return f"<Tunnel {self.downstream.peer}: {self._pair}>"

    @property
    def spliced(self) -> bool:
        """Whether the sockets were handed over to the kernel's care."""
        return isinstance(self._pair, SplicedPair)

    def start(self, connection: Served, client: Stream, backend: Stream, early: bytes, rest: bytes) -> None:
        """
        Begin.

        @param connection: Whose place it takes.
        @param client: The 101 was written to it; it has no producer, as C{backend}.
        @param early: What the client had sent behind its request.
        @param rest: What the backend had sent behind its 101.
        """
        self._environment.connection_replaced(connection, self)
        try:
            self._begin(client, backend, early, rest)
        except Exception:
            for stream in (client, backend):
                stream.abortConnection()
            broke(self)

    def _begin(self, client: Stream, backend: Stream, early: bytes, rest: bytes) -> None:
        environment = self._environment
        idle = environment.limits.stream_idle_seconds
        if client.detachable and backend.detachable:
            self._pair = SplicedPair(
                client.reactor,
                environment.wheel,
                client.detach(),
                backend.detach(),
                idle,
                self._splice_ended,
                early,
                rest,
            )
        else:
            self._pair = pair = StreamPair(environment.wheel, client, backend, idle, self._ended)
            pair.start(early, rest)

    def broke(self) -> None:
        """An error of ours was raised in beginning it, or in ending it from outside."""
        pair = self._pair
        try:
            if pair is not None:
                pair.broke()
        finally:
            self._ended(INTERNAL, 0, 0)
            # that may be what broke
            self._environment.connection_ended(self)

    # As the gateway's -------------------------------------------------------------------------------------------------

    def move(self, downstream: ConnectionInfo) -> None:
        """A new Snapshot changes nothing for what is under way."""
        self.downstream = downstream

    def retire(self) -> None:
        """The connection ends with the tunnel anyway."""

    def drain(self) -> None:
        """What is under way may go on; L{abort} comes when the time is over."""

    def idle_since(self) -> float:
        """It is under way as long as it lasts."""
        return inf

    def give_way(self) -> bool:
        """It gives way to nobody."""
        return False

    def end_overdue(self, overdue: Overdue) -> None:
        """It may last."""

    @contained
    def abort(self) -> None:
        """Reset both connections."""
        if self._pair is not None:
            self._pair.abort()

    # ------------------------------------------------------------------------------------------------------------------

    @contained
    def _splice_ended(self, reason: str, received: int, sent: int) -> None:
        self._ended(FAULTS[reason], received, sent)

    @contained
    def _ended(self, fault: Fault | None, received: int, sent: int) -> None:
        exchange, environment = self._exchange, self._environment
        if exchange.phase is Phase.OVER:
            return
        # a pair knows whom to tell: neither is to keep the other in memory
        self._pair = None
        exchange.phase = Phase.OVER
        exchange.fault = fault
        exchange.received, exchange.sent = received, sent
        try:
            self._over()
        finally:
            exchange.connection.counts.requests -= 1
            environment.observer.request_ended(exchange)
            environment.connection_ended(self)
