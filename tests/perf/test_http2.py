"""What a request over HTTP/2 makes, calls and writes, counted in a conversation without sockets."""

from __future__ import annotations

import gc
import sys
from collections import Counter
from types import CodeType, FrameType
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.h2.flow import FlowStream, ReceiveWindow
from edgegate.http.h2.stream import Stream
from edgegate.version import compiled
from tests.http.h2.recording import REQUEST, Peer, RecordedRequest, RecordedServer, headers

CALLS = 23
"""Python functions of the layer that a known request and its response go through, at the most."""

REQUESTS = 1000


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
        seen: Counter[CodeType] = Counter()

        def called(frame: FrameType, event: str, _: Any) -> None:
            if event == "call" and frame.f_globals.get("__name__", "").startswith("edgegate."):
                seen[frame.f_code] += 1

        data = self.requests(count)
        before = sys.getprofile()
        sys.setprofile(called)
        try:
            self.server.receive(data)
            self.server.take()
        finally:
            sys.setprofile(before)
        return seen


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
