"""A case, what is awaited in it, and a client that goes through it with a real server."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache

import hpack

from edgegate.http.h2.errors import NO_ERROR, PROTOCOL_ERROR
from edgegate.http.h2.frames import (
    ACK,
    CONTINUATION,
    DATA,
    END_HEADERS,
    END_STREAM,
    GOAWAY,
    HEADERS,
    PING,
    RST_STREAM,
    SETTINGS,
)
from tests.http.h2.messages import frame, greeting

CLOSED = -1
"""In the place of a frame's kind: the server has closed the connection."""

_AT_ONCE = 16
"""Cases at the same time."""


@dataclass(frozen=True)
class Event:
    """
    A frame that came, or the end.

    @ivar fields: Of HEADERS.
    """

    kind: int
    flags: int = 0
    number: int = 0
    payload: bytes = b""
    fields: dict[str, str] = field(default_factory=dict)

    @property
    def code(self) -> int:
        """The code of RST_STREAM or GOAWAY."""
        return int.from_bytes(self.payload[4:8] if self.kind == GOAWAY else self.payload[:4], "big")

    @property
    def ends(self) -> bool:
        """Whether it ends its stream."""
        return self.kind in (DATA, HEADERS) and self.flags & END_STREAM != 0

    def __str__(self) -> str:
        if self.kind == CLOSED:
            return "the end of the connection"
        if self.kind in (GOAWAY, RST_STREAM):
            return f"{'GOAWAY' if self.kind == GOAWAY else 'RST_STREAM'} of stream {self.number} with {self.code:#x}"
        return f"kind {self.kind} of stream {self.number}, flags {self.flags:#x}, {len(self.payload)} bytes"


Test = Callable[[Event], bool]


def _nothing(event: Event) -> bool:
    return False


@dataclass(frozen=True)
class Awaited:
    """
    What a server has to answer. What is neither it nor wrong is passed over.

    @ivar text: In words.
    @ivar meets: Whether an event is it.
    @ivar wrong: Whether an event is none that may come before it.
    @ivar error: Whether it is an error: a lenient judge takes the mere end of the connection for it.
    """

    text: str
    meets: Test
    wrong: Test = _nothing
    error: bool = False


Step = bytes | Awaited | Callable[[dict[int, int]], bytes]
"""Something to say, which may depend on the server's settings, or to await."""


@dataclass(frozen=True)
class Case:
    """
    @ivar section: Of RFC 9113, or of RFC 7541 where it says so.
    @ivar text: What the client does, in words.
    @ivar greets: Whether the connection is ready before the first step.
    """

    section: str
    text: str
    steps: tuple[Step, ...]
    greets: bool = True

    def __str__(self) -> str:
        return f"{self.section}: {self.text}"


def case(section: str, text: str, *steps: Step, greets: bool = True) -> Case:
    """Return a case."""
    return Case(section, text, steps, greets)


# What is awaited ------------------------------------------------------------------------------------------------------


def closed() -> Awaited:
    """The connection ends."""
    return Awaited("the end of the connection", lambda event: event.kind == CLOSED)


def connection_error(*codes: int) -> Awaited:
    """GOAWAY with one of these codes, and the end of the connection."""
    text = f"GOAWAY with {_words(codes)}"
    return Awaited(text, lambda event: event.kind == GOAWAY and event.code in codes, _is(GOAWAY), True)


def stream_error(*codes: int) -> Awaited:
    """RST_STREAM with one of these codes, or as L{connection_error}."""
    kinds = RST_STREAM, GOAWAY
    text = f"RST_STREAM or GOAWAY with {_words(codes)}"
    return Awaited(text, lambda event: event.kind in kinds and event.code in codes, _is(*kinds), True)


def refused(number: int = 1) -> Awaited:
    """A request ends by PROTOCOL_ERROR of its stream alone, or by a response that says that it is wrong."""

    def refuses(event: Event) -> bool:
        if event.kind == HEADERS:
            return event.fields.get(":status", "") in _REFUSALS
        return event.kind == RST_STREAM and event.code == PROTOCOL_ERROR

    text = f"PROTOCOL_ERROR or an error's status on stream {number}"
    return Awaited(text, lambda event: event.number == number and refuses(event), _ended(number, HEADERS), True)


def answered(number: int = 1, *statuses: int) -> Awaited:
    """A response begins, with one of these statuses or any."""

    def answers(event: Event) -> bool:
        right = not statuses or event.fields.get(":status") in map(str, statuses)
        return event.kind == HEADERS and event.number == number and right

    text = f"a response{f' of {_words(statuses, str)}' if statuses else ''} on stream {number}"
    return Awaited(text, answers, _ended(number, HEADERS))


def ended(number: int = 1) -> Awaited:
    """A response is whole."""
    return Awaited(f"the end of stream {number}", lambda event: event.number == number and event.ends, _ended(number))


def body(number: int = 1, size: int | None = None) -> Awaited:
    """DATA comes, the next of its stream of a size."""

    def is_it(event: Event) -> bool:
        return event.kind == DATA and event.number == number and size in (None, len(event.payload))

    text = f"DATA{'' if size is None else f' of {size} bytes'} on stream {number}"
    return Awaited(text, is_it, _ended(number, DATA))


def ponged(payload: bytes = bytes(8)) -> Awaited:
    """The answer to a PING: the connection goes on, and nothing was wrong."""

    def answers(event: Event) -> bool:
        return event.kind == PING and event.flags & ACK != 0

    return Awaited(
        "the answer to a PING",
        lambda event: answers(event) and event.payload == payload,
        lambda event: answers(event) or event.kind in (RST_STREAM, GOAWAY),
    )


def left(last: int) -> Awaited:
    """The server goes, in good order: its GOAWAY names a last stream."""

    def leaves(event: Event) -> bool:
        return event.kind == GOAWAY and event.code == NO_ERROR and int.from_bytes(event.payload[:4], "big") == last

    return Awaited(f"GOAWAY with NO_ERROR and the last stream {last}", leaves, _ended(0))


def settled() -> Awaited:
    """SETTINGS are acknowledged."""
    text = "SETTINGS with ACK"
    return Awaited(text, lambda event: event.kind == SETTINGS and event.flags & ACK != 0, _is(GOAWAY))


def first_settings() -> Awaited:
    """SETTINGS are the first frame of all."""
    text = "SETTINGS as the first frame"
    return Awaited(text, lambda event: event.kind == SETTINGS and not event.flags & ACK, lambda event: True)


def _is(*kinds: int) -> Test:
    return lambda event: event.kind in kinds


def _ended(number: int, *kinds: int) -> Test:
    """The connection or a stream ends, or a frame of a kind of the stream comes."""
    return lambda event: event.kind == GOAWAY or (event.number == number and event.kind in (RST_STREAM, *kinds))


_REFUSALS = ("400", "404", "501")
"""Statuses of requests that are wrong: 404 is that of CONNECT, which nothing takes, 501 that of methods."""


def _words(values: Iterable[int], say: Callable[[int], str] = hex) -> str:
    return " or ".join(map(say, values))


# The client -----------------------------------------------------------------------------------------------------------


class Unmet(Exception):
    """Something else came than was awaited, or nothing at all."""


@dataclass(frozen=True)
class Server:
    """
    Whom the cases are said to.

    @ivar tls: Whether over TLS, by ALPN; else in the clear, by prior knowledge.
    @ivar strict: Whether an error has to be said before the connection ends, and by the right code. The public suite
        takes every end of the connection for an error.
    @ivar patience: Seconds for each thing that is awaited.
    """

    port: int
    tls: bool
    strict: bool = True
    patience: float = 10.0

    def connect(self) -> socket.socket:
        """Connect, and agree on HTTP/2."""
        sock = socket.create_connection(("127.0.0.1", self.port), self.patience)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if not self.tls:
            return sock
        wrapped = _tls().wrap_socket(sock, server_hostname="a.example")
        assert wrapped.selected_alpn_protocol() == "h2"
        return wrapped


@cache
def _tls() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    return context


class Client:
    """One connection, on which a case is gone through."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket = server.connect()
        self._rest = b""
        self._decoder = hpack.Decoder()
        self._settings: dict[int, int] = {}

    def run(self, case: Case) -> None:
        """
        Go through a case.

        @raise Unmet: The server does not do what it should.
        """
        with self._socket:
            if case.greets:
                self._say(greeting())
                self._await(first_settings())
                self._say(frame(SETTINGS, ACK, 0))
                self._await(settled())
            for step in case.steps:
                if isinstance(step, Awaited):
                    self._await(step)
                else:
                    self._say(step if isinstance(step, bytes) else step(self._settings))

    def _say(self, said: bytes) -> None:
        try:
            self._socket.sendall(said)
        except OSError:
            pass  # it has closed, which is seen by who reads

    def _await(self, awaited: Awaited) -> None:
        strict = self._server.strict
        while True:
            event = self._next(awaited)
            if awaited.meets(event):
                break
            if event.kind == CLOSED and awaited.error and not strict:
                return
            if event.kind == CLOSED or (strict and awaited.wrong(event)):
                raise Unmet(f"{awaited.text} was awaited, {event} came")
        if strict and awaited.error and event.kind == GOAWAY:
            self._await(closed())

    def _next(self, awaited: Awaited) -> Event:
        """Return what comes next."""
        head = self._take(9, awaited)
        if head is None:
            return Event(CLOSED)
        payload = self._take(int.from_bytes(head[:3], "big"), awaited)
        if payload is None:
            return Event(CLOSED)
        kind, flags, number = head[3], head[4], int.from_bytes(head[5:], "big")
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                self._settings[int.from_bytes(payload[at : at + 2], "big")] = int.from_bytes(
                    payload[at + 2 : at + 6], "big"
                )
        if kind != HEADERS:
            return Event(kind, flags, number, payload)
        while not flags & END_HEADERS:
            more = self._take(9, awaited) or bytes(9)
            assert more[3] == CONTINUATION, "a header block is interrupted"
            payload += self._take(int.from_bytes(more[:3], "big"), awaited) or b""
            flags |= more[4] & END_HEADERS
        fields = {str(name): str(value) for name, value in self._decoder.decode(payload)}
        return Event(kind, flags, number, payload, fields)

    def _take(self, size: int, awaited: Awaited) -> bytes | None:
        while len(self._rest) < size:
            try:
                came = self._socket.recv(65536)
            except TimeoutError:
                raise Unmet(f"{awaited.text} was awaited, nothing came") from None
            except OSError:
                came = b""
            if not came:
                return None
            self._rest += came
        found, self._rest = self._rest[:size], self._rest[size:]
        return found


def failures(cases: list[Case], server: Server) -> list[str]:
    """Go through cases, many at the same time; return what is wrong with those that fail."""

    def run(each: Case) -> str:
        try:
            Client(server).run(each)
        except Unmet as unmet:
            return f"{each}: {unmet}"
        return ""

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return [found for found in pool.map(run, cases) if found]
