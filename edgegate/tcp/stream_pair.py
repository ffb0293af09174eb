# Hot path, not compiled: its protocols are made from a plain class of Twisted's.
"""
Two streams that get each other's bytes where these pass through us: where TLS ends on one of them.

Each is the other's producer: one that takes nothing stops the reading of the
other, so that at most a stream's write buffer is held each way. Where neither
has TLS L{edgegate.net.splice.SplicedPair} does the same without looking.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable

from twisted.internet.error import ConnectionAborted, ConnectionClosed, ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.errors import INTERNAL, STREAM_IDLE, Fault
from edgegate.net.containment import contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.tcp.state import Abort, Action, FinishWriting, RelayState, Side

CLOSE_TIMEOUT = 60.0
"""Seconds that sides which were told to close may take for what is still queued for them."""

PairEnded = Callable[[Fault | None, int, int], None]
"""Gets what went wrong, if anything did, and the bytes that came from downstream and from upstream."""


class StreamPair:
    """
    A client's stream and a backend's. It owns both, and is the protocol of both from L{start} on.

    Half-closes are passed on. Where a side is cut off (a reset, TLS without
    C{close_notify}) the other is reset too, never ended in good order.
    """

    __slots__ = ("_deadline", "_downstream", "_ended", "_idle", "_received", "_sent", "_state", "_upstream")

    def __init__(
        self,
        wheel: TimerWheel,
        downstream: Stream,
        upstream: Stream,
        idle_timeout: float,
        ended: PairEnded,
        state: RelayState | None = None,
    ) -> None:
        """
        @param downstream: Neither has a producer, and nothing is read from either before L{start}.
        @param idle_timeout: Seconds without a byte either way, after which both are reset.
        @param ended: Called once, when both connections are no more; never from inside L{start}.
        @param state: What happened to the client's stream before there was a backend's.
        """
        self._downstream = downstream
        self._upstream = upstream
        self._idle = idle_timeout
        self._ended = ended
        self._state = RelayState() if state is None else state
        self._deadline = Deadline(wheel, self._expired)
        self._received = self._sent = 0

    def __repr__(self) -> str:
        return f"<StreamPair {self._received} onward, {self._sent} back>"

    def start(self, onward: bytes = b"", back: bytes = b"") -> None:
        """
        Begin to copy.

        @param onward: What was read from downstream already.
        @param back: What was read from upstream already.
        """
        downstream, upstream = self._downstream, self._upstream
        one = _SideProtocol(self, Side.DOWNSTREAM, self._downstream_received)
        other = _SideProtocol(self, Side.UPSTREAM, self._upstream_received)
        other.on_behalf_of = downstream.client
        # both or none: the pair ends when it was told of both
        downstream.switch(one)
        upstream.switch(other)
        self._deadline.start(self._idle)
        for stream, producer in ((downstream, upstream), (upstream, downstream)):
            # one that broke already is told of next, and then it is decided what becomes of the other
            if not stream.disconnecting:
                stream.registerProducer(producer, True)
        # before what came already is written, which may pause them again
        downstream.resumeProducing()
        upstream.resumeProducing()
        if onward:
            self._downstream_received(onward)
        if back:
            self._upstream_received(back)
        if Side.DOWNSTREAM in self._state.finished:
            self._perform([FinishWriting(Side.UPSTREAM)])

    def abort(self) -> None:
        """Reset both connections."""
        self._perform(self._state.abort(None))

    def broke(self) -> None:
        """An error of ours was raised in copying: reset both connections."""
        self._perform(self._state.abort(INTERNAL))

    @property
    def moved(self) -> tuple[int, int]:
        """Bytes onward, and bytes back."""
        return self._received, self._sent

    def _downstream_received(self, data: bytes) -> None:
        self._received += len(data)
        self._deadline.start(self._idle)
        self._upstream.write(data)

    def _upstream_received(self, data: bytes) -> None:
        self._sent += len(data)
        self._deadline.start(self._idle)
        self._downstream.write(data)

    def read_finished(self, side: Side) -> None:
        """A side ended its stream."""
        self._perform(self._state.read_finished(side))

    def side_lost(self, side: Side, reason: Failure) -> None:
        """A connection is no more."""
        cleanly = reason.check(ConnectionDone) is not None
        state = self._state
        try:
            if not reason.check(ConnectionClosed):
                # an error of ours in one of its callbacks, which ended it: what was decided may not have been done
                self._perform(state.abort(INTERNAL))
            self._perform(state.connection_lost(side, cleanly))
        finally:
            if state.ended:
                self._deadline.end()
                self._ended(state.fault, self._received, self._sent)

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            perform(action, self._downstream if action.side is Side.DOWNSTREAM else self._upstream)
        if actions and self._state.closing:
            self._deadline.start(min(CLOSE_TIMEOUT, self._idle))

    @contained
    def _expired(self) -> None:
        self._perform(self._state.abort(STREAM_IDLE))


def perform(action: Action, stream: Stream) -> None:
    """Do to a stream what was decided."""
    if isinstance(action, Abort):
        stream.abortConnection()
        return
    # its producer has said all
    stream.unregisterProducer()
    if isinstance(action, FinishWriting):
        stream.loseWriteConnection()
    else:
        stream.loseConnection()


@implementer(IHalfCloseableProtocol)
class _SideProtocol(Protocol):
    """
    One of the two connections; everything is the pair's to decide.

    @ivar on_behalf_of: See L{edgegate.net.transport.Transport.client}.
    """

    on_behalf_of: Hashable = None

    def __init__(self, pair: StreamPair, side: Side, received: Callable[[bytes], None]) -> None:
        self._pair = pair
        self._side = side
        self.dataReceived = received  # type: ignore[assignment, method-assign]

    def readConnectionLost(self) -> None:
        self._pair.read_finished(self._side)

    def writeConnectionLost(self) -> None:
        pass

    @contained
    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._pair.side_lost(self._side, reason)

    def broke(self) -> None:
        self._pair.broke()
        self._pair.side_lost(self._side, Failure(ConnectionAborted()))
