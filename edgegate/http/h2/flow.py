# Hot path: every piece of a body passes here.
"""
Flow control (RFC 9113 sections 5.2 and 6.9): what may be received, what may be sent, and whose turn it is.

What was received is given back as room when it was consumed, never when it
came, so that a body that nobody reads stops its sender. What is to be sent waits
with its stream until the peer has room for it; streams that have some take
turns, one frame each.
"""

from __future__ import annotations

from abc import abstractmethod
from collections import deque
from typing import Final

from edgegate.buffers import BUFFERS
from edgegate.http.h2.errors import FLOW_CONTROL_ERROR, ConnectionFailed
from edgegate.http.h2.frames import FRAME_BYTES, data_start, header_frames
from edgegate.http.h2.hpack import EMPTY_TABLE

DEFAULT_WINDOW: Final = 65535
"""Of each stream and of a connection, until something else is said."""

MOST_WINDOW: Final = 0x7FFFFFFF

STREAM_WINDOW: Final = 64 * 1024
"""Bytes of one stream that are taken before they are consumed."""

GROWN_WINDOW: Final = 256 * 1024
"""What that may grow to for a stream that uses it up and whose bytes are consumed at once."""

CONNECTION_WINDOW: Final = 1024 * 1024
"""Bytes of all streams of a connection that are taken before they are consumed."""

FULL: Final = 64 * 1024
"""Bytes of a stream that wait, past which no more should come."""

ROOM: Final = 32 * 1024
"""And below which more may come."""

CONNECTION_FULL: Final = 1024 * 1024
"""Bytes of all streams of a connection that wait, past which each has more only when nothing of its own waits."""

_SMALL: Final = 1024
"""Bytes up to which pieces that wait are put together: each costs some itself."""

Piece = bytes | memoryview


class ReceiveWindow:
    """
    What a peer may send: for one stream, or for all.

    @ivar held: Bytes that came and were not consumed yet.
    @ivar limit: Bytes that the peer may send before it is told that some were consumed.
    """

    __slots__ = ("_untold", "held", "limit")

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.held = 0
        self._untold = 0  # consumed, and not yet told

    @property
    def shut(self) -> bool:
        """Whether the peer may send nothing before it is told that some was consumed."""
        return self.held + self._untold >= self.limit

    def take(self, size: int) -> bool:
        """Bytes came; return whether they were allowed to."""
        self.held += size
        return self.held + self._untold <= self.limit

    def release(self, size: int) -> int:
        """Bytes were consumed; return by how much the peer is to be told that it may send more: 0: not yet."""
        self.held -= size
        self._untold += size
        if self._untold * 2 < self.limit:
            return 0
        more = self._untold
        self._untold = 0
        return more


class FlowStream(ReceiveWindow):
    """
    One stream, as far as flow control goes.

    @ivar number: Its number.
    @ivar window: Bytes that the peer has room for; below 0 after a change of its settings.
    @ivar queued: Bytes that wait for room.
    @ivar full: Whether so many wait that no more should come.
    @ivar finishing: Whether what waits is all there is.
    """

    __slots__ = ("_queue", "_ready", "_told", "_trailers", "finishing", "full", "number", "queued", "window")

    def __init__(self, number: int, window: int) -> None:
        ReceiveWindow.__init__(self, STREAM_WINDOW)
        self.number = number
        self.window = window
        self.queued = 0
        self.full = self.finishing = False
        self._queue: deque[Piece] | None = None
        self._ready = False  # it stands in the line of those whose turn comes
        self._told = 0  # bytes that the peer was told it may send beyond the first window
        self._trailers = b""  # the block of the trailers that end it

    def grow(self, most: int) -> int:
        """
        Return by how much the window grew, if it is too small for what comes: at most by C{most}.

        It is once it was used up: the half that was consumed now, and that of which the peer was told before.
        """
        if self.held or self.limit >= GROWN_WINDOW or self._told * 2 < self.limit:
            return 0
        more = min(GROWN_WINDOW - self.limit, most)
        self.limit += more
        return more

    def tell(self, more: int) -> None:
        """The peer is told that it may send more."""
        self._told += more

    @abstractmethod
    def send_room(self) -> None:
        """So little waits now that more may come."""

    @abstractmethod
    def end_sent(self) -> None:
        """The frame that ends the stream was sent."""


class SendQueue:
    """
    What is sent on one connection.

    @ivar out: What is to be written, in order.
    @ivar gathered: Bytes of bodies in it, more or less: past some it is better written than gathered further.
    @ivar window: Bytes of bodies that the peer has room for, of all streams.
    @ivar initial: Bytes that it has room for of each new stream.
    @ivar frame_bytes: Of a frame that the peer takes. Bodies come in frames of at most 16 KiB all the same, so that
        streams get their turns.
    @ivar frames: DATA frames that were sent.
    @ivar held: Whether bodies wait, because what is written is not taken.
    @ivar waiting: Bytes that wait with all streams.
    """

    __slots__ = (
        "_block_start",
        "_line",
        "frame_bytes",
        "frames",
        "gathered",
        "held",
        "initial",
        "out",
        "waiting",
        "window",
    )

    def __init__(self) -> None:
        self.out: list[Piece] = []
        self.gathered = self.frames = self.waiting = 0
        self.window = self.initial = DEFAULT_WINDOW
        self.frame_bytes = FRAME_BYTES
        self.held = False
        self._block_start = b""  # what the next block that is written begins with
        self._line: deque[FlowStream] | None = None  # made when something waits: an idle connection is small

    def take(self) -> bytes:
        """Return everything that is to be written, in one piece."""
        out = self.out
        data = b"".join(out)
        out.clear()
        self.gathered = 0
        return data

    def say_empty_table(self) -> None:
        """The next block says that nothing is put into the peer's table."""
        self._block_start = EMPTY_TABLE

    def write_head(self, number: int, block: bytes, ends: bool) -> None:
        """Write the head of a message, or its trailers."""
        if self._block_start:
            block, self._block_start = self._block_start + block, b""
        self.out.append(header_frames(number, block, ends, self.frame_bytes))

    def send(self, stream: FlowStream, data: Piece, ends: bool) -> None:
        """
        Send a piece of a body: at once where there is room for it, else as there comes some.

        @param data: It stays as it is until it is written.
        """
        size = len(data)
        if not stream.queued and (not size or (size <= stream.window and size <= self.window and not self.held)):
            stream.finishing = ends
            if size <= FRAME_BYTES:
                self._write(stream, data, size, ends)
            else:
                view = memoryview(data)
                for at in range(0, size, FRAME_BYTES):
                    piece = min(FRAME_BYTES, size - at)
                    self._write(stream, view[at : at + piece], piece, ends and at + piece == size)
            if ends:
                stream.end_sent()
            return
        queue = stream._queue
        if queue is None:
            queue = stream._queue = deque()
        stream.finishing = ends
        if size:
            if queue and len(queue[-1]) + size <= _SMALL:
                queue[-1] = b"".join((queue[-1], data))
            else:
                queue.append(data)
            stream.queued += size
            self.waiting += size
            BUFFERS.held += size
            stream.full = (
                stream.full or stream.queued > FULL or self.waiting > CONNECTION_FULL or BUFFERS.held > BUFFERS.bound
            )
        self._line_up(stream)
        self.pump()

    def finish(self, stream: FlowStream, trailers: bytes) -> None:
        """
        End a stream behind what waits of it.

        @param trailers: The block of its trailers, or nothing.
        """
        if not trailers:
            self.send(stream, b"", True)
            return
        stream.finishing = True
        stream._trailers = trailers
        if not stream.queued:
            self._end_with_trailers(stream)

    def opened(self, stream: FlowStream, more: int) -> bool:
        """The peer has room for more of a stream; return whether it may say so."""
        stream.window += more
        if stream.window > MOST_WINDOW:
            return False
        self._line_up(stream)
        self.pump()
        return True

    def opened_all(self, more: int) -> None:
        """The peer has room for more of all streams."""
        self.window += more
        if self.window > MOST_WINDOW:
            raise ConnectionFailed(FLOW_CONTROL_ERROR, "a window too large")
        self.pump()

    def hold(self) -> None:
        """What is written is not taken: let bodies wait with their streams."""
        self.held = True

    def go_on(self) -> None:
        """What is written is taken again."""
        self.held = False
        self.pump()

    def drop(self, stream: FlowStream) -> None:
        """Nothing more is sent of a stream."""
        self.waiting -= stream.queued
        BUFFERS.held -= stream.queued
        stream.queued = 0
        stream._queue = None

    def line_up(self, stream: FlowStream, more: int) -> None:
        """
        The room for each stream changed, also to less than none (RFC 9113 section 6.9.2).

        To be followed by L{pump} when all were told.
        """
        stream.window += more
        if stream.window > MOST_WINDOW:
            raise ConnectionFailed(FLOW_CONTROL_ERROR, "a window too large")
        self._line_up(stream)

    def pump(self) -> None:
        """Send what there is room for: of each stream that has some one frame, in turn."""
        line = self._line
        if line is None:
            return
        while line and not self.held and self.window > 0:
            stream = line.popleft()
            stream._ready = False
            queue = stream._queue
            if not stream.queued or queue is None or stream.window <= 0:
                continue
            data = queue[0]
            size = min(len(data), stream.window, self.window, FRAME_BYTES)
            if size < len(data):
                view = memoryview(data)
                queue[0], data = view[size:], view[:size]
            else:
                queue.popleft()
            stream.queued -= size
            self.waiting -= size
            BUFFERS.held -= size
            last = stream.finishing and not stream.queued
            self._write(stream, data, size, last and not stream._trailers)
            self._line_up(stream)
            if last:
                if stream._trailers:
                    self._end_with_trailers(stream)
                else:
                    stream.end_sent()
            elif stream.full and (not stream.queued or (stream.queued < ROOM and self.waiting <= CONNECTION_FULL)):
                # one that has nothing left goes on in any case: others that wait for their room hold up none
                stream.full = False
                stream.send_room()

    def _line_up(self, stream: FlowStream) -> None:
        if stream.queued and stream.window > 0 and not stream._ready:
            stream._ready = True
            if self._line is None:
                self._line = deque()
            self._line.append(stream)

    def _write(self, stream: FlowStream, data: Piece, size: int, ends: bool) -> None:
        stream.window -= size
        self.window -= size
        self.gathered += size
        self.frames += 1
        self.out += (data_start(size, ends), stream.number.to_bytes(4, "big"), data)

    def _end_with_trailers(self, stream: FlowStream) -> None:
        self.write_head(stream.number, stream._trailers, True)
        stream.end_sent()
