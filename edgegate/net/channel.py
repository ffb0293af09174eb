"""
One end of a connection between two processes of a gateway: values, and descriptors with them.

Values are pickled, where both are of one program; JSON is for two of different versions. All of these processes are of
the same user: who could send something else could do all that the receiver can.
"""

from __future__ import annotations

import array
import errno
import json
import os
import pickle
import select
import socket
import struct
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from time import monotonic

_HEADER = struct.Struct("<IH")
"""The length of a value, and how many descriptors come with it."""

_READ = 256 * 1024
_CLOSE_ON_EXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))

MOST_DESCRIPTORS = 200
"""Descriptors that come with one value; the kernel takes no more than 253."""

MOST_QUEUED = 16 * 1024 * 1024
"""Bytes that wait for a process that does not read; one value may be larger. See L{Channel.full}."""

LONGEST_SILENCE = 30.0
"""Seconds without reading after which that many are too many; see L{Channel.send}."""


class NoDescriptors(Exception):
    """There are none left for the copies that would go with a value: it was not sent."""


@dataclass(frozen=True, slots=True)
class Codec:
    """How values become bytes, and bytes values."""

    encode: Callable[[object], bytes]
    decode: Callable[[bytes], object]


PICKLE = Codec(lambda value: pickle.dumps(value, pickle.HIGHEST_PROTOCOL), pickle.loads)
JSON = Codec(lambda value: json.dumps(value).encode(), json.loads)


@dataclass(frozen=True, slots=True)
class Received:
    """
    What came.

    @ivar descriptors: The receiver's from now on.
    """

    value: object
    descriptors: tuple[int, ...] = ()


class Channel:
    """
    Sends and receives. Its owner watches the descriptor.

    What was sent last may wait for L{flush}.
    """

    def __init__(
        self, sock: socket.socket, patient: bool = False, silence: float = LONGEST_SILENCE, codec: Codec = PICKLE
    ) -> None:
        """
        @param sock: A stream of C{AF_UNIX}, which belongs to this from now on.
        @param patient: Wait until all is sent, and until something comes.
        @param silence: Seconds after which the other end has not read for long, see L{send}.
        """
        sock.setblocking(patient)
        self._codec = codec
        self._socket = sock
        self._queue: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._queued = 0
        self._moved = 0.0
        self._silence = silence
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed."""
        return self._socket.fileno()

    def send(self, value: object, descriptors: Iterable[int] = ()) -> None:
        """
        Send a value, and copies of descriptors, which stay the caller's.

        @raise OSError: The other end is gone, or has not read for long.
        @raise NoDescriptors: Nothing was sent, and the other end is there.
        """
        body = self._codec.encode(value)
        if self.full and monotonic() - self._moved > self._silence:
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        copies = _copied(descriptors)
        assert len(copies) <= MOST_DESCRIPTORS
        message = memoryview(_HEADER.pack(len(body), len(copies)) + body)
        if not self._queue:
            self._moved = monotonic()
        self._queue.append((message, copies))
        self._queued += len(message)
        self.flush()

    @property
    def waiting(self) -> bool:
        """Whether something is to be sent as soon as the descriptor can be written."""
        return bool(self._queue)

    @property
    def full(self) -> bool:
        """Whether so much waits that what need not be told is better left out."""
        return self._queued > MOST_QUEUED

    def flush(self) -> None:
        """
        Send what can be sent.

        @raise OSError: The other end is gone.
        """
        while self._queue:
            message, copies = self._queue[0]
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", copies))] if copies else []
            try:
                sent = self._socket.sendmsg([message], ancillary)
            except BlockingIOError:
                return
            close_all(copies)
            self._moved = monotonic()
            self._queued -= sent
            if sent < len(message):
                # the descriptors have gone with the first byte
                self._queue[0] = message[sent:], ()
            else:
                self._queue.popleft()

    def flush_within(self, seconds: float) -> None:
        """
        Send what waits, and wait for the other end to read it; what it has not read in time waits still.

        @raise OSError: The other end is gone.
        """
        poll = select.poll()
        poll.register(self._socket, select.POLLOUT)
        end = monotonic() + seconds
        self.flush()
        while self._queue:
            left = end - monotonic()
            if left <= 0:
                return
            poll.poll(left * 1000)
            self.flush()

    def receive(self) -> list[Received]:
        """
        Return what has come; nothing where less than a value has.

        @raise EOFError: The other end is closed.
        @raise OSError: It is gone, or no descriptors are left here for those that come with it.
        @raise ValueError: What has come is no value.
        """
        try:
            data, ancillary, flags, _ = self._socket.recvmsg(
                _READ, socket.CMSG_SPACE(4 * MOST_DESCRIPTORS), _CLOSE_ON_EXEC
            )
        except BlockingIOError:
            return []
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                found = array.array("i")
                found.frombytes(content[: len(content) // 4 * 4])
                self._descriptors.extend(found)
        if flags & socket.MSG_CTRUNC:
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        if not data:
            raise EOFError
        self._buffer += data
        return self._take()

    def _take(self) -> list[Received]:
        found = []
        while len(self._buffer) >= _HEADER.size:
            length, count = _HEADER.unpack_from(self._buffer)
            end = _HEADER.size + length
            if len(self._buffer) < end:
                break
            value = self._codec.decode(memoryview(self._buffer)[_HEADER.size : end].tobytes())
            del self._buffer[:end]
            found.append(Received(value, tuple(self._descriptors.popleft() for _ in range(count))))
        return found

    def close(self) -> None:
        """Send and receive no more; what was not sent is lost."""
        for _, copies in self._queue:
            close_all(copies)
        close_all(self._descriptors)
        self._queue.clear()
        self._descriptors.clear()
        self._socket.close()


def pair() -> tuple[socket.socket, socket.socket]:
    """Return both ends of a new connection."""
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def adopt(descriptor: int) -> socket.socket:
    """Return the socket of a descriptor, which belongs to it from now on; no call on it waits."""
    sock = socket.socket(fileno=descriptor)
    sock.setblocking(False)
    return sock


def descriptors_of(sockets: Iterable[socket.socket]) -> tuple[int, ...]:
    """Return the descriptors of sockets, which stay theirs."""
    return tuple(sock.fileno() for sock in sockets)


def wait_for_any(descriptors: Iterable[int], seconds: float | None = None) -> set[int]:
    """
    Wait until descriptors can be read, for a process that has no reactor, or whose reactor does not run yet.

    @param seconds: For how long; L{None}: for ever.
    @return: Those that can be read.
    """
    poll = select.poll()
    for each in descriptors:
        poll.register(each, select.POLLIN)
    return {fd for fd, _ in poll.poll(None if seconds is None else max(seconds, 0) * 1000)}


def _copied(descriptors: Iterable[int]) -> list[int]:
    copies: list[int] = []
    try:
        for each in descriptors:
            copies.append(os.dup(each))
    except OSError as error:
        close_all(copies)
        raise NoDescriptors(error.strerror) from None
    return copies


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors that nobody has any use for."""
    for each in descriptors:
        os.close(each)
