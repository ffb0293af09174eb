# Hot path: every large body in the clear and every relay of many bytes has one.
"""Pipes of the kernel, in which bytes wait between two sockets (C{splice(2)}) without coming to this process."""

from __future__ import annotations

import fcntl
import os
import resource
from typing import Final

PIPE_SIZE: Final = 1 << 18
"""Bytes that a pipe is asked to hold; where the user's limit is lower it holds what it holds."""

_LEAST_SIZE: Final = 65536
"""Bytes that it holds where it cannot be asked."""

_KEPT_PIPES: Final = 64

MOST_PIPES: Final = max(resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 16, 16)
"""Pipes that all may have: with two descriptors each, an eighth of the process's. The others' bytes are copied."""

SPLICES: Final = hasattr(os, "splice")
FLAGS: Final = (os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK) if hasattr(os, "SPLICE_F_MOVE") else 0x01 | 0x02
_F_SETPIPE_SZ: Final = getattr(fcntl, "F_SETPIPE_SZ", 1031)


class Pipe:
    """
    A pipe between two sockets.

    @ivar held: Bytes that are in it, as whoever has it counts them.
    """

    __slots__ = ("_pipes", "held", "reader", "size", "writer")

    def __init__(self, pipes: Pipes) -> None:
        """
        @raise OSError: No descriptor is left.
        """
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._pipes = pipes
        self.held = 0
        try:
            self.size = int(fcntl.fcntl(self.writer, _F_SETPIPE_SZ, PIPE_SIZE))
        except OSError:
            self.size = _LEAST_SIZE

    def give(self) -> None:
        """Give it back to where it was taken from."""
        self._pipes.give(self)


class Pipes:
    """
    The pipes that runs and relays have in common; an empty one is kept for the next.

    @ivar most: How many there may be at once; 0 where bytes are to be copied.
    @ivar opened: How many there are, kept or in use.
    """

    __slots__ = ("_kept", "most", "opened")

    def __init__(self, most: int) -> None:
        self.most = most
        self.opened = 0
        self._kept: list[Pipe] = []

    @property
    def kept(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def take(self) -> Pipe | None:
        """Return an empty pipe; L{None} where there are too many, or no descriptor is left."""
        if self._kept:
            return self._kept.pop()
        if self.opened >= self.most:
            return None
        try:
            pipe = Pipe(self)
        except OSError:
            return None
        self.opened += 1
        return pipe

    def give(self, pipe: Pipe) -> None:
        """Keep a pipe if it is empty, else close it."""
        if not pipe.held and len(self._kept) < _KEPT_PIPES:
            self._kept.append(pipe)
        else:
            os.close(pipe.reader)
            os.close(pipe.writer)
            self.opened -= 1

    def close(self) -> None:
        """Close those that are kept."""
        kept, self._kept = self._kept, []
        for pipe in kept:
            os.close(pipe.reader)
            os.close(pipe.writer)
        self.opened -= len(kept)


PIPES: Final = Pipes(MOST_PIPES if SPLICES else 0)
"""Those of the process."""
