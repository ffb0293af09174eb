"""
The client of mixed requests over HTTP/2: heads as browsers encode them, some streams on each of some connections.

What a connection sends is encoded before its time begins, so that the client keeps up with a proxy.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from functools import partial

from hpack import Encoder
from mixed import MixedRequest, mixed_requests
from stage import HOST

from edgegate.http.h2.frames import (
    DATA,
    END_STREAM,
    GOAWAY,
    HEADERS,
    INITIAL_WINDOW_SIZE,
    PING,
    PREFACE,
    RST_STREAM,
    SETTINGS,
    SETTINGS_ACK,
    WINDOW_UPDATE,
    data_start,
    header_frames,
    ping_frame,
    settings_frame,
    window_update_frame,
)

STREAMS = 8
HEADS = 1_500
"""That one connection sends; when it has sent all of them another takes its place, as browsers come and go."""

_LARGEST = (1 << 31) - 1
_FIRST_WINDOW = 65_535
_START = PREFACE + settings_frame([(INITIAL_WINDOW_SIZE, _LARGEST)]) + window_update_frame(0, _LARGEST - _FIRST_WINDOW)
_OK = 0x88
"""The first field of an answer: C{:status: 200} of the static table (RFC 7541 appendix A)."""

Sent = tuple[bytes, int]
"""The frames of a request, and how many bytes of its connection's window they take."""


def encoded(requests: list[MixedRequest], first: int) -> list[Sent]:
    """
    Return what one connection sends.

    @param first: The number in its first request's path; the next have those that follow.
    """
    encoder = Encoder()
    found = []
    for at in range(HEADS):
        request, number = requests[(first + at) % len(requests)], 2 * at + 1
        fields = [
            (":method", request.method),
            (":scheme", "https"),
            (":authority", HOST),
            (":path", request.path.format(first + at)),
            *((name.lower(), value) for name, value in request.fields),
        ]
        size = request.body
        if size:
            fields.append(("content-length", str(size)))
        frames = header_frames(number, encoder.encode(fields), not size)
        if size:
            frames += data_start(size, True) + number.to_bytes(4, "big") + b"x" * size
        found.append((frames, size))
    return found


def _is_good(block: bytes) -> bool:
    """Whether a block begins with the status 200, behind changes of its table's size (RFC 7541 section 6.3)."""
    at = 0
    while block[at] & 0xE0 == 0x20:
        long = block[at] == 0x3F
        at += 1
        while long:
            long = block[at] >= 0x80
            at += 1
    return block[at] == _OK


class _Connection(asyncio.Protocol):
    """
    Sends its requests, so many at a time, until they are over.

    @ivar over: Done when all were answered; an exception tells of what is no good answer.
    """

    def __init__(self, requests: Iterator[Sent], took: Callable[[float], None]) -> None:
        loop = asyncio.get_running_loop()
        self.over: asyncio.Future[None] = loop.create_future()
        self._clock = loop.time
        self._requests = requests
        self._took = took
        self._began: dict[int, float] = {}
        self._number = 1
        self._room = _FIRST_WINDOW
        self._next: Sent | None = None
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(_START)
        self._ask()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.over.done():
            self.over.set_exception(SystemExit(f"a connection has ended before its requests: {exc}"))

    def data_received(self, data: bytes) -> None:
        data = self._held + data
        at = 0
        while len(data) - at >= 9:
            end = at + 9 + int.from_bytes(data[at : at + 3], "big")
            if end > len(data):
                break
            self._frame(data[at + 3], data[at + 4], int.from_bytes(data[at + 5 : at + 9], "big"), data[at + 9 : end])
            at = end
        self._held = data[at:]
        self._ask()

    def _frame(self, kind: int, flags: int, number: int, payload: bytes) -> None:
        if kind == SETTINGS and not flags:
            self._transport.write(SETTINGS_ACK)
        elif kind == PING and not flags:
            self._transport.write(ping_frame(payload, True))
        elif kind == WINDOW_UPDATE and not number:
            self._room += int.from_bytes(payload, "big")
        elif kind == HEADERS and not _is_good(payload):
            self._fail(f"stream {number} is answered with {payload!r}")
        elif kind in (RST_STREAM, GOAWAY):
            self._fail(f"{'RST_STREAM' if kind == RST_STREAM else 'GOAWAY'}: {payload!r}")
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            self._took(self._clock() - self._began.pop(number))

    def _ask(self) -> None:
        out = []
        while len(self._began) < STREAMS:
            sent = self._next or next(self._requests, None)
            self._next = sent
            if sent is None or sent[1] > self._room:
                break
            self._next = None
            self._room -= sent[1]
            self._began[self._number] = self._clock()
            self._number += 2
            out.append(sent[0])
        if out:
            self._transport.write(b"".join(out))
        elif not self._began and not self.over.done():
            self.over.set_result(None)

    def _fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(SystemExit(why))


def prepared(connections: int) -> list[list[Sent]]:
    """Return what some connections send."""
    requests = mixed_requests()
    return [encoded(requests, number * HEADS) for number in range(connections)]


async def mixed(
    port: int,
    context: ssl.SSLContext,
    connections: list[list[Sent]],
    over: Callable[[], bool],
    took: Callable[[float], None],
) -> None:
    """Ask until the time is over, on as many connections as there is something prepared for."""
    context.set_alpn_protocols(["h2"])
    await asyncio.gather(*(_again_and_again(port, context, each, over, took) for each in connections))


async def _again_and_again(
    port: int, context: ssl.SSLContext, sent: list[Sent], over: Callable[[], bool], took: Callable[[float], None]
) -> None:
    loop = asyncio.get_running_loop()
    while not over():
        protocol = _Connection(_until(over, sent), took)
        connecting = loop.create_connection(
            partial(_itself, protocol), "127.0.0.1", port, ssl=context, server_hostname=HOST
        )
        transport, _ = await connecting
        try:
            await protocol.over
        finally:
            transport.close()


def _itself(protocol: _Connection) -> _Connection:
    return protocol


def _until(over: Callable[[], bool], sent: list[Sent]) -> Iterator[Sent]:
    for each in sent:
        if over():
            return
        yield each
