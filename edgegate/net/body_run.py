# Hot path: every large body passes here.
"""
A counted run of bytes from one stream to another, of which neither's protocol sees anything.

Both streams stay what they are and whose they are; while the run lasts, what
the source's socket brings goes straight to the sink.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Final

from edgegate.net.transport import Transport

RUN_FROM: Final = 128 * 1024
"""Bytes from which on a run is worth what it costs to begin."""


class RunSide(Transport, ABC):
    """What a run asks of the two streams that it goes between; an L{edgegate.net.stream.Stream}."""

    __slots__ = ()

    @abstractmethod
    def read_into(self, buffer: memoryview) -> int:
        """
        Read for a run; return how many bytes came, 0 at the end.

        @raise OSError: There is nothing yet, or the connection is broken.
        """

    @abstractmethod
    def write_lent(self, data: memoryview) -> None:
        """L{write} what is another's again on return: what is queued is a copy."""

    @abstractmethod
    def run_cut(self) -> None:
        """The run found the end of what this stream brings."""

    @abstractmethod
    def run_blocked(self) -> None:
        """The run found that this stream's socket is full."""

    @abstractmethod
    def empty_run(self, run: BodyRun) -> bool:
        """Move what a run holds to this stream, which ends if it is broken; return whether nothing of it is left."""

    @abstractmethod
    def run_over(self) -> None:
        """The run is over."""


class BodyRun(ABC):
    """
    One run. It ends by itself, or with either stream.

    @ivar left: Bytes that the source is still to send.
    @ivar sink: Where they go.
    """

    __slots__ = ("_moved", "_source", "left", "sink")

    def __init__(self, source: RunSide, sink: RunSide, count: int, moved: Callable[[int], None]) -> None:
        """
        @param moved: Gets how many bytes the sink has taken each time. When they are all there, the run is over and
            both streams are as before.
        """
        self._source = source
        self._moved = moved
        self.sink = sink
        self.left = count

    @abstractmethod
    def fill(self) -> bool:
        """
        The source can be read: take what it has, once; return whether L{empty} has something to move.

        @raise OSError: The source is broken.
        """

    @abstractmethod
    def empty(self) -> bool:
        """
        Move what was taken to the sink; return whether nothing of it is left.

        @raise OSError: The sink is broken.
        """

    def stop(self) -> None:
        """Let go of both streams."""
        self._source.run_over()
        self.sink.run_over()
