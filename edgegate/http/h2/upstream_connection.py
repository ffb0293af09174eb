# Hot path: carries all requests to HTTP/2 backends and their responses back.
"""
The backend's side of HTTP/2: one connection, many requests at the same time.

What is to be said is gathered and written once, at the end of the reactor's
turn. One deadline is for the connection and all its streams.
"""

from __future__ import annotations

from typing import Final, cast

from twisted.internet.interfaces import IProtocol, IPushProducer, ITransport
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.http.h2.client import ClientConnection
from edgegate.http.h2.errors import INTERNAL_ERROR, NO_ERROR, SETTINGS_TIMEOUT
from edgegate.http.h2.upstream_stream import Carrier, HTTP2UpstreamStream, ResponseFrames
from edgegate.http.limits import Limits
from edgegate.net.containment import broke, contained
from edgegate.net.stream import Stream
from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.circuit_breaker import CircuitBreaker
from edgegate.upstream.endpoint import EndpointState
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_pool import STREAMS

_PING: Final = b"edgegate"

_MOST_BUFFERED: Final = 1024 * 1024
"""Bytes that wait for a backend that does not read, past which it is asked for nothing more on this connection."""

_TOO_MUCH: Final = 8 * 1024 * 1024
"""And past which the connection ends: that is more than all heads that it may be sent, so they answer a flood."""


class HTTP2UpstreamConnection(Carrier):
    """
    One connection to an endpoint. It owns its transport, and is known to the endpoint's pool while it takes requests.

    @ivar counted: Where it is counted; L{None}: nowhere.
    """

    __slots__ = (
        "_deadline",
        "_freed",
        "_leaving",
        "_limits",
        "_ping",
        "_pinged",
        "_reading",
        "_scheduled",
        "_since",
        "counted",
    )

    def __init__(
        self, endpoint: EndpointState, wheel: TimerWheel, limits: Limits, counted: CircuitBreaker | None = None
    ) -> None:
        """
        @param counted: Where the connection is counted, until it is no more.
        """
        self.endpoint = endpoint
        self.counted = counted
        self.wheel = wheel
        self.key = None
        self.local = None
        self.used = 0
        self.touched: list[HTTP2UpstreamStream] = []
        self.from_peer = self.lost = False
        self._limits = limits
        most = min(endpoint.limits.streams or STREAMS, STREAMS)
        self.session: ClientConnection = Session(self, wheel, most)
        self._since = wheel.clock.seconds()
        self._deadline = Deadline(wheel, self._expired)
        self._ping: Deadline | None = None
        self._pinged = False
        self._leaving = self._reading = self._freed = self._scheduled = False

    def __repr__(self) -> str:
        return f"<HTTP2UpstreamConnection {self.endpoint.address}: {self.active} under way, {self.used} requests>"

    # As one of a pool -------------------------------------------------------------------------------------------------

    @property
    def room(self) -> int:
        """
        For how many more requests there is room now.

        For one until the backend has said how many it takes: it waits for nobody then. For none while it does not read:
        requests that are given up make room for others, and each leaves its head behind.
        """
        session = self.session
        if self._leaving or session.code >= 0:
            return 0
        if session.queue.held and self.transport.buffered > _MOST_BUFFERED:
            return 0
        room = 1 - len(session.streams) if session.awaits_settings else session.room
        return min(room, self._left)

    @property
    def promised(self) -> int:
        """For how many more there will be, as far as can be told before the backend has said how many it takes."""
        session = self.session
        if not session.awaits_settings or self._leaving or session.code >= 0:
            return 0
        return max(0, min(session.room, self._left))

    @property
    def active(self) -> int:
        """How many requests it carries."""
        return len(self.session.streams)

    def open(self) -> PooledStream:
        """Return a stream for a request."""
        return HTTP2UpstreamStream(self)

    def close(self) -> None:
        """Take no further request, and end with the last of those that are under way."""
        # mypyc takes no decorator on a method that a base has
        try:
            self._leave()
        except Exception:
            broke(self)

    # As the connection of its streams ---------------------------------------------------------------------------------

    def flush_soon(self) -> None:
        """Send what is queued at the end of the turn."""
        if not self._scheduled:
            self._scheduled = True
            self.transport.at_turn_end(self._write)

    def stream_began(self) -> None:
        """One more request is carried."""
        try:
            self._began()
        except Exception:
            broke(self)

    def stream_over(self) -> None:
        """One less is."""
        try:
            self._freed = True
            if not self._reading:
                self._tell_room()
        except Exception:
            broke(self)

    # The transport ----------------------------------------------------------------------------------------------------

    def makeConnection(self, transport: ITransport) -> None:
        """The connection is ready: the preface leaves with the first request."""
        self.transport = stream = cast(Stream, transport)
        self.local = stream.local
        self.key = stream.key
        stream.registerProducer(cast(IPushProducer, self), True)
        self._deadline.start(self._limits.head_seconds)
        ping = self.endpoint.limits.ping
        if ping is not None:
            self._ping = Deadline(self.wheel, self._ping_due)
            self._ping.start(ping.interval)
        self.flush_soon()

    def connectionMade(self) -> None:
        """Nothing is left to do after L{makeConnection}."""

    @contained
    def pauseProducing(self) -> None:
        """The backend does not read: let bodies wait with their streams."""
        self.session.queue.hold()

    @contained
    def resumeProducing(self) -> None:
        """The backend reads again."""
        self.session.queue.go_on()
        self.flush_soon()
        self._tell_room()

    def stopProducing(self) -> None:
        """The transport is closing; L{connectionLost} follows."""

    def dataReceived(self, data: bytes) -> None:
        """The backend sent something."""
        session = self.session
        self._reading = True
        try:
            session.receive(data)
            touched = self.touched
            if touched:
                self.touched = []
                for stream in touched:
                    stream.flush_callbacks()
            self._reading = False
            if session.code >= 0:
                self._leave()
            elif self._freed:
                self._tell_room()
            if session.queue.out:
                self.flush_soon()
        except Exception:
            self._reading = False
            broke(self)

    @contained
    def connectionLost(self, reason: Failure) -> None:
        """The connection is no more."""
        self.lost = True
        self._deadline.end()
        if self._ping is not None:
            self._ping.end()
        self._leave()
        self.session.lost()
        self._uncount()

    def broke(self) -> None:
        """An error of ours was raised in what the connection is for: it ends, and all who asked on it are told."""
        try:
            self._leave()
            self.session.fail(INTERNAL_ERROR, "an error of ours")
        finally:
            if self.lost:
                self._uncount()
            else:
                self.transport.abortConnection()

    # What the session tells -------------------------------------------------------------------------------------------

    def settings_came(self) -> None:
        """The backend has said how many streams it takes."""
        self._freed = True
        self._rearm()

    def peer_left(self) -> None:
        """The backend takes no further streams."""
        self._leave()

    def ping_acknowledged(self) -> None:
        """The backend lives."""
        self._pinged = False
        ping, deadline = self.endpoint.limits.ping, self._ping
        if ping is not None and deadline is not None:
            deadline.start(ping.interval)

    # ------------------------------------------------------------------------------------------------------------------

    @property
    def _greeted(self) -> bool:
        """Whether the backend has said its settings, and knows ours."""
        return self.session.acknowledged and not self.session.awaits_settings

    @property
    def _left(self) -> int:
        """How many more requests its cluster lets it carry."""
        limits = self.endpoint.limits
        oldest = limits.connection_duration
        if oldest is not None and self.wheel.clock.seconds() - self._since >= oldest:
            return 0
        most = limits.requests_per_connection
        return STREAMS if most is None else max(0, most - self.used)

    def _began(self) -> None:
        if len(self.session.streams) == 1 and self._greeted:
            self._deadline.start(self._limits.stream_idle_seconds)
        limits = self.endpoint.limits
        if (limits.requests_per_connection is not None or limits.connection_duration is not None) and self._left <= 0:
            self._leave()

    def _tell_room(self) -> None:
        """Streams have ended, or there is room for the first time: others may have it."""
        self._freed = False
        if self._leaving:
            self._leave()
            return
        if not self.active:
            self._rearm()
        if self.session.code >= 0:
            return
        if self._left <= 0:
            self._leave()
            return
        self.endpoint.pool.sharing().room_came(self)
        counted = self.counted
        while counted is not None and counted.waiting and self.room > 0:
            if not counted.offer(HTTP2UpstreamStream(self)):
                if not self.active:
                    # those who wait cannot use it, and would wait for its place as long as it is kept
                    self._leave()
                break

    def _leave(self) -> None:
        """Take no further requests; the connection ends with the last of those that are under way."""
        if not self._leaving:
            self._leaving = True
            self.endpoint.pool.sharing().gone(self)
        if not self.active and not self.lost:
            # from now on, not from the end of the turn: there may be no time after the gateway has stopped
            self._deadline.start(self._limits.linger_seconds)
            self.flush_soon()

    @contained
    def _write(self) -> None:
        """The end of the turn: all that was said leaves in one piece."""
        self._scheduled = False
        if self.lost:
            return
        session = self.session
        ends = session.code >= 0 or (self._leaving and not session.streams)
        if ends and session.code < 0:
            session.fail(NO_ERROR, "it is not needed any more")
        if session.queue.out:
            self.transport.write(session.take())
        if ends:
            self.transport.loseConnection()
        elif session.queue.held and self.transport.buffered > _TOO_MUCH:
            self.transport.abortConnection()

    def _rearm(self) -> None:
        """Set the deadline for what is awaited now."""
        if not self._greeted or self.session.code >= 0:
            return
        limits = self._limits
        self._deadline.start(limits.stream_idle_seconds if self.active else self.endpoint.pool.lifetime)

    @contained
    def _expired(self) -> None:
        session = self.session
        if session.code >= 0 or (self._leaving and not self.active):
            self.transport.abortConnection()
        elif not self._greeted:
            session.fail(SETTINGS_TIMEOUT, "settings were not said, or not acknowledged")
            self._leave()
            self.flush_soon()
        elif not self.active:
            self._leave()
        else:
            self._look_at_streams()

    def _look_at_streams(self) -> None:
        """End the streams on which nothing has happened for too long, and wait for the next that may be one."""
        idle, now = self._limits.stream_idle_seconds, self.wheel.now
        least = idle
        for frames in list(self.session.streams.values()):
            assert isinstance(frames, ResponseFrames)
            stream = frames.owner
            left = idle if stream.paused else stream.since + idle - now
            if left <= 0:
                stream.idle()
            else:
                least = min(least, left)
        if self.active:
            self._deadline.start(least)

    @contained
    def _ping_due(self) -> None:
        """It is time to ask whether the backend lives, or it has not answered."""
        ping, deadline = self.endpoint.limits.ping, self._ping
        if ping is None or deadline is None:
            return
        if self._pinged:
            self.lost = True
            self._leave()
            self.session.lost()
            self.lost = False
            self.transport.abortConnection()
            return
        self._pinged = True
        self.session.ping(_PING)
        self.flush_soon()
        deadline.start(ping.timeout)

    def _uncount(self) -> None:
        counted, self.counted = self.counted, None
        if counted is not None:
            counted.closed()


class Session(ClientConnection):
    """What is said on a connection. What it is told of the whole it tells the connection."""

    __slots__ = ("_owner",)

    def __init__(self, owner: HTTP2UpstreamConnection, wheel: TimerWheel, most: int) -> None:
        ClientConnection.__init__(self, wheel.clock.seconds, most)
        self._owner = owner

    def reset_came(self, number: int, code: int) -> None:
        """Whoever is told has to know that it was the peer."""
        self._owner.from_peer = True
        try:
            ClientConnection.reset_came(self, number, code)
        finally:
            self._owner.from_peer = False

    def goaway_came(self, last: int, code: int) -> None:
        """As of L{reset_came}."""
        self._owner.from_peer = True
        try:
            ClientConnection.goaway_came(self, last, code)
        finally:
            self._owner.from_peer = False

    def settings_changed(self) -> None:
        """The backend has said how many streams it takes."""
        self._owner.settings_came()

    def settings_ack_came(self) -> None:
        """The backend knows our settings."""
        ClientConnection.settings_ack_came(self)
        self._owner.settings_came()

    def peer_left(self, code: int) -> None:
        """The backend takes no further streams."""
        self._owner.peer_left()

    def ping_acknowledged(self, payload: bytes) -> None:
        """The backend lives."""
        self._owner.ping_acknowledged()


classImplements(HTTP2UpstreamConnection, IProtocol, IPushProducer)
