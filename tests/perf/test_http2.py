"""What a request over HTTP/2 makes, calls and writes, counted in a conversation without sockets."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.flow import FlowStream, ReceiveWindow
from edgegate.http.h2.stream import Stream
from edgegate.model.clusters import HTTPVersion
from edgegate.version import compiled
from tests.http.conversation import Conversation
from tests.http.h2.backend import Backend
from tests.http.h2.clients import HTTP2Client
from tests.http.h2.recording import REQUEST, UPLOAD, Peer, RecordedRequest, RecordedServer, data, headers

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"

CALLS = 23
"""Python functions of the layer that a known request and its response go through, at the most."""

CALLS_OF_DATA = 12
"""Those that a further frame of a body goes through."""

GET = [(b":method", b"GET"), (b":scheme", b"http"), (b":authority", b"web.example"), (b":path", b"/")]

REQUESTS = 1000
STREAMS = 8


def calls_of(server: RecordedServer, came: bytes) -> Counter[CodeType]:
    """Return how often each function of the package is called for what came in one read, and what is written then."""
    seen: Counter[CodeType] = Counter()

    def called(frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and frame.f_globals.get("__name__", "").startswith("edgegate."):
            seen[frame.f_code] += 1

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        server.receive(came)
        server.take()
    finally:
        sys.setprofile(before)
    return seen


class Kept:
    """A client whose connection is kept, and that has asked for the same already."""

    def __init__(self) -> None:
        self.server = RecordedServer(b"answer")
        self.peer = Peer(self.server)
        for _ in range(3):
            self.peer.headers(self.server.last + 2, REQUEST)
        self.block = self.peer.block(REQUEST)

    def requests(self, count: int) -> bytes:
        """Return requests that come in one read."""
        first = self.server.last + 2
        return b"".join(headers(number, self.block).serialize() for number in range(first, first + 2 * count, 2))

    def calls(self, count: int) -> Counter[CodeType]:
        """Ask, and return how often each function of the package was called."""
        return calls_of(self.server, self.requests(count))


class RequestTests(SynchronousTestCase):
    """Requests that are known."""

    if compiled():
        skip = "compiled functions cannot be counted, nor take fakes"

    def test_made(self) -> None:
        """A request makes one object of ours, its stream, and none for a frame or a head."""
        made = {code: count for code, count in Kept().calls(1).items() if code.co_name == "__init__"}
        one = [Stream.__init__.__code__, FlowStream.__init__.__code__, ReceiveWindow.__init__.__code__]
        self.assertEqual(made, dict.fromkeys(one, 1))
        self.assertTrue(issubclass(RecordedRequest, Stream))

    def test_calls(self) -> None:
        """A request goes through no more functions than it used to, and each further one in a read through fewer."""
        seen = Kept().calls(1)
        self.assertLessEqual(seen.total(), CALLS, "\n".join(f"{n} {c.co_name}" for c, n in seen.most_common()))
        self.assertLess(Kept().calls(100).total(), 100 * (CALLS - 3))

    def test_left(self) -> None:
        """A thousand requests leave nothing behind in memory."""
        kept = Kept()
        kept.server.began.clear()
        gc.collect()
        gc.disable()
        self.addCleanup(gc.enable)
        before = sys.getallocatedblocks()
        for _ in range(REQUESTS):
            kept.server.receive(kept.requests(1))
            kept.server.take()
            kept.server.began.clear()
        self.assertLess(sys.getallocatedblocks() - before, REQUESTS // 2)

    def test_frames(self) -> None:
        """A frame makes no object of ours, and a body of many goes through few functions for each."""
        server = RecordedServer()
        peer = Peer(server)
        peer.headers(1, UPLOAD, ends=False)
        seen = calls_of(server, b"".join(data(1, b"x" * 1000).serialize() for _ in range(60)))
        self.assertEqual([code for code in seen if code.co_name == "__init__"], [])
        self.assertLessEqual(seen.total(), 60 * CALLS_OF_DATA)


class WritesTests(SynchronousTestCase):
    """What one turn of the reactor writes, on connections that are kept."""

    def end_turn(self) -> None:
        """Call what waits for the end of the turn."""
        calls, self.turn[:] = list(self.turn), []
        for call in calls:
            call()

    def start(self, **cluster: Any) -> None:
        """A client connects."""
        self.turn: list[Callable[[], None]] = []
        self.talk = Conversation(**cluster)
        self.client = HTTP2Client(self.talk)
        self.client.stream.turn = self.turn

    def ask(self, count: int) -> None:
        """Ask so many times in one read."""
        layer = self.client.h2
        for _ in range(count):
            layer.send_headers(layer.get_next_available_stream_id(), GET, end_stream=True)
        self.client.stream.deliver(layer.data_to_send())

    def test_answers(self) -> None:
        """Responses of many backends that come in one turn leave in one write; each backend was written to once."""
        self.start()
        self.ask(STREAMS)
        backends = [connect.accept() for connect in self.talk.connects]
        self.assertEqual([len(each.writes) for each in backends], [1] * STREAMS)
        self.end_turn()
        self.client.stream.take()
        for each in backends:
            each.deliver(OK)
        self.assertEqual(self.client.stream.writes, [])
        self.end_turn()
        self.assertEqual(len(self.client.stream.writes), 1)
        self.assertEqual(self.client.stream.sent.count(b"hello"), STREAMS)

    def test_shared(self) -> None:
        """Requests to a backend of HTTP/2 leave in one write, and their responses in another."""
        self.start(http=HTTPVersion.HTTP2)
        self.ask(1)
        backend = Backend(self.talk.backend())
        backend.respond(1, b"hello")
        self.end_turn()
        self.client.stream.take()
        backend.stream.turn = self.turn
        self.ask(STREAMS)
        self.assertEqual(backend.stream.writes, [])
        self.end_turn()
        self.assertEqual((len(backend.stream.writes), len(self.client.stream.writes)), (1, 0))
        backend.h2.receive_data(backend.stream.take())
        for number in range(3, 3 + 2 * STREAMS, 2):
            backend.h2.send_headers(number, [(b":status", b"200")])
            backend.h2.send_data(number, b"hello", end_stream=True)
        backend.stream.deliver(backend.h2.data_to_send())
        self.end_turn()
        self.assertEqual(len(self.client.stream.writes), 1)
        self.assertEqual(self.client.stream.sent.count(b"hello"), STREAMS)

    def test_upload(self) -> None:
        """The frames of an upload that come in one read are sent to the backend in one write."""
        self.start()
        layer = self.client.h2
        number = layer.get_next_available_stream_id()
        layer.send_headers(number, [(b":method", b"POST"), *GET[1:], (b"content-length", b"49152")])
        self.client.stream.deliver(layer.data_to_send())
        backend = self.talk.backend()
        backend.take()
        for _ in range(3):
            layer.send_data(number, b"x" * 16384)
        self.client.stream.deliver(layer.data_to_send())
        self.assertEqual([len(each) for each in backend.writes], [49152])
