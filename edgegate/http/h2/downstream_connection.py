# Hot path: carries all requests of an HTTP/2 client.
"""
The client's side of HTTP/2: one connection and its streams.

Bytes come in at L{HTTP2DownstreamConnection.dataReceived} and become events on
L{edgegate.http.h2.downstream_stream}'s streams. What they answer gathers, and is
written in one piece at the end of the turn.
"""

from __future__ import annotations

from collections.abc import Hashable
from math import inf
from typing import Final, cast

from twisted.internet.error import ConnectionClosed
from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.errors import CLIENT_GONE, INTERNAL, OVERFLOW
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.forwarded import Client
from edgegate.http.h2.downstream_stream import HTTP2DownstreamStream
from edgegate.http.h2.downstream_upload import NEVER
from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, INTERNAL_ERROR, NO_ERROR
from edgegate.http.h2.frame_reader import CROWDED_WORK, WORK
from edgegate.http.h2.held_back import BEGUN, CROWDED_BEGUN
from edgegate.http.h2.kept_bytes import KeptBytes
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.h2.request_stream import RequestStream, StreamCarrier, StreamOwner
from edgegate.http.h2.server import ServerConnection, ServerStream
from edgegate.http.interfaces import Dispatcher
from edgegate.http.overdue import Overdue
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.containment import broke, contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline
from edgegate.overload.connections import client_of
from edgegate.overload.idle import UNASKED

_ROUND_TRIP: Final = b"draining"
"""What a PING carries whose answer tells that all that was on its way has come."""

_LINGER_OF_MANY: Final = 1.0
"""Seconds that a client has to read why it was given up, where all together keep too much: it may be one of thousands,
each of which keeps its connection meanwhile."""

_NONE: Final = -1


class HTTP2DownstreamConnection(StreamOwner):
    """
    One connection of a client.

    It owns its transport, and is the transport's push producer until it leaves:
    the transport's C{pauseProducing} means that the client does not read. There
    is one deadline for the connection and all its streams: it is set for what may
    be overdue next, and looks at everything when it passes.
    """

    __slots__ = (
        "_asked_to_go",
        "_before",
        "_before_at",
        "_began",
        "_busy",
        "_deadline",
        "_due",
        "_head_number",
        "_head_since",
        "_held_at",
        "_held_waits",
        "_idle_since",
        "_kept",
        "_last_asked",
        "_last_of_all",
        "_leaving",
        "_left",
        "_transport",
        "_waits",
    )

    _transport: Stream

    def __init__(
        self, downstream: ConnectionInfo, environment: HTTPEnvironment, heads: RequestHeads, dispatcher: Dispatcher
    ) -> None:
        ServerConnection.__init__(self, heads, environment.wheel.clock.seconds)
        self.client = Client(downstream, environment.trusted_hops)
        self.dispatcher = dispatcher
        self.downstream = downstream
        self.environment = environment
        self.fault = CLIENT_GONE
        self.touched: list[StreamCarrier] = []
        self._deadline = Deadline(environment.wheel, self._expired)
        self._due = False  # whether what is queued will be written at the end of this turn
        self._busy = False  # whether a stream was under way when that was looked at last
        self._waits = False  # whether it stands in line to go on with what it has not dealt with yet
        self._leaving = False  # our direction is closed, or about to be, and what comes is thrown away
        self._last_of_all = 2 * environment.connection_requests - 2  # the stream behind which it drains
        self._last_asked = False  # whether to drain as soon as a stream has begun
        self._asked_to_go = NEVER  # when the client was told to go elsewhere
        self._left = environment.limits.linger_bytes
        self._kept: KeptBytes | None = None  # made when something is kept for the first time
        self._held_at = NEVER  # since when none of those that are held back could begin
        self._held_waits = False  # whether it stands in line to begin some of them
        self._before = 0  # bytes that the client had read when it was looked at last
        self._before_at = NEVER  # when that was, unless it keeps up
        self._head_number = _NONE  # tells the frame or header block that is not whole
        self._head_since = 0.0
        self._began = self._idle_since = environment.wheel.now

    def __repr__(self) -> str:
        return f"<HTTP2DownstreamConnection {self.downstream.peer}: {len(self.streams)} streams, last {self.last}>"

    # The transport, as a protocol -------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready."""
        self._transport = stream = cast(Stream, transport)
        stream.registerProducer(cast(IPushProducer, self), True)
        self._deadline.start(self.environment.limits.head_seconds)
        self._began = self._idle_since = self.environment.wheel.now
        self.write_soon()

    def connectionMade(self) -> None:
        """Nothing is left to do after L{makeConnection}."""

    def dataReceived(self, data: bytes) -> None:
        """The client sent something."""
        if self._leaving:
            self._throw_away(data)
            return
        crowded = self.environment.lag.crowded
        self._reader.work = CROWDED_WORK if crowded else WORK
        self.begins = CROWDED_BEGUN if crowded else BEGUN
        try:
            self.receive(data)
            self._flush_uploads()
            if self.held_back and self._held_at == NEVER:
                self._wait_for_room()
            if self.in_head:
                self._wait_for_head()
            else:
                self._head_number = _NONE
            self._count_kept()
        except Exception:
            broke(self)
            return
        if self._reader.deferred:
            self._wait_for_turn()
        if self.queue.out or self.code >= 0 or not self.streams:
            self.write_soon()

    @contained
    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self._leaving = True
        # an error in the transport ends it too
        self.fault = CLIENT_GONE if isinstance(reason.value, ConnectionClosed) else INTERNAL
        try:
            self._deadline.end()
            kept, self._kept = self._kept, None
            if kept is not None:
                kept.end()
            self.environment.connection_ended(self)
        finally:
            self.lost()

    def broke(self) -> None:
        """An error of ours was raised in what the connection is for: it ends, and all of its exchanges with it."""
        self.fault = INTERNAL
        try:
            self.fail(INTERNAL_ERROR, "an error of ours")
            self.write_now()
        finally:
            self._transport.abortConnection()
            if self._transport.disconnected:
                self.environment.connection_ended(self)

    # The transport, as a producer -------------------------------------------------------------------------------------

    @contained
    def pauseProducing(self) -> None:
        """The client does not read what it is sent: nothing more is read of it either, as that could be answered."""
        self.queue.hold()
        self._transport.pauseProducing()
        self._before_at = self.environment.wheel.now
        self._before = self._transport.acknowledged
        self.look_within(self.environment.limits.stall_seconds)

    @contained
    def resumeProducing(self) -> None:
        """The client reads again."""
        self._before_at = NEVER
        self._transport.resumeProducing()
        self.queue.go_on()
        if self._reader.deferred:
            self._wait_for_turn()
        if self.held_back:
            self.held_may_begin()
        self.write_soon()

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    # The layer --------------------------------------------------------------------------------------------------------

    def begin(self, number: int) -> ServerStream:
        """Return a new stream."""
        if self._last_asked or number > self._last_of_all:
            self._last_asked = False
            self.begin_drain()
        self._busy = True
        stream = RequestStream(self, number)
        stream.carrier = HTTP2DownstreamStream(self, stream)
        return stream

    def ping_acknowledged(self, payload: bytes) -> None:
        """What was on its way when the client was told to go has come."""
        if payload == _ROUND_TRIP and self._asked_to_go != NEVER:
            self.drain_now()

    def opened(self) -> None:
        """Bodies that could not come may come again."""
        for stream in self.streams.values():
            carrier = cast(RequestStream, stream).carrier
            if carrier is not None:
                carrier.upload_opened()

    def held_may_begin(self) -> None:
        """See L{ServerConnection.held_may_begin}: they take turns with what came and was put off."""
        if not self._held_waits and not self._leaving:
            self._held_waits = True
            self._transport.put_off(self._begin_held, self._whose)

    # As its streams know it -------------------------------------------------------------------------------------------

    def write_soon(self) -> None:
        """Write what is queued at the end of this turn."""
        if not self._due:
            self._due = True
            self._transport.at_turn_end(self._end_turn)

    def write_now(self) -> None:
        """Write what is queued."""
        if self.queue.out:
            try:
                self._transport.write(self.take())
            except Exception:
                # nobody knows how much of it left
                self._transport.abortConnection()
                raise

    def look_within(self, seconds: float) -> None:
        """See after so many seconds at the latest whether anything is overdue."""
        deadline = self._deadline
        if not self._leaving and (not deadline.active or deadline.left > seconds):
            deadline.start(seconds)

    def give_up(self) -> None:
        """See L{StreamOwner.give_up}. A client that does not even read what it is sent would never see the GOAWAY."""
        self.fault = OVERFLOW
        try:
            self.fail(ENHANCE_YOUR_CALM, "too much waits")
        finally:
            if self.queue.held:
                self._transport.abortConnection()
            else:
                self.write_soon()

    def begin_drain(self) -> None:
        """Tell the client to go elsewhere, and find out when what is on its way has come."""
        if self._asked_to_go == NEVER and not self._leaving:
            self._asked_to_go = self.environment.wheel.now
            ServerConnection.drain(self)
            self.ping(_ROUND_TRIP)
            self.look_within(self.environment.limits.head_seconds)
            self.write_soon()

    # As the gateway's -------------------------------------------------------------------------------------------------

    def move(self, downstream: ConnectionInfo) -> None:
        """Go on under a new Snapshot: the next request is routed by it; those that are under way have their own."""
        self.downstream = downstream
        for stream in self.held_streams():
            carrier = cast(RequestStream, stream).carrier
            if carrier is not None:
                carrier.downstream = downstream

    @contained
    def retire(self) -> None:
        """End the connection with what is under way, or with the first request of a new one."""
        if self.last < 0:
            self._last_asked = True
        else:
            self.begin_drain()

    def drain(self) -> None:
        """End the connection with what is under way or on its way to us."""
        try:
            self.begin_drain()
        except Exception:
            broke(self)

    def idle_since(self) -> float:
        """See L{edgegate.overload.idle.Idle}; a new connection's first request is awaited as the rest of one is."""
        if self.streams or self._busy or self._reader.deferred:
            return inf
        if self._leaving:
            return inf if self._transport.buffered else self._idle_since + UNASKED
        if self._head_number != _NONE:
            return self._head_since + UNASKED
        return self._idle_since + (UNASKED if self.last < 0 else 0.0)

    def give_way(self) -> bool:
        """Close behind a GOAWAY where no stream is open."""
        if self._leaving:
            # what the kernel has of the last responses is still sent
            self._transport.loseConnection()
        elif self.streams or self._transport.unread:
            return False
        else:
            self.abort()
        return True

    @contained
    def abort(self) -> None:
        """End the connection now: with a reset where a request or a response is under way."""
        if self.streams or self._leaving:
            self._transport.abortConnection()
        else:
            self.fail(NO_ERROR, "the gateway ends")
            self.write_now()
            self._leaving = True
            self._transport.loseConnection()
            self._deadline.start(self.environment.limits.linger_seconds)

    def end_overdue(self, overdue: Overdue) -> None:
        """See L{edgegate.http.interfaces.Served}: each stream ends alone."""
        for stream in list(self.streams.values()):
            carrier = cast(RequestStream, stream).carrier
            if carrier is not None:
                try:
                    carrier.end_overdue(overdue)
                except Exception:
                    broke(carrier)

    # Much at once -----------------------------------------------------------------------------------------------------

    def _wait_for_turn(self) -> None:
        """More has come than is dealt with at once: others have their turn before what is left of it."""
        if self._waits:
            # and this is more again
            self._transport.pauseProducing()
        else:
            self._waits = True
            self._transport.put_off(self._take_turn, self._whose)

    @property
    def _whose(self) -> Hashable:
        """Whose requests it has: apart from the handshakes of the same client, which are short."""
        return "requests", client_of(self.downstream.peer)

    @contained
    def _take_turn(self) -> None:
        """Go on with what was left; where the client does not read what that is answered, once it does."""
        self._waits = False
        if self._leaving or self.queue.held:
            return
        if not self._transport.reading:
            self._transport.resumeProducing()
        self._reader.deferred = False
        self.dataReceived(b"")

    @contained
    def _begin_held(self) -> None:
        """Begin requests that were held back: as many as in one turn of those that come."""
        self._held_waits = False
        if self._leaving or self.queue.held:
            return
        before = self.held_back
        try:
            all_begun = self.begin_held(CROWDED_BEGUN if self.environment.lag.crowded else BEGUN)
            self._flush_uploads()
        except Exception:
            broke(self)
            return
        if not all_begun:
            self.held_may_begin()
        if not self.held_back:
            self._held_at = NEVER
        elif self.held_back < before:
            self._wait_for_room()
        self.write_soon()

    def _wait_for_room(self) -> None:
        """Requests are held back: what they wait for may not take for ever."""
        self._held_at = self.environment.wheel.now
        self.look_within(self.environment.limits.stall_seconds)

    def _flush_uploads(self) -> None:
        """No more of what came is given to uploads in this turn."""
        touched = self.touched
        if touched:
            self.touched = []
            for each in touched:
                each.flush_upload()

    # Time -------------------------------------------------------------------------------------------------------------

    def _wait_for_head(self) -> None:
        """A frame or a header block is not whole: the rest of it may not take for ever, however steadily it drips."""
        number = self.begun
        if number != self._head_number:
            self._head_number = number
            self._head_since = self.environment.wheel.now
            self.look_within(self.environment.limits.head_seconds)

    @contained
    def _expired(self) -> None:
        """Look at everything that may be overdue."""
        now = self.environment.wheel.now
        if self._leaving:
            self._look_at_leaving()
            return
        left = self._look_at_connection(now)
        if left > 0:
            for stream in list(self.streams.values()):
                carrier = cast(RequestStream, stream).carrier
                if carrier is not None:
                    try:
                        left = min(left, carrier.look(now))
                    except Exception:
                        broke(carrier)
        if not self._leaving:
            self._deadline.start(max(left, self.environment.wheel.tick))
        self.write_soon()

    def _look_at_connection(self, now: float) -> float:
        """Return the seconds after which to look again; 0: the connection has ended."""
        limits = self.environment.limits
        if self._reader.deferred:
            # what is waited for may have come
            return min(limits.head_seconds, self._look_at_reader(now))
        left = limits.idle_seconds
        if not self.acknowledged:
            due = self._began + limits.head_seconds - now
            if due <= 0:
                self.settings_overdue()
                return 0.0
            left = min(left, due)
        if self._head_number != _NONE:
            due = self._head_since + limits.head_seconds - now
            if due <= 0:
                self.fail(ENHANCE_YOUR_CALM, "a frame too slow")
                return 0.0
            left = min(left, due)
        if self._asked_to_go != NEVER and not self.drained:
            due = self._asked_to_go + limits.head_seconds - now
            if due <= 0:
                self.drain_now()
            else:
                left = min(left, due)
        if not self.streams:
            due = self._idle_since + limits.idle_seconds - now
            if due <= 0:
                self.fail(NO_ERROR, "idle")
                return 0.0
            left = min(left, due)
        if self.held_back:
            left = min(left, self._look_at_held(now))
        return min(left, self._look_at_reader(now))

    def _look_at_held(self, now: float) -> float:
        """Return the seconds that requests which are held back have left; they are refused where there are none."""
        limits = self.environment.limits
        left = self._held_at + limits.stall_seconds - now
        if left > 0:
            return left
        self.refuse_held()
        return limits.stall_seconds

    def _look_at_reader(self, now: float) -> float:
        """See whether the client reads, if something waits for it."""
        limits = self.environment.limits
        if self._before_at == NEVER:
            if self.queue.window > 0 or not self.streams:
                return limits.idle_seconds
            # it has room for nothing: that it reads what it was sent shows in more room
        elif self._before_at + limits.stall_seconds > now:
            return self._before_at + limits.stall_seconds - now
        elif self._transport.acknowledged - self._before < limits.stall_bytes:
            self._transport.abortConnection()
            return 0.0
        self._before_at = now
        self._before = self._transport.acknowledged
        return limits.stall_seconds

    def _look_at_leaving(self) -> None:
        """Go on as long as the client takes what is left for it."""
        limits = self.environment.limits
        taken = self._transport.acknowledged
        least = limits.stall_bytes * limits.linger_seconds / limits.stall_seconds
        if taken - self._before < least or self._transport.disconnecting:
            self._transport.abortConnection()
        else:
            self._before = taken
            self._deadline.start(limits.linger_seconds)

    # The end ----------------------------------------------------------------------------------------------------------

    @contained
    def _end_turn(self) -> None:
        """Write what came together in a turn, and leave where nothing can follow."""
        self._due = False
        if self._leaving:
            return
        self._count_kept()
        self.write_now()
        if not self.streams:
            if self._busy:
                self._busy = False
                self._idle_since = self.environment.wheel.now
            if self.code >= 0 or self.drained or self.peer_leaving:
                self._leave()

    def _count_kept(self) -> None:
        """Have what is kept counted with that of all connections, which may end this one or others."""
        size = self.kept
        kept = self._kept
        if kept is not None:
            kept.count(size)
        elif size:
            self._kept = kept = KeptBytes(self)
            kept.count(size)

    def _leave(self) -> None:
        """
        Close our direction behind what is queued, and throw away what still comes, until the client closes its own.

        Closing at once would make the kernel throw away what the client has not read.
        """
        self._leaving = True
        transport = self._transport
        transport.unregisterProducer()
        self._before = transport.acknowledged
        transport.loseWriteConnection()
        transport.resumeProducing()
        seconds = self.environment.limits.linger_seconds
        self._deadline.start(min(seconds, _LINGER_OF_MANY) if self.fault is OVERFLOW else seconds)

    def _throw_away(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left < 0:
            self._transport.abortConnection()


classImplements(HTTP2DownstreamConnection, IProtocol, IPushProducer)
