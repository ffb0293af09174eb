"""
Tests of L{edgegate.http.h2.connection} with the package h2 at the other end, and with conversations that were changed.

What each end does is tested with L{edgegate.http.h2.server} and L{edgegate.http.h2.client}.
"""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, Event, RequestReceived, ResponseReceived, StreamEnded, TrailersReceived
from hypothesis import given
from hypothesis import settings as settings_of
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.client import ClientConnection
from edgegate.http.h2.connection import Connection
from edgegate.http.h2.frames import PREFACE
from edgegate.http.h2.hpack import block_of
from tests.http.h2.recording import (
    REQUEST,
    UPLOAD,
    Peer,
    RecordedClient,
    RecordedRequest,
    RecordedResponse,
    RecordedServer,
    continuation,
    data,
    frames_of,
    goaway,
    headers,
    ping,
    reset,
    settings,
    window_update,
)

BODIES = st.lists(st.integers(0, 100_000), max_size=4)
PIECES = st.lists(st.integers(1, 5000), min_size=1, max_size=5)


def other_end(client: bool) -> H2Connection:
    """Return the oracle."""
    return H2Connection(H2Configuration(client_side=client, header_encoding=None))


def cut(data: bytes, sizes: list[int]) -> list[bytes]:
    """Cut bytes into pieces of these sizes, in turn."""
    pieces = []
    at = turn = 0
    while at < len(data):
        size = sizes[turn % len(sizes)]
        pieces.append(data[at : at + size])
        at += size
        turn += 1
    return pieces


class Pair:
    """One of ours and the oracle, each saying to the other what it has to say, in pieces."""

    def __init__(self, connection: Connection, pieces: list[int]) -> None:
        self.connection = connection
        self.other = other_end(client=connection._serves)
        self.pieces = pieces
        self.events: list[Event] = []
        self.other.initiate_connection()
        self.run()

    def run(self) -> None:
        """Go on until neither has more to say; the oracle gives back room for all that came."""
        while True:
            ours, theirs = self.connection.take(), self.other.data_to_send()
            if not ours and not theirs:
                return
            for piece in cut(ours, self.pieces):
                for event in self.other.receive_data(piece):
                    self.events.append(event)
                    if isinstance(event, DataReceived) and event.flow_controlled_length:
                        self.other.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            for piece in cut(theirs, self.pieces):
                self.connection.receive(piece)
            assert self.connection.code < 0, self.connection.reason

    def send(self, number: int, size: int) -> None:
        """Have the oracle send a body, as there is room for it, and its end."""
        while size:
            room = min(self.other.local_flow_control_window(number), self.other.max_outbound_frame_size, size)
            assert room > 0
            self.other.send_data(number, b"x" * room)
            size -= room
            self.run()
        self.other.end_stream(number)
        self.run()

    def body(self, number: int) -> int:
        """Return how much of a body has come to the oracle."""
        found = [event for event in self.events if isinstance(event, DataReceived) and event.stream_id == number]
        return sum(len(event.data or b"") for event in found)

    def came(self, kind: type[Event]) -> list[Event]:
        """Return what came of one kind."""
        return [event for event in self.events if isinstance(event, kind)]


class OracleTests(SynchronousTestCase):
    """The package h2 at the other end."""

    @settings_of(max_examples=30)
    @given(BODIES, BODIES, PIECES)
    def test_server(self, uploads: list[int], answers: list[int], pieces: list[int]) -> None:
        """A client of another's making is served: bodies of any size both ways, with trailers."""
        server = RecordedServer()
        pair = Pair(server, pieces)
        for at, size in enumerate(uploads):
            number = 2 * at + 1
            pair.other.send_headers(number, UPLOAD)
            pair.run()
            pair.send(number, size)
            self.assertEqual(len(server.began[at].body), size)
        for at, stream in enumerate(server.began):
            size = (answers or [0])[at % len(answers or [0])]
            server.send_head(stream, block_of([(b":status", b"200"), (b"a", b"%d" % at)]), False)
            server.send_data(stream, b"y" * size)
            server.end(stream, block_of([(b"checksum", b"%d" % at)]))
            pair.run()
            self.assertEqual(pair.body(stream.number), size)
            self.assertEqual(stream.events[-1], ("closed",))
        self.assertEqual(len(pair.came(ResponseReceived)), len(uploads))
        self.assertEqual(len(pair.came(TrailersReceived)), len(uploads))
        self.assertTrue(server.acknowledged)

    @settings_of(max_examples=30)
    @given(BODIES, BODIES, PIECES)
    def test_client(self, uploads: list[int], answers: list[int], pieces: list[int]) -> None:
        """A server of another's making is asked: bodies of any size both ways, with trailers."""
        client = RecordedClient()
        pair = Pair(client, pieces)
        for at, size in enumerate(uploads):
            stream = client.post(size)
            if not size:
                client.end(stream)
            client.send_data(stream, b"y" * size)
            pair.run()
            self.assertEqual(pair.body(stream.number), size)
            pair.other.send_headers(stream.number, [(b":status", b"200"), (b"a", b"%d" % at)])
            for answer in answers:
                left = answer
                while left:
                    room = min(pair.other.local_flow_control_window(stream.number), 16384, left)
                    pair.other.send_data(stream.number, b"x" * room)
                    left -= room
                    pair.run()
            pair.other.send_headers(stream.number, [(b"grpc-status", b"0")], end_stream=True)
            pair.run()
            got = sum(len(event[1]) for event in stream.events if isinstance(event[1:] and event[1], bytes))
            self.assertEqual(got, sum(answers))
            self.assertEqual(stream.events[-2:], [("end", [(b"grpc-status", b"0")]), ("closed",)])
        self.assertEqual(len(pair.came(RequestReceived)), len(uploads))
        self.assertEqual(len(pair.came(StreamEnded)), len(uploads))

    def test_many(self) -> None:
        """More than fits into any window at a time, of many streams."""
        server = RecordedServer(b"z" * 200_000)
        pair = Pair(server, [70_000])
        for number in range(1, 101, 2):
            pair.other.send_headers(number, REQUEST, end_stream=True)
        pair.run()
        self.assertEqual([pair.body(number) for number in range(1, 101, 2)], [200_000] * 50)
        self.assertEqual(server.streams, {})


CONVERSATION = b"".join(
    frame.serialize()
    for frame in (
        settings({3: 100, 4: 70000}),
        headers(1, block_of(REQUEST)),
        headers(3, block_of(UPLOAD)[:10], ends=False, whole=False),
        continuation(3, block_of(UPLOAD)[10:]),
        data(3, b"hello", padding=7),
        window_update(0, 1000),
        ping(),
        window_update(3, 1000),
        data(3, b"x" * 2000),
        headers(3, block_of([(b"checksum", b"1")])),
        headers(5, block_of([*UPLOAD, (b"content-length", b"3")]), ends=False),
        settings({1: 0, 4: 10}),
        reset(5),
        headers(7, block_of(REQUEST)),
        goaway(0),
    )
)
RESPONSES = b"".join(
    frame.serialize()
    for frame in (
        settings({3: 100}),
        headers(1, block_of([(b":status", b"103")]), ends=False),
        headers(1, block_of([(b":status", b"200"), (b"content-length", b"5")]), ends=False),
        data(1, b"hello", ends=True),
        headers(3, block_of([(b":status", b"200")])[:1], ends=False),
        data(3, b"x" * 1500),
        window_update(3, 5),
        headers(3, block_of([(b"grpc-status", b"0")])),
        ping(),
        reset(5, 7),
        goaway(5),
    )
)
CHANGES = st.lists(
    st.tuples(st.sampled_from(["set", "drop", "double", "cut"]), st.integers(0, 1 << 20), st.integers(0, 255)),
    min_size=1,
    max_size=4,
)


def changed(data: bytes, changes: list[tuple[str, int, int]]) -> bytes:
    """Return bytes that were changed."""
    out = bytearray(data)
    for what, place, byte in changes:
        at = place % max(1, len(out))
        if what == "set" and out:
            out[at] = byte
        elif what == "drop":
            del out[at : at + byte % 12]
        elif what == "double":
            out[at:at] = out[at : at + byte]
        else:
            del out[len(out) - byte % 20 :]
    return bytes(out)


class MutatedTests(SynchronousTestCase):
    """Whatever comes ends in answers or GOAWAY, never in another exception."""

    def check(self, connection: Connection, streams: list[RecordedRequest] | list[RecordedResponse]) -> None:
        """What was written is HTTP/2, and each stream has ended once at the most."""
        frames = frames_of(connection.take())
        self.assertEqual(sum(frame.type == 7 for frame in frames), connection.code >= 0)
        if connection.code >= 0:
            self.assertEqual((frames[-1].type, connection.streams), (7, {}))
        connection.lost()
        for stream in streams:
            ends = sum(event[0] in ("reset", "closed") for event in stream.events)
            self.assertEqual(ends, 1, stream.events)
        self.assertEqual((connection._window.held, connection._spare), (0, 512 * 1024))

    @given(CHANGES, PIECES)
    def test_server(self, changes: list[tuple[str, int, int]], pieces: list[int]) -> None:
        """What a client says."""
        server = RecordedServer(b"answer")
        for piece in cut(PREFACE + changed(CONVERSATION, changes), pieces):
            server.receive(piece)
        self.check(server, server.began)

    @given(CHANGES, PIECES)
    def test_client(self, changes: list[tuple[str, int, int]], pieces: list[int]) -> None:
        """What a backend says."""
        client = RecordedClient()
        streams = [client.get(), client.post(), client.get()]
        for piece in cut(changed(RESPONSES, changes), pieces):
            client.receive(piece)
        self.check(client, streams)

    @given(st.binary(max_size=200))
    def test_noise(self, noise: bytes) -> None:
        """Any bytes behind the beginning, as frames or not."""
        for connection, start in ((RecordedServer(), PREFACE), (RecordedClient(), b"")):
            Peer(connection, start).say(noise)
            connection.lost()
            self.assertEqual(connection.streams, {})

    def test_cut(self) -> None:
        """It is the same wherever what comes is cut."""
        whole = PREFACE + CONVERSATION
        expected: list[object] = []
        for at in range(len(whole)):
            server = RecordedServer(b"answer")
            server.receive(whole[:at])
            server.receive(whole[at:])
            told = [(stream.head, stream.body, stream.events[-1]) for stream in server.began]
            found = [(head and head.target, body, last) for head, body, last in told]
            expected = expected or found
            self.assertEqual((found, server.code), (expected, -1), at)

    def test_unchanged(self) -> None:
        """As they are, these conversations are whole."""
        server = RecordedServer(b"answer")
        server.receive(PREFACE + CONVERSATION)
        self.assertEqual((server.code, len(server.began)), (-1, 4), server.reason)
        client = RecordedClient()
        streams = [client.get(), client.post(), client.get()]
        client.receive(RESPONSES)
        self.assertEqual((client.code, [len(stream.events) for stream in streams]), (-1, [5, 3, 1]), client.reason)
        self.assertIsInstance(client, ClientConnection)
