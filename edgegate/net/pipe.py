# Hot path: every large body in the clear and every relay of many bytes has one.
"""Pipes of the kernel, in which bytes wait between two sockets (C{splice(2)}) without coming to this process."""

from __future__ import annotations

import fcntl
import os
import resource
from typing import ClassVar, Final

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
    """A pipe between two sockets, kept for the next when it is empty."""

    __slots__ = ("held", "reader", "size", "writer")

    _kept: ClassVar[list[Pipe]] = []
    _open: ClassVar[int] = 0

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        Pipe._open += 1
        self.held = 0
        try:
            self.size = int(fcntl.fcntl(self.writer, _F_SETPIPE_SZ, PIPE_SIZE))
        except OSError:
            self.size = _LEAST_SIZE

    @classmethod
    def take(cls) -> Pipe | None:
        """Return an empty pipe; L{None} where there are too many, or no descriptor is left."""
        if cls._kept:
            return cls._kept.pop()
        if cls._open >= MOST_PIPES:
            return None
        try:
            return cls()
        except OSError:
            return None

    def give(self) -> None:
        """Keep the pipe if it is empty, else close it."""
        if not self.held and len(self._kept) < _KEPT_PIPES:
            self._kept.append(self)
        else:
            os.close(self.reader)
            os.close(self.writer)
            Pipe._open -= 1
