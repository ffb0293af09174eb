# Hot path: every frame passes here.
"""
One connection of HTTP/2 and its streams (RFC 9113): what both ends have in common.

Bytes go in by L{Connection.receive}, events come out as calls on the streams,
which are subclassed by whoever deals with them, as the connection is. What is to
be written gathers until it is taken in one piece. There is no transport here and
no time: deadlines are their owner's, who looks at what is awaited.

Whatever a peer sends ends in events, RST_STREAM or GOAWAY, and never in an
exception. Each stream ends once: it is told that it was reset or that it is
closed.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Final

from edgegate.http.fields import Field
from edgegate.http.h2.budget import Budget
from edgegate.http.h2.errors import (
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    NO_ERROR,
    PROTOCOL_ERROR,
    SETTINGS_TIMEOUT,
    STREAM_CLOSED,
    ConnectionFailed,
    Malformed,
)
from edgegate.http.h2.flow import (
    CONNECTION_WINDOW,
    DEFAULT_WINDOW,
    STREAM_WINDOW,
    ReceiveWindow,
)
from edgegate.http.h2.frame_reader import FrameReader
from edgegate.http.h2.frames import (
    INITIAL_WINDOW_SIZE,
    MAX_HEADER_LIST_SIZE,
    SETTINGS_ACK,
    Setting,
    goaway_frame,
    ping_frame,
    reset_frame,
    settings_frame,
    window_update_frame,
)
from edgegate.http.h2.hpack import LIST_BYTES, BlockMemory, Decoder
from edgegate.http.h2.settings import PeerSettings
from edgegate.http.h2.stream import Sender, Stream

_REMEMBERED: Final = 256
"""Streams that we reset, of which something may still be on its way."""

STREAM_BYTES: Final = 4096
"""What a stream is taken for whose message waits for the peer, beside that: the exchange on it, and what answers."""

_SPARE: Final = CONNECTION_WINDOW // 2
"""Bytes by which the windows of a connection's streams may grow in all."""


class Connection(Sender):
    """
    What both ends have in common.

    @ivar streams: Those that are under way, by number.
    @ivar last: The highest number of a stream that the client began.
    @ivar held_back: How many streams are told nothing yet of what came on them.
    @ivar held_bytes: What these take, but for bodies.
    @ivar code: The code of the GOAWAY that ended the connection; -1: it goes on. Then what is to be written is to be
        written, and the transport to be closed.
    @ivar reason: Why it ended, a constant phrase for the log.
    @ivar acknowledged: Whether the peer has acknowledged our settings. It has a deadline to do so.
    @ivar peer_leaving: Whether the peer has sent GOAWAY.
    @ivar peer: What the peer has set.
    """

    __slots__ = (
        "_blocks",
        "_budget",
        "_decoder",
        "_reader",
        "_reset",
        "_serves",
        "_spare",
        "_window",
        "acknowledged",
        "code",
        "held_back",
        "held_bytes",
        "last",
        "peer",
        "peer_leaving",
        "reason",
        "streams",
    )

    def __init__(self, serves: bool, start: bytes, own: list[Setting], clock: Callable[[], float]) -> None:
        """
        @param serves: Whether the peer is a client.
        @param start: What is written first.
        @param own: Our settings, beside those of both ends.
        @param clock: Seconds.
        """
        Sender.__init__(self)
        self.streams: dict[int, Stream] = {}
        self.peer = PeerSettings()
        self.last = -1
        self.code = -1
        self.held_back = self.held_bytes = 0
        self.reason = ""
        self.acknowledged = self.peer_leaving = False
        self._serves = serves
        self._reader = FrameReader(serves)
        self._decoder = Decoder()
        self._blocks = BlockMemory()
        self._budget = Budget(clock)
        self._reset: dict[int, None] = {}
        self._window = ReceiveWindow(CONNECTION_WINDOW)
        self._spare = _SPARE
        settings = [*own, (INITIAL_WINDOW_SIZE, STREAM_WINDOW), (MAX_HEADER_LIST_SIZE, LIST_BYTES)]
        update = window_update_frame(0, CONNECTION_WINDOW - DEFAULT_WINDOW)
        self.queue.out.append(start + settings_frame(settings) + update)

    # What its owner asks for ------------------------------------------------------------------------------------------

    @property
    def shut(self) -> bool:
        """Whether the peer may send no more of any body, before some of what it has sent is consumed."""
        return self._window.shut

    @property
    def in_frame(self) -> bool:
        """Whether the next byte belongs to a frame or a header block that has begun."""
        return self._reader.in_frame

    @property
    def in_head(self) -> bool:
        """L{in_frame}, but for a frame of a body, which may take its time."""
        return self._reader.in_head

    @property
    def begun(self) -> int:
        """Tells a frame or header block that is not whole from the next one."""
        return self._reader.begun

    @property
    def awaits_settings(self) -> bool:
        """Whether the peer has not yet said what every connection begins with."""
        return self._reader.awaits_settings

    @property
    def kept(self) -> int:
        """
        Bytes that the connection keeps until somebody goes on: the peer with a frame or a header block or with reading,
        or whoever takes the bodies that came. Streams count with what they are where something waits for the peer.
        """
        kept = self._reader.kept + self._window.held + self.held_bytes
        waiting = self.queue.waiting
        return kept + waiting + STREAM_BYTES * (len(self.streams) - self.held_back) if waiting else kept

    def receive(self, data: bytes) -> None:
        """
        Take what came. Then look at C{code}, and write what there is to be written.

        What a stream's own methods raise comes out of here: then the connection can't go on.
        """
        try:
            self._reader.receive(data, self)
        except ConnectionFailed as failed:
            self.fail(failed.code, failed.reason)

    def take(self) -> bytes:
        """Return everything that is to be written, in one piece."""
        return self.queue.take()

    def reset(self, stream: Stream, code: int) -> None:
        """End a stream by RST_STREAM, because of us: it is told nothing any more."""
        if not stream.gone:
            self._send_reset(stream.number, code)
            self._remove(stream)

    def consumed(self, stream: Stream, size: int) -> None:
        """So much of what was received on a stream needs no memory any more."""
        size = min(size, stream.held)
        self._release(size)
        more = stream.release(size)
        if more and not stream.whole and not stream.gone:
            grown = stream.grow(self._spare)
            self._spare -= grown
            stream.tell(more + grown)
            self.queue.out.append(window_update_frame(stream.number, more + grown))

    def ping(self, payload: bytes) -> None:
        """Send a PING of 8 bytes; L{ping_acknowledged} tells of its answer."""
        self.queue.out.append(ping_frame(payload))

    def settings_overdue(self) -> None:
        """The peer took too long to acknowledge our settings."""
        self.fail(SETTINGS_TIMEOUT, "settings were not acknowledged")

    def fail(self, code: int, reason: str) -> None:
        """End the connection by GOAWAY, and all its streams with it; nothing is read any more."""
        if self.code >= 0:
            return
        self.queue.out.append(goaway_frame(self._last_taken(), code))
        self._end_all(code, reason)

    def lost(self) -> None:
        """The transport is gone: end all streams."""
        if self.code < 0:
            self._end_all(NO_ERROR, "the connection is gone")
        self.queue.out.clear()

    # What it tells its owner ------------------------------------------------------------------------------------------

    def ping_acknowledged(self, payload: bytes) -> None:
        """A PING of ours was answered."""

    def settings_changed(self) -> None:
        """The peer said how many streams it takes, and other things of the like."""

    def peer_left(self, code: int) -> None:
        """The peer has sent GOAWAY: it takes no further streams."""

    def opened(self) -> None:
        """The peer may send bodies again after it might not."""

    # What differs between the two ends --------------------------------------------------------------------------------

    @abstractmethod
    def _last_taken(self) -> int:
        """The highest number of a stream of the peer's that was dealt with, for GOAWAY."""

    @abstractmethod
    def _tell_reset(self, stream: Stream, code: int) -> None:
        """Tell a stream that it ended before its time."""

    @abstractmethod
    def _trailers_of(self, fields: list[Field]) -> list[Field]:
        """
        Return those trailer fields that go on.

        @raise Malformed: There is one that may be in no trailers.
        """

    # FrameSink --------------------------------------------------------------------------------------------------------

    def data_came(self, number: int, data: bytes, padding: int, ends: bool) -> None:
        """Give a piece of a body to its stream."""
        size = len(data)
        window = self._window
        if not window.take(size + padding):
            raise ConnectionFailed(FLOW_CONTROL_ERROR, "more than the connection's window")
        if not size and not ends:
            self._budget.spend("too many empty DATA frames")
        stream = self.streams.get(number)
        if stream is None or stream.whole or not stream.begun:
            self._release(size + padding)
            if stream is not None:
                self._break(stream, STREAM_CLOSED if stream.whole else PROTOCOL_ERROR)
            else:
                self._stray(number)
            return
        if not stream.take(size + padding):
            self._break(stream, FLOW_CONTROL_ERROR)
            return
        if padding:
            self.consumed(stream, padding)
        if stream.unread >= 0:
            stream.unread -= size
            if stream.unread < 0 or (ends and stream.unread):
                self._break(stream, PROTOCOL_ERROR)
                return
        if ends:
            stream.whole = True
        if size:
            self._body_came(stream, data)
        if ends and not stream.gone:
            self._message_ended(stream, [])

    def window_update_came(self, number: int, more: int) -> None:
        """Send what there is room for now."""
        self._budget.window_update(self.queue.frames, (self.last + 1) // 2)
        if not number:
            if not more:
                raise ConnectionFailed(PROTOCOL_ERROR, "a WINDOW_UPDATE by nothing")
            self.queue.opened_all(more)
            return
        stream = self.streams.get(number)
        if stream is None:
            if self._idle(number):
                raise ConnectionFailed(PROTOCOL_ERROR, "WINDOW_UPDATE of an idle stream")
        elif not more:
            self._break(stream, PROTOCOL_ERROR)
        elif not self.queue.opened(stream, more):
            self._break(stream, FLOW_CONTROL_ERROR)

    def reset_came(self, number: int, code: int) -> None:
        """End a stream; one that is over already costs nothing."""
        stream = self.streams.get(number)
        if stream is None:
            if self._idle(number):
                raise ConnectionFailed(PROTOCOL_ERROR, "RST_STREAM of an idle stream")
            return
        self._remove(stream)
        self._tell_reset(stream, code)
        if self._serves:
            self._budget.spend("too many resets")

    def settings_came(self, settings: list[Setting]) -> None:
        """Keep to the peer's settings from now on, and say so."""
        self._budget.spend("too many SETTINGS")
        peer, queue = self.peer, self.queue
        told = peer.small_table
        peer.change(settings, self._serves)
        if peer.small_table and not told:
            queue.say_empty_table()
        queue.frame_bytes = peer.frame_bytes
        queue.out.append(SETTINGS_ACK)
        more = peer.window - queue.initial
        if more:
            queue.initial = peer.window
            for stream in self.streams.values():
                queue.line_up(stream, more)
            queue.pump()
        self.settings_changed()

    def settings_ack_came(self) -> None:
        """Our settings hold."""
        if self.acknowledged:
            self._budget.spend("too many SETTINGS")
        self.acknowledged = True

    def ping_came(self, payload: bytes, acknowledges: bool) -> None:
        """Answer."""
        self._budget.ping(self.queue.frames)
        if acknowledges:
            self.ping_acknowledged(payload)
            return
        self.queue.out.append(ping_frame(payload, True))

    def rare_came(self, kind: int) -> None:
        """Count it."""
        self._budget.spend("too many frames of which nothing follows")

    # ------------------------------------------------------------------------------------------------------------------

    def _decode(self, block: bytes) -> list[Field]:
        """
        Return the fields of a block.

        @raise Malformed: There are some that may be nowhere.
        """
        decoder = self._decoder
        fields = decoder.decode(block)
        if decoder.changed:
            self._blocks.forget()
        if decoder.malformed:
            raise Malformed
        return fields

    def _trailers_came(self, stream: Stream, block: bytes, ends: bool) -> None:
        try:
            trailers = self._trailers_of(self._decode(block))
        except Malformed:
            self._break(stream, STREAM_CLOSED if stream.whole else PROTOCOL_ERROR)
            return
        if stream.whole:
            self._break(stream, STREAM_CLOSED)
        elif not ends or stream.unread > 0:
            self._break(stream, PROTOCOL_ERROR)
        elif self._decoder.too_large:
            self._break(stream, ENHANCE_YOUR_CALM)
        else:
            stream.whole = True
            self._message_ended(stream, trailers)

    def _body_came(self, stream: Stream, data: bytes) -> None:
        early = stream.early
        if early is None:
            stream.body_received(data)
        else:
            early.body += data

    def _message_ended(self, stream: Stream, trailers: list[Field]) -> None:
        """The peer's message is whole, and was no message of its head alone."""
        early = stream.early
        if early is not None:
            early.trailers = trailers
            return
        stream.message_ended(trailers)
        self._received_whole(stream)

    def _received_whole(self, stream: Stream) -> None:
        if stream.ended and not stream.gone:
            self._over(stream)

    def _over(self, stream: Stream) -> None:
        """A stream is over in good order."""
        self._remove(stream)
        self._budget.earn()
        stream.stream_closed()

    def _idle(self, number: int) -> bool:
        """Whether a stream has not begun: of ours none has an even number, nor may a peer's have, as nobody pushes."""
        return number > self.last or not number & 1

    def _stray(self, number: int) -> None:
        """HEADERS or DATA came for a stream that is not under way."""
        if self._idle(number):
            raise ConnectionFailed(PROTOCOL_ERROR, "a frame of an idle stream")
        if number not in self._reset and self._serves:
            raise ConnectionFailed(STREAM_CLOSED, "a frame of a closed stream")

    def _break(self, stream: Stream, code: int) -> None:
        """
        End a stream because of what the peer did.

        That a server can be made to reset its own streams is an attack like the other way round (CVE-2025-8671). A
        client decides itself how many streams there are.
        """
        self._send_reset(stream.number, code)
        self._remove(stream)
        self._tell_reset(stream, code)
        if self._serves:
            self._budget.spend("too many resets")

    def _send_reset(self, number: int, code: int) -> None:
        self.queue.out.append(reset_frame(number, code))
        reset = self._reset
        if len(reset) >= _REMEMBERED:
            del reset[next(iter(reset))]
        reset[number] = None

    def _remove(self, stream: Stream) -> None:
        del self.streams[stream.number]
        stream.gone = stream.ended = True
        self.queue.drop(stream)
        self._spare += stream.limit - STREAM_WINDOW
        if stream.held:
            self._release(stream.held)
            stream.held = 0
        if self.held_back:
            self._held_may_change(stream)

    def _held_may_change(self, stream: Stream) -> None:
        """A stream has ended while some are held back, of which it may be one."""

    def _release(self, size: int) -> None:
        window = self._window
        more = window.release(size)
        if more and self.code < 0:
            self.queue.out.append(window_update_frame(0, more))
            if window.held + more >= window.limit:
                self.opened()

    def _end_all(self, code: int, reason: str) -> None:
        self.code, self.reason = code, reason
        self._reader.stop()
        self._blocks.forget()
        for stream in list(self.streams.values()):
            if not stream.gone:
                self._remove(stream)
                self._tell_reset(stream, code)
