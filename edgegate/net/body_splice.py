# Hot path: every byte of a large body in the clear passes here.
"""
A counted run of bytes from one stream to another by the kernel: socket, pipe, socket.

Both streams stay what they are and whose they are; while the run lasts the
source's reading feeds the pipe, and the pipe stands where the sink's queue
would. No byte is copied to this process.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from edgegate.net.pipe import FLAGS, Pipe

if TYPE_CHECKING:
    from edgegate.net.stream import Stream

SPLICE_FROM = 128 * 1024
"""Bytes from which on a run is worth the pipe."""


class BodySplice:
    """
    One run. It ends by itself, or with either stream.

    @ivar left: Bytes that the source is still to send.
    @ivar sink: Where they go.
    """

    __slots__ = ("_moved", "_pipe", "_source", "left", "sink")

    def __init__(self, source: Stream, sink: Stream, count: int, pipe: Pipe, moved: Callable[[int], None]) -> None:
        """
        @param moved: Gets how many bytes the sink's kernel has taken each time. When they are all there, the run is
            over and both streams are as before.
        """
        self._source = source
        self._pipe = pipe
        self._moved = moved
        self.sink = sink
        self.left = count

    def fill(self) -> bool:
        """
        The source can be read: fill the pipe, once; return whether anything came.

        @raise OSError: The source is broken.
        """
        pipe = self._pipe
        room = min(self.left, pipe.size - pipe.held)
        if not room:
            return False
        try:
            taken = os.splice(self._source.fileno(), pipe.writer, room, flags=FLAGS)
        except BlockingIOError:
            return False
        if not taken:
            # it ended too early, and says so itself
            self._source.splice_cut()
            return False
        pipe.held += taken
        self._source.bytes_in += taken
        self.left -= taken
        return True

    def empty(self) -> bool:
        """
        Move what the pipe holds to the sink; return whether nothing is left in it.

        @raise OSError: The sink is broken.
        """
        pipe = self._pipe
        if pipe.held:
            try:
                sent = os.splice(pipe.reader, self.sink.fileno(), pipe.held, flags=FLAGS)
            except BlockingIOError:
                sent = 0
            pipe.held -= sent
            self.sink.bytes_out += sent
            if pipe.held:
                self.sink.splice_blocked()
            elif not self.left:
                self.stop()
            if sent:
                self._moved(sent)
        return not pipe.held

    def stop(self) -> None:
        """Let go of both streams and of the pipe, with what is in it."""
        self._source.splice_over()
        self.sink.splice_over()
        self._pipe.give()
