"""
One end of a connection between two processes of a gateway: values, and descriptors with them.

Values are pickled. All of these processes are of the same user and the same program: who could send something else
could do all that the receiver can.
"""

from __future__ import annotations

import array
import errno
import os
import pickle
import select
import socket
import struct
from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_HEADER = struct.Struct("<IH")
"""The length of a value, and how many descriptors come with it."""

_READ = 256 * 1024
_CLOSE_ON_EXEC = int(getattr(socket, "MSG_CMSG_CLOEXEC", 0))

MOST_DESCRIPTORS = 200
"""Descriptors that come with one value; the kernel takes no more than 253."""

MOST_QUEUED = 16 * 1024 * 1024
"""Bytes that wait for a process that does not read; see L{Channel.send}."""


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

    def __init__(self, sock: socket.socket, patient: bool = False) -> None:
        """
        @param sock: A stream of C{AF_UNIX}, which belongs to this from now on.
        @param patient: Wait until all is sent, and until something comes.
        """
        sock.setblocking(patient)
        self._socket = sock
        self._queue: deque[tuple[memoryview, Sequence[int]]] = deque()
        self._queued = 0
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed."""
        return self._socket.fileno()

    def send(self, value: object, descriptors: Iterable[int] = ()) -> None:
        """
        Send a value, and copies of descriptors, which stay the caller's.

        @raise OSError: The other end is gone, or has not read for long.
        """
        copies = [os.dup(each) for each in descriptors]
        assert len(copies) <= MOST_DESCRIPTORS
        body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
        if self._queued > MOST_QUEUED:
            _close_all(copies)
            raise OSError(errno.ENOBUFS, os.strerror(errno.ENOBUFS))
        message = memoryview(_HEADER.pack(len(body), len(copies)) + body)
        self._queue.append((message, copies))
        self._queued += len(message)
        self.flush()

    @property
    def waiting(self) -> bool:
        """Whether something is to be sent as soon as the descriptor can be written."""
        return bool(self._queue)

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
            _close_all(copies)
            self._queued -= sent
            if sent < len(message):
                # the descriptors have gone with the first byte
                self._queue[0] = message[sent:], ()
            else:
                self._queue.popleft()

    def receive(self) -> list[Received]:
        """
        Return what has come; nothing where less than a value has.

        @raise EOFError: The other end is closed.
        @raise OSError: It is gone.
        """
        try:
            data, ancillary, _, _ = self._socket.recvmsg(_READ, socket.CMSG_SPACE(4 * MOST_DESCRIPTORS), _CLOSE_ON_EXEC)
        except BlockingIOError:
            return []
        for level, kind, content in ancillary:
            if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
                found = array.array("i")
                found.frombytes(content[: len(content) // 4 * 4])
                self._descriptors.extend(found)
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
            value = pickle.loads(memoryview(self._buffer)[_HEADER.size : end].tobytes())
            del self._buffer[:end]
            found.append(Received(value, tuple(self._descriptors.popleft() for _ in range(count))))
        return found

    def close(self) -> None:
        """Send and receive no more; what was not sent is lost."""
        for _, copies in self._queue:
            _close_all(copies)
        _close_all(self._descriptors)
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


def _close_all(descriptors: Iterable[int]) -> None:
    for each in descriptors:
        os.close(each)
