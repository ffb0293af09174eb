# Hot path: every byte of a large body that is to be encrypted passes here.
"""
A run through one buffer that all of them share: what a socket brings is decrypted into it, encrypted from it, or both.

No object is made for the bytes, and the buffer stays in the processor's
cache. A run holds nothing between two turns of the reactor: what the sink does
not take is copied to its queue.
"""

from __future__ import annotations

from typing import Final

from edgegate.net.body_run import BodyRun

BUFFER_SIZE: Final = 262144
"""Bytes that one read takes at the most: they are encrypted as one, and leave in full packets."""

_buffer: Final = memoryview(bytearray(BUFFER_SIZE))


class BodyCopy(BodyRun):
    """One run between two streams of which one at least is inside TLS, or for which no pipe is left."""

    __slots__ = ()

    def fill(self) -> bool:
        """
        Read once, and write it; nothing is left to L{empty}.

        @raise OSError: The source is broken.
        """
        source, sink = self._source, self.sink
        data = _buffer[: min(self.left, BUFFER_SIZE)]
        try:
            taken = source.read_into(data)
        except BlockingIOError:
            return False
        if not taken:
            # it ended too early, and says so itself
            source.run_cut()
            return False
        self.left -= taken
        if not self.left:
            self.stop()
        sink.write_lent(data[:taken])
        self._moved(taken)
        return False

    def empty(self) -> bool:
        """Nothing is ever left here: the sink has it in its queue."""
        return True
