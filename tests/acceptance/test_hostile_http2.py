"""
What hostile clients and backends send over HTTP/2, to the real gateway: each ends with the right code, and the next
client is served.

The tests have the numbers of the catalogue of threats, as those of the layer have (C{tests/http/h2/test_threats.py}).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import hpack
from hyperframe.frame import DataFrame, Frame, GoAwayFrame, HeadersFrame, PriorityFrame, RstStreamFrame, SettingsFrame

from edgegate.http.fields import Field
from edgegate.http.h2.budget import POINTS
from edgegate.http.h2.errors import (
    COMPRESSION_ERROR,
    ENHANCE_YOUR_CALM,
    FLOW_CONTROL_ERROR,
    FRAME_SIZE_ERROR,
    PROTOCOL_ERROR,
    REFUSED_STREAM,
    STREAM_CLOSED,
)
from edgegate.http.h2.frames import PREFACE, header_frames
from edgegate.http.h2.frames import frame as raw_frame
from edgegate.http.h2.held_back import UNREAD
from edgegate.http.h2.hpack import block_of
from edgegate.http.h2.settings import STREAMS
from tests.acceptance.manifests import GATEWAY
from tests.acceptance.served import ServedTestCase
from tests.acceptance.test_hostile import FaultyBackend, wait
from tests.http.h2.recording import continuation, data, goaway, headers, ping, reset, settings, window_update

PATIENCE = 15.0
LARGE = 100_000
TIMES = 2 * POINTS
"""More often than anybody may do what only attackers do often."""

ROUTES = """\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: all}
spec:
  hosts: [a.example]
  gateways: [gw]
  http:
  - {match: [{uri: {prefix: /large}}], route: [{destination: {host: 127.0.0.1, port: {number: $large}}}]}
  - {match: [{uri: {prefix: /hang}}], route: [{destination: {host: 127.0.0.1, port: {number: $hang}}}]}
  - {match: [{uri: {prefix: /h2}}], route: [{destination: {host: backend.internal, port: {number: 80}}}]}
  - {route: [{destination: {host: 127.0.0.1, port: {number: $one}}}]}
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: h2}
spec:
  hosts: [backend.internal]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http2, protocol: HTTP2, targetPort: $h2}]
  endpoints: [{address: 127.0.0.1}]
"""


def asked(path: bytes = b"/", method: bytes = b"GET") -> list[Field]:
    """Return the fields of a request."""
    return [(b":method", method), (b":scheme", b"http"), (b":authority", b"a.example"), (b":path", path)]


GET = block_of(asked())
UP = asked(b"/hang", b"POST")
UPLOAD = block_of(UP)


class Talk:
    """
    One connection of a client that says what it likes.

    @ivar frames: What was answered so far.
    """

    def __init__(self, port: int, start: bytes = PREFACE + SettingsFrame(0).serialize()) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE)
        self.frames: list[Frame] = []
        self.decoder = hpack.Decoder()
        self._rest = b""
        self.socket.sendall(start)

    def say(self, *frames: Frame | bytes) -> None:
        """Say frames in one go; who is not listened to any more says the rest to nobody."""
        try:
            self.socket.sendall(b"".join(each if isinstance(each, bytes) else each.serialize() for each in frames))
        except (BrokenPipeError, ConnectionResetError):
            pass

    def read(self) -> bool:
        """Read once; return whether there may be more."""
        try:
            came = self.socket.recv(1 << 16)
        except ConnectionResetError:
            came = b""
        self._rest += came
        while len(self._rest) >= 9:
            frame, length = Frame.parse_frame_header(memoryview(self._rest[:9]))
            if len(self._rest) < 9 + length:
                break
            frame.parse_body(memoryview(self._rest[9 : 9 + length]))
            self._rest = self._rest[9 + length :]
            self.frames.append(frame)
        return bool(came)

    def until(self, holds: Callable[[Talk], object]) -> None:
        """Read until something holds."""
        while not holds(self):
            if not self.read():
                raise AssertionError(f"the connection has ended: {self.frames[-3:]}")

    def of(self, number: int) -> list[Frame]:
        """Return what was answered on a stream."""
        return [frame for frame in self.frames if frame.stream_id == number]

    def status(self, number: int) -> bytes:
        """Wait for the head of an answer; return its status. To be asked in the order of the answers."""
        self.until(lambda talk: any(isinstance(frame, HeadersFrame) for frame in talk.of(number)))
        block = next(frame.data for frame in self.of(number) if isinstance(frame, HeadersFrame))
        return {bytes(name): bytes(value) for name, value in self.decoder.decode(block, raw=True)}[b":status"]

    def size(self, number: int) -> int:
        """Return the bytes of a body that came."""
        return sum(len(frame.data) for frame in self.of(number) if isinstance(frame, DataFrame))

    def end(self) -> int:
        """Read to the end; return the code of the GOAWAY that came last, or -1."""
        while self.read():
            pass
        last = self.frames[-1]
        return int(last.error_code) if isinstance(last, GoAwayFrame) else -1

    def reset(self, number: int) -> int:
        """Wait for the reset of a stream; return its code."""
        self.until(lambda talk: any(isinstance(frame, RstStreamFrame) for frame in talk.of(number)))
        return next(int(frame.error_code) for frame in self.of(number) if isinstance(frame, RstStreamFrame))


class HostileCase(ServedTestCase):
    """A gateway that all tests of a class are at, in the clear."""

    files: ClassVar[Mapping[str, str]] = {"a.yaml": GATEWAY + ROUTES}
    opened: ClassVar[Mapping[str, str]] = {"one": "", "large": "body=" + "x" * LARGE, "hang": "hang"}
    dead: ClassVar[tuple[str, ...]] = ("h2",)

    def tearDown(self) -> None:
        """The gateway serves the next client, and has logged no failure of its own."""
        talk = self.talk()
        talk.say(headers(1, GET))
        self.assertEqual(talk.status(1), b"200")
        self.assertNotIn("Traceback", self.served.gateway.output)

    def talk(self, start: bytes = PREFACE + SettingsFrame(0).serialize()) -> Talk:
        """Connect."""
        talk = Talk(self.served.ports["http"], start)
        self.addCleanup(talk.socket.close)
        return talk

    def ends(self, code: int, *frames: Frame | bytes) -> None:
        """Say something, which ends the connection."""
        talk = self.talk()
        talk.say(*frames)
        self.assertEqual(talk.end(), code, frames[:3])

    def refuses(self, fields: list[Field], code: int = PROTOCOL_ERROR, ends: bool = True) -> None:
        """Ask for something, which ends its stream and no other."""
        talk = self.talk()
        talk.say(headers(1, block_of(fields), ends), headers(3, GET))
        self.assertEqual(talk.reset(1), code, fields)
        self.assertEqual(talk.status(3), b"200", fields)


class ClientTests(HostileCase):
    """Hostile clients."""

    def test_47_rapid_reset(self) -> None:
        """Requests that are reset as soon as they were asked (CVE-2023-44487)."""
        self.ends(
            ENHANCE_YOUR_CALM,
            *(each for at in range(TIMES) for each in (headers(2 * at + 1, UPLOAD, False), reset(2 * at + 1))),
        )

    def test_48_made_you_reset(self) -> None:
        """Streams that the gateway is made to reset (CVE-2025-8671)."""
        for broken in (
            lambda number: window_update(number, 0),
            lambda number: window_update(number, (1 << 31) - 1),
            lambda number: headers(number, block_of([(b":path", b"/")])),
        ):
            self.ends(
                ENHANCE_YOUR_CALM,
                *(each for at in range(TIMES) for each in (headers(2 * at + 1, UPLOAD, False), broken(2 * at + 1))),
            )

    def test_49_continuation(self) -> None:
        """A header block in very many frames (CVE-2024-27316), of nothing, of little and of much."""
        for piece, times in ((b"", TIMES), (b"x", TIMES), (b"x" * 8192, 3)):
            self.ends(
                ENHANCE_YOUR_CALM,
                headers(1, b"", whole=False),
                *(continuation(1, piece, whole=False) for _ in range(times)),
            )

    def test_50_bomb(self) -> None:
        """A large field, named very often by its place, is 431; what can't be decoded ends the connection."""
        talk = self.talk()
        encoder = hpack.Encoder()
        first = encoder.encode([*asked(), (b"x-large", b"y" * 4000)])
        place = encoder.encode([(b"x-large", b"y" * 4000)])
        self.assertEqual(len(place), 1)
        talk.say(header_frames(1, first, True), header_frames(3, encoder.encode(asked()) + place * 16000, True))
        self.assertEqual({talk.status(3), talk.status(1)}, {b"431", b"200"})
        for block in (b"\xff" * 100, b"\x80", b"\x3f\xff\xff\x7f", b"\x00\x7f\xff\xff", b"\xc5"):
            self.ends(COMPRESSION_ERROR, headers(1, block))

    def test_51_floods(self) -> None:
        """Frames that cost the client nothing."""
        upload = headers(1, UPLOAD, False)
        for frame in (
            ping(),
            ping(acknowledges=True),
            settings({}),
            raw_frame(4, 1, 0, b""),
            PriorityFrame(99),
            raw_frame(16, 0, 0, b"\0\0\0\1u=1"),
            raw_frame(0x4B, 0, 0, b""),
            window_update(0, 1),
            window_update(1, 1),
            data(1, b""),
            data(1, b"", padding=9),
        ):
            self.ends(ENHANCE_YOUR_CALM, upload, *([frame] * TIMES))
        self.ends(ENHANCE_YOUR_CALM, *(PriorityFrame(number) for number in range(1, 2 * TIMES, 2)))
        self.ends(ENHANCE_YOUR_CALM, raw_frame(4, 0, 0, b"\0\4\0\0\0\1" * 2000))

    def test_52_zero_windows(self) -> None:
        """100 requests on each of some connections that open no window: few reach a backend before they open one."""
        before = self.resident()
        talks = []
        for _ in range(3):
            talk = self.talk()
            talk.say(settings({4: 0}), *(headers(number, block_of(asked(b"/large"))) for number in range(1, 200, 2)))
            talks.append(talk)
        for talk in talks:
            talk.until(lambda talk: sum(isinstance(frame, HeadersFrame) for frame in talk.frames) == UNREAD)
            self.assertEqual(sum(talk.size(number) for number in range(1, 200, 2)), 0)
        # 30 MB were asked for
        self.assertLess(self.resident() - before, 20_000)
        talks[0].say(settings({4: LARGE}), window_update(0, 1000 * LARGE))
        talks[0].until(lambda talk: all(talk.size(number) == LARGE for number in range(1, 200, 2)))

    def test_53_negative_window(self) -> None:
        """A window that becomes negative while a response is under way waits until there is room again."""
        talk = self.talk()
        talk.say(window_update(0, 10 * LARGE), headers(1, block_of(asked(b"/large"))))
        talk.until(lambda talk: talk.size(1) == 65535)
        talk.say(settings({4: 0}), window_update(1, 65535))
        talk.say(window_update(1, 1), window_update(1, 99), ping())
        talk.until(lambda talk: talk.size(1) == 65535 + 100)
        talk.say(window_update(1, LARGE))
        talk.until(lambda talk: talk.size(1) == LARGE)
        self.ends(FLOW_CONTROL_ERROR, headers(1, UPLOAD, False), window_update(0, (1 << 31) - 1), window_update(0, 1))

    def test_54_downgrade(self) -> None:
        """Lengths and codings that HTTP/1 would read otherwise (H2.CL, H2.TE)."""
        for fields in (
            [(b"content-length", b"0"), (b"content-length", b"5")],
            [(b"content-length", b"5, 5")],
            [(b"content-length", b"+5")],
            [(b"transfer-encoding", b"chunked")],
            [(b"connection", b"transfer-encoding")],
            [(b"upgrade", b"h2c")],
            [(b"te", b"gzip")],
        ):
            self.refuses([*asked(b"/", b"POST"), *fields], ends=False)
        for said in (b"10", b"1"):
            talk = self.talk()
            upload = block_of([*asked(b"/hang", b"POST"), (b"content-length", said)])
            talk.say(headers(1, upload, False), data(1, b"hello", ends=True))
            self.assertEqual(talk.reset(1), PROTOCOL_ERROR)

    def test_55_line_ends(self) -> None:
        """Ends of lines, NUL and space where HTTP/1 would take them for something else."""
        for name, value in (
            (b":path", b"/\r\nx: y"),
            (b":path", b"/a b"),
            (b":authority", b"a.example\r\nx: y"),
            (b":method", b"GET / HTTP/1.1\r\nx: y"),
            (b":scheme", b"http\r\n"),
            (b"a", b"b\r\nc: d"),
            (b"a", b"b\0c"),
            (b"a\r\nb", b"c"),
            (b"a b", b"c"),
        ):
            fields = [*(field for field in asked() if field[0] != name), (name, value)]
            fields.sort(key=lambda field: field[0][:1] != b":")
            self.refused_somehow(fields)

    def test_56_targets(self) -> None:
        """Paths, schemes and methods that would be another request in HTTP/1."""
        for name, value in (
            (b":path", b"no-slash"),
            (b":path", b""),
            (b":path", b"http://b.example/"),
            (b":scheme", b"http://b.example/?"),
            (b":method", b"GET?"),
            (b":method", b""),
        ):
            self.refused_somehow([(name, value) if field[0] == name else field for field in asked()])

    def refused_somehow(self, fields: list[Field]) -> None:
        """Ask: the answer is 400 or a reset, and nothing reaches a backend."""
        self.backends.forget()
        talk = self.talk()
        talk.say(headers(1, block_of(fields)))
        talk.until(lambda talk: talk.of(1))
        first = talk.of(1)[0]
        if isinstance(first, RstStreamFrame):
            self.assertEqual(first.error_code, PROTOCOL_ERROR, fields)
        else:
            self.assertEqual(talk.status(1), b"400", fields)
        talk.say(headers(3, block_of(asked(b"/next"))))
        self.assertEqual(talk.status(3), b"200")
        self.assertEqual([seen.target for seen in self.backends.saw("one")], ["/next"])

    def test_57_authority_and_host(self) -> None:
        """Two names for one request."""
        self.refused_somehow([*asked(), (b"host", b"b.example")])
        self.refused_somehow([*asked(), (b"host", b"a.example"), (b"host", b"b.example")])

    def test_58_pseudo_fields(self) -> None:
        """Pseudo fields behind others, twice, unknown, missing; names with capitals."""
        for fields in (
            [*asked()[:3], (b"a", b"b"), asked()[3]],
            [*asked(), (b":path", b"/other")],
            [*asked(), (b":unknown", b"x")],
            [*asked(), (b":status", b"200")],
            asked()[1:],
            asked()[:3],
            [*asked(), (b"Upper", b"x")],
        ):
            self.refused_somehow(fields)

    def test_60_streams(self) -> None:
        """Streams above the limit are refused; who goes on is ended."""
        talk = self.talk()
        talk.say(*(headers(2 * at + 1, UPLOAD, False) for at in range(STREAMS + 1)))
        self.assertEqual(talk.reset(2 * STREAMS + 1), REFUSED_STREAM)
        talk.say(*(headers(2 * at + 1, UPLOAD, False) for at in range(STREAMS + 1, STREAMS + TIMES)))
        self.assertEqual(talk.end(), ENHANCE_YOUR_CALM)

    def test_61_trailers(self) -> None:
        """Trailers of a request go to its backend; those that would direct it don't."""
        talk = self.talk()
        talk.say(
            headers(1, block_of(asked(b"/t", b"POST")), False),
            data(1, b"hello"),
            headers(1, block_of([(b"x-checksum", b"1"), (b"host", b"b.example"), (b"content-length", b"7")])),
        )
        self.assertEqual(talk.status(1), b"200")
        (seen,) = self.backends.saw("one")
        self.assertEqual((seen.body, seen.trailers), (b"hello", [("x-checksum", "1")]))

    def test_62_behind_the_response(self) -> None:
        """A body and a reset behind an early response, and a body behind a response that was whole."""
        talk = self.talk()
        fields = [(b":authority", b"nobody.example") if name == b":authority" else (name, value) for name, value in UP]
        talk.say(headers(1, block_of(fields), False))
        self.assertEqual(talk.status(1), b"404")
        talk.say(data(1, b"x"), data(1, b"x", ends=True), reset(1), headers(3, GET))
        self.assertEqual(talk.status(3), b"200")
        talk.until(lambda talk: any("END_STREAM" in frame.flags for frame in talk.of(3)))
        talk.say(data(3, b"x"))
        self.assertEqual(talk.end(), STREAM_CLOSED)

    def test_63_ends(self) -> None:
        """Whatever ends a connection, GOAWAY comes last, and then the end."""
        for frame, code in (
            (raw_frame(6, 0, 1, b"12345678"), PROTOCOL_ERROR),
            (raw_frame(6, 0, 0, b"1234567"), FRAME_SIZE_ERROR),
            (raw_frame(0, 0, 0, b"x"), PROTOCOL_ERROR),
            (raw_frame(3, 0, 1, b"1234"), PROTOCOL_ERROR),
            (raw_frame(9, 4, 1, b""), PROTOCOL_ERROR),
            (raw_frame(5, 4, 1, bytes(4)), PROTOCOL_ERROR),
            (b"\1\0\0\0\0\0\0\0\1", FRAME_SIZE_ERROR),
        ):
            self.ends(code, frame)
        self.ends(-1, raw_frame(7, 0, 0, bytes(8)))  # it leaves by itself, and is told nothing
        for start in (PREFACE[:-2] + b"xx", PREFACE + raw_frame(6, 0, 0, bytes(8))):
            self.assertEqual(self.talk(start).end(), PROTOCOL_ERROR, start)

    def resident(self) -> int:
        """Return the kibibytes of memory that the gateway has for itself."""
        status = Path(f"/proc/{self.served.gateway.process.pid}/status").read_text()
        found = re.search(r"RssAnon:\s+(\d+)", status)
        assert found is not None
        return int(found[1])


class BackendTests(HostileCase):
    """Hostile backends: what they do to us, the client sees as a fault of theirs, and the next request is served."""

    _backend: ClassVar[FaultyBackend | None] = None

    def answered(self, *frames: Frame | bytes) -> bytes:
        """Return the status of a request to a backend that says this to it, behind its settings."""
        said = b"".join(
            each if isinstance(each, bytes) else each.serialize() for each in (settings({}), *frames, goaway(1))
        )

        def answer(sock: socket.socket) -> None:
            sock.sendall(said)
            while came := sock.recv(1 << 16):
                self.heard += came

        self.heard = b""
        cls = type(self)
        if cls._backend is None:
            cls._backend = FaultyBackend(answer, self.served.ports["h2"])
        cls._backend.answer = answer
        talk = self.talk()
        talk.say(headers(1, block_of(asked(b"/h2"))))
        return talk.status(1)

    def goaway(self, code: int) -> None:
        """The backend's connection was ended with a code."""
        wait(lambda: raw_frame(7, 0, 0, bytes(4) + code.to_bytes(4, "big")) in self.heard)

    def test_51_floods(self) -> None:
        """Frames that cost the backend nothing."""
        for frame in (ping(), settings({}), PriorityFrame(99), raw_frame(0x4B, 0, 0, b""), window_update(0, 1)):
            self.assertEqual(self.answered(*([frame] * TIMES)), b"502", frame)
            self.goaway(ENHANCE_YOUR_CALM)

    def test_49_continuation(self) -> None:
        """A header block without an end."""
        flood = [continuation(1, b"", whole=False)] * TIMES
        self.assertEqual(self.answered(headers(1, b"", False, whole=False), *flood), b"502")
        self.goaway(ENHANCE_YOUR_CALM)

    def test_50_bomb(self) -> None:
        """A head that means very much, and one that means nothing."""
        encoder = hpack.Encoder()
        first = encoder.encode([(b":status", b"200"), (b"x-large", b"y" * 4000)])
        place = encoder.encode([(b"x-large", b"y" * 4000)])
        self.assertEqual(self.answered(header_frames(1, first + place * 16000, True)), b"502")
        self.assertEqual(self.answered(headers(1, b"\xff" * 100)), b"502")
        self.goaway(COMPRESSION_ERROR)

    def test_59_fields(self) -> None:
        """Fields of an HTTP/1 connection in a response, line ends, two lengths, and no status."""
        for fields in (
            [(b":status", b"200"), (b"transfer-encoding", b"chunked")],
            [(b":status", b"200"), (b"connection", b"close")],
            [(b":status", b"200"), (b"x", b"a\r\nb: c")],
            [(b":status", b"200"), (b"content-length", b"1"), (b"content-length", b"2")],
            [(b"x", b"y")],
            [(b":status", b"99999")],
        ):
            self.assertEqual(self.answered(headers(1, block_of(fields))), b"502", fields)

    def test_63_garbage(self) -> None:
        """What is no HTTP/2, and pushes."""
        for frame in (raw_frame(0, 0, 0, b"x"), raw_frame(5, 4, 1, bytes(4)), b"SSH-2.0-secret\r\n"):
            self.assertEqual(self.answered(frame), b"502", frame)
