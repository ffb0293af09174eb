# Hot path: every byte of HTTP/2 that comes passes here.
"""
Frames (RFC 9113 sections 4 and 6): bytes in, calls out, in one pass.

No frame becomes an object. Less than a frame is kept until the rest of it has
come; the body in DATA goes on in the pieces in which it comes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from edgegate.http.h2.errors import ENHANCE_YOUR_CALM, FRAME_SIZE_ERROR, PROTOCOL_ERROR, ConnectionFailed
from edgegate.http.h2.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    FRAME_BYTES,
    GOAWAY,
    HEADERS,
    PADDED,
    PING,
    PREFACE,
    PRIORITY,
    PUSH_PROMISE,
    RST_STREAM,
    SETTINGS,
    WINDOW_UPDATE,
    WITH_PRIORITY,
    Setting,
)

BLOCK_BYTES: Final = 16384
"""Of a header block, in however many frames it comes."""

WORK: Final = 256
"""What of a client's frames is dealt with before others have their turn: each counts, and each 64 bytes but of DATA."""

CROWDED_WORK: Final = 32
"""The same, where more connections are ready than are called at once."""

HEAD_WORK: Final = 2
"""What the head of a request counts: that it is read, not that it is begun."""

_UNBOUNDED: Final = 1 << 60

_PIECE: Final = 1024
"""Bytes of an unfinished DATA frame that go on without the rest."""

_LARGE: Final = 4096
"""Bytes that are not put together with what was kept, only a few of them."""


class FrameSink(ABC):
    """Whom a L{FrameReader} tells what it read. Each may raise L{ConnectionFailed}: then nothing more is read."""

    __slots__ = ()

    @abstractmethod
    def headers_came(self, number: int, block: bytes, ends: bool) -> None:
        """A header block is whole; whether it ends its stream."""

    @abstractmethod
    def data_came(self, number: int, data: bytes, padding: int, ends: bool) -> None:
        """
        A piece of a body came; whether it ends its stream.

        @param padding: Bytes beside it that count for flow control.
        """

    @abstractmethod
    def window_update_came(self, number: int, more: int) -> None:
        """There is more room for a stream, or, for number 0, for all; by 0 is for the sink to refuse."""

    @abstractmethod
    def reset_came(self, number: int, code: int) -> None:
        """A stream was reset."""

    @abstractmethod
    def settings_came(self, settings: list[Setting]) -> None:
        """Settings came, in this order."""

    @abstractmethod
    def settings_ack_came(self) -> None:
        """Our settings hold."""

    @abstractmethod
    def ping_came(self, payload: bytes, acknowledges: bool) -> None:
        """A PING came, or the answer to ours."""

    @abstractmethod
    def goaway_came(self, last: int, code: int) -> None:
        """The peer will not take streams above this one."""

    @abstractmethod
    def rare_came(self, kind: int) -> None:
        """A frame came of which nothing follows: PRIORITY, CONTINUATION or an unknown one."""


class FrameReader:
    """
    Read the frames of one connection.

    @ivar begun: How many frames and header blocks have come in part so far: tells one that is not whole from the next.
    @ivar work: How much is dealt with in one call; see L{WORK}. What came behind that is kept.
    @ivar deferred: Whether something is kept for that reason: what comes is kept behind it. Who sets it to C{False}
        calls L{receive} next.
    """

    __slots__ = (
        "_awaits_preface",
        "_awaits_settings",
        "_block",
        "_block_ends",
        "_block_of",
        "_left",
        "_left_ends",
        "_left_of",
        "_rest",
        "_stopped",
        "begun",
        "deferred",
        "work",
    )

    def __init__(self, awaits_preface: bool) -> None:
        """
        @param awaits_preface: Whether the peer is a client.
        """
        self._awaits_preface = awaits_preface
        self._awaits_settings = True
        self._block = self._rest = b""
        self._block_of = 0  # the stream whose header block is not whole; 0: none
        self._block_ends = False
        self._left = self._left_of = 0  # bytes of a DATA frame that are still to come, and its stream
        self._left_ends = self._stopped = self.deferred = False
        self.begun = 0
        self.work = _UNBOUNDED

    @property
    def in_frame(self) -> bool:
        """Whether the next byte belongs to a frame or a header block that has begun: such may not take for ever."""
        return bool(self._rest) or self._left > 0 or self._block_of > 0

    @property
    def in_head(self) -> bool:
        """L{in_frame}, but for a frame of a body, which may take its time, and for what is deferred."""
        if self.deferred:
            return False
        rest = self._rest
        return self._block_of > 0 or (bool(rest) and (len(rest) < 9 or rest[3] != DATA))

    @property
    def kept(self) -> int:
        """Bytes that are kept until the frame or header block that they belong to is whole."""
        return len(self._rest) + len(self._block)

    @property
    def awaits_settings(self) -> bool:
        """Whether the peer has not yet said what every connection begins with."""
        return self._awaits_settings

    def stop(self) -> None:
        """Read nothing any more, also from inside a call."""
        self._stopped = True
        self.deferred = False
        self._rest = self._block = b""
        self._block_of = self._left = 0

    def receive(self, data: bytes, sink: FrameSink) -> int:
        """
        Take what came.

        @return: How much of C{work} is left.
        @raise ConnectionFailed: It is not HTTP/2, or the sink refuses it.
        """
        if self._stopped:
            return 0
        pos, work = 0, self.work
        if self._rest:
            data, pos, work = self._with_rest(data, sink)
            if self.deferred:
                self._rest = data
                return 0
        end = len(data)
        if self._left:
            pos = self._go_on(data, pos, end, sink)
        if self._awaits_preface:
            pos = self._preface(data, end)
        while end - pos >= 9 and work > 0 and not self._stopped:
            length = (data[pos] << 16) | (data[pos + 1] << 8) | data[pos + 2]
            if length > FRAME_BYTES or (self._block_of and len(self._block) + length > BLOCK_BYTES):
                # nor is it kept while its rest is to come
                raise _too_large(length)
            kind, flags = data[pos + 3], data[pos + 4]
            begin = pos + 9
            stop = begin + length
            if stop > end and (kind != DATA or flags & PADDED or end - begin < _PIECE):
                break
            number = ((data[pos + 5] & 127) << 24) | (data[pos + 6] << 16) | (data[pos + 7] << 8) | data[pos + 8]
            pos = min(stop, end)
            if kind == HEADERS and not self._block_of:
                self._headers(data, begin, stop, flags, number, sink)
                work -= HEAD_WORK + (length >> 6)
            elif kind == DATA and not self._block_of:
                self._data(data, begin, stop, end, flags, number, sink)
                work -= 1
            else:
                self._others(kind, flags, number, data[begin:stop], sink)
                work -= 1 + (length >> 6)
        if pos < end and not self._stopped:
            self._keep(data, pos, work <= 0)
        return work

    def _keep(self, data: bytes, pos: int, deferred: bool) -> None:
        """Keep what is no whole frame yet, or has to wait."""
        self._rest = data[pos:]
        self.deferred = deferred
        if pos and not deferred and not self._block_of:
            self.begun += 1

    def _with_rest(self, data: bytes, sink: FrameSink) -> tuple[bytes, int, int]:
        """Return what is to be read with what was kept, from where on, and how much work is left for that."""
        rest, self._rest = self._rest, b""
        if self.deferred or len(data) <= _LARGE:
            return rest + data, 0, self.work
        # with so much a frame of a body goes on, and most others are whole: what follows need not be copied
        some = 9 + _PIECE
        work = self.receive(rest + data[:some], sink)
        rest, self._rest = self._rest, b""
        return (rest + data[some:], 0, work) if rest else (data, some, work)

    def _preface(self, data: bytes, end: int) -> int:
        """Return where the first frame begins, or the end where the preface is not whole."""
        if not data.startswith(PREFACE[:end]):
            raise ConnectionFailed(PROTOCOL_ERROR, "no preface")
        if end < len(PREFACE):
            self._rest = data
            return end
        self._awaits_preface = False
        return len(PREFACE)

    def _go_on(self, data: bytes, begin: int, end: int, sink: FrameSink) -> int:
        """More came of a DATA frame; return where the next begins."""
        stop = min(begin + self._left, end)
        self._left -= stop - begin
        if begin < stop:
            sink.data_came(self._left_of, data[begin:stop], 0, self._left_ends and not self._left)
        return stop

    def _data(self, data: bytes, begin: int, stop: int, end: int, flags: int, number: int, sink: FrameSink) -> None:
        if number == 0 or self._awaits_settings:
            raise ConnectionFailed(PROTOCOL_ERROR, "DATA out of place")
        ends = flags & END_STREAM != 0
        padding = 0
        if flags & PADDED:
            if begin == stop:
                raise ConnectionFailed(FRAME_SIZE_ERROR, "DATA too short")
            padding = data[begin] + 1
            begin += 1
            stop -= padding - 1
            if stop < begin:
                raise ConnectionFailed(PROTOCOL_ERROR, "more padding than DATA")
        if stop > end:
            self._left, self._left_of, self._left_ends = stop - end, number, ends
            stop, ends = end, False
        sink.data_came(number, data[begin:stop], padding, ends)

    def _headers(self, data: bytes, begin: int, stop: int, flags: int, number: int, sink: FrameSink) -> None:
        if number == 0 or self._awaits_settings:
            raise ConnectionFailed(PROTOCOL_ERROR, "HEADERS out of place")
        if flags & PADDED:
            if begin == stop:
                raise ConnectionFailed(FRAME_SIZE_ERROR, "HEADERS too short")
            stop -= data[begin]
            begin += 1
        if flags & WITH_PRIORITY:
            if stop - begin < 5:
                raise ConnectionFailed(FRAME_SIZE_ERROR, "HEADERS too short")
            _check_dependency(number, data[begin : begin + 4])
            begin += 5
        if stop < begin:
            raise ConnectionFailed(PROTOCOL_ERROR, "more padding than HEADERS")
        ends = flags & END_STREAM != 0
        if flags & END_HEADERS:
            sink.headers_came(number, data[begin:stop], ends)
        else:
            self._block, self._block_of, self._block_ends = data[begin:stop], number, ends
            self.begun += 1

    def _others(self, kind: int, flags: int, number: int, payload: bytes, sink: FrameSink) -> None:
        if self._block_of:
            self._continuation(kind, flags, number, payload, sink)
        elif kind == SETTINGS:
            self._settings(flags, number, payload, sink)
        elif self._awaits_settings:
            raise ConnectionFailed(PROTOCOL_ERROR, "no SETTINGS at first")
        elif kind == WINDOW_UPDATE:
            _check_size(len(payload) == 4)
            sink.window_update_came(number, int.from_bytes(payload, "big") & 0x7FFFFFFF)
        elif kind == RST_STREAM:
            _check_place(number != 0)
            _check_size(len(payload) == 4)
            sink.reset_came(number, int.from_bytes(payload, "big"))
        elif kind == PING:
            _check_place(number == 0)
            _check_size(len(payload) == 8)
            sink.ping_came(payload, flags & ACK != 0)
        elif kind == GOAWAY:
            _check_place(number == 0)
            _check_size(len(payload) >= 8)
            sink.goaway_came(int.from_bytes(payload[:4], "big") & 0x7FFFFFFF, int.from_bytes(payload[4:8], "big"))
        else:
            # PUSH_PROMISE: nobody sends it to a server, and a client of ours has forbidden it
            _check_place(kind not in (PUSH_PROMISE, CONTINUATION))
            if kind == PRIORITY:
                _check_place(number != 0)
                _check_size(len(payload) == 5)
                _check_dependency(number, payload[:4])
            sink.rare_came(kind)

    def _settings(self, flags: int, number: int, payload: bytes, sink: FrameSink) -> None:
        _check_place(number == 0)
        if flags & ACK:
            _check_size(not payload)
            _check_place(not self._awaits_settings)
            sink.settings_ack_came()
            return
        _check_size(len(payload) % 6 == 0)
        self._awaits_settings = False
        sink.settings_came(
            [
                (int.from_bytes(payload[at : at + 2], "big"), int.from_bytes(payload[at + 2 : at + 6], "big"))
                for at in range(0, len(payload), 6)
            ]
        )

    def _continuation(self, kind: int, flags: int, number: int, payload: bytes, sink: FrameSink) -> None:
        if kind != CONTINUATION or number != self._block_of:
            raise ConnectionFailed(PROTOCOL_ERROR, "a header block was interrupted")
        sink.rare_came(kind)
        self._block += payload
        if flags & END_HEADERS:
            block, self._block, self._block_of = self._block, b"", 0
            sink.headers_came(number, block, self._block_ends)


def _too_large(length: int) -> ConnectionFailed:
    if length > FRAME_BYTES:
        return ConnectionFailed(FRAME_SIZE_ERROR, "a frame too large")
    return ConnectionFailed(ENHANCE_YOUR_CALM, "a header block too large")


def _check_place(right: bool) -> None:
    if not right:
        raise ConnectionFailed(PROTOCOL_ERROR, "a frame out of place")


def _check_size(right: bool) -> None:
    if not right:
        raise ConnectionFailed(FRAME_SIZE_ERROR, "a frame of a wrong size")


def _check_dependency(number: int, parent: bytes) -> None:
    """Priorities are passed over (RFC 9113 section 5.3.2), but for what was never right."""
    if int.from_bytes(parent, "big") & 0x7FFFFFFF == number:
        raise ConnectionFailed(PROTOCOL_ERROR, "a stream that depends on itself")
