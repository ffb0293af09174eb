"""A stream whose other side is the test."""

from __future__ import annotations

import socket
from typing import Any

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from edgegate.net.stream import Stream
from tests.net.pairs import HERE, THERE, Recorder, receive, tcp_pair, until

LARGE = b"x" * (8 << 20)


def connected(case: TestCase) -> tuple[Stream, socket.socket, Recorder]:
    """Return a stream with a protocol, which ends with the test, and its other side."""
    ours, theirs = tcp_pair()
    stream, recorder = Stream(reactor, ours, HERE, THERE), Recorder()  # type: ignore[arg-type]
    stream.start(recorder)
    case.addCleanup(theirs.close)
    case.addCleanup(lambda: until(lambda: recorder.lost or stream.disconnected))
    case.addCleanup(stream.abortConnection)
    return stream, theirs, recorder


class StreamTestCase(TestCase):
    """One stream, whose other side is the test."""

    def setUp(self) -> None:
        """Connect."""
        self.ours, self.theirs = tcp_pair()
        self.addCleanup(self.theirs.close)
        self.addCleanup(self.ours.close)
        self.stream = Stream(reactor, self.ours, HERE, THERE)  # type: ignore[arg-type]

    def start(self, protocol: Recorder) -> Any:
        """Give it a protocol, which ends with the test."""
        self.stream.start(protocol)
        self.addCleanup(lambda: until(lambda: protocol.lost or self.stream.disconnected))
        self.addCleanup(self.stream.abortConnection)
        return protocol

    async def taken(self, size: int) -> bytes:
        """Read so much on the other side."""
        data = bytearray()

        def enough() -> bool:
            data.extend(receive(self.theirs) or b"")
            return len(data) >= size

        await until(enough)
        return bytes(data)
