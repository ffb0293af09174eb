# Hot path: every byte of a large body in the clear passes here.
"""
A run by the kernel: socket, pipe, socket.

The source's reading feeds the pipe, and the pipe stands where the sink's queue
would. No byte is copied to this process.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from edgegate.net.body_run import BodyRun, RunSide
from edgegate.net.pipe import FLAGS, Pipe


class BodySplice(BodyRun):
    """One run between two streams in the clear."""

    __slots__ = ("_pipe",)

    def __init__(self, source: RunSide, sink: RunSide, count: int, moved: Callable[[int], None], pipe: Pipe) -> None:
        super().__init__(source, sink, count, moved)
        self._pipe = pipe

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
            self._source.run_cut()
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
                self.sink.run_blocked()
            elif not self.left:
                self.stop()
            if sent:
                self._moved(sent)
        return not pipe.held

    def stop(self) -> None:
        """Let go of both streams, and of the pipe with what is in it."""
        super().stop()
        self._pipe.give()
