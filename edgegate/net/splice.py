# Hot path: every byte that is relayed without being looked at passes here.
"""
Bytes from one socket to another and back, by the kernel where they are many.

Each direction begins with a plain receive and send, which is cheapest for
small messages. When reads come back full it goes over to C{splice(2)}: socket,
pipe, socket, and no byte is copied to this process. What the destination does
not take stays in the pipe or one buffer, and its source is not read meanwhile:
the kernel's own flow control holds the sender back.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Hashable
from typing import Final

from twisted.internet.interfaces import IReactorFDSet, IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.net.accepted_socket import client_on
from edgegate.net.containment import broke, contained
from edgegate.net.descriptor import Descriptor
from edgegate.net.pipe import FLAGS, PIPES, Pipe, Pipes
from edgegate.net.sockets import reset_on_close
from edgegate.net.wheel import Deadline, TimerWheel

READ_SIZE: Final = 65536
"""Bytes of a plain receive; one that comes back full means bulk."""

Ended = Callable[[str, int, int], None]
"""
Gets why, and the bytes each way.

Why is C{""} for a good end, C{"idle"}, C{"aborted"}, C{"broke"} after an error of ours, or C{"one"} or C{"other"}:
whose connection broke.
"""


class Direction:
    """
    From one end to the other.

    @ivar moved: Bytes that the destination took.
    @ivar finished: The source has ended, and the destination was told.
    """

    __slots__ = ("_held", "_pipe", "_pipes", "_recv", "_send", "_source_ended", "finished", "moved", "sink", "source")

    def __init__(self, source: End, sink: End, first: bytes, pipes: Pipes) -> None:
        """
        @param first: What the source has sent before; it goes before all else.
        """
        self.source = source
        self.sink = sink
        self._recv = source.socket.recv
        self._send = sink.socket.send
        self._held: bytes | memoryview = first
        self._pipe: Pipe | None = None
        self._pipes = pipes
        self._source_ended = self.finished = False
        self.moved = 0

    def move(self) -> None:
        """
        Move what can be moved.

        @raise OSError: A side is broken; C{blame} tells which.
        """
        if self._pipe is not None:
            self._splice(self._pipe)
        elif self._held:
            self._send_held()
        else:
            self._copy()

    def release(self) -> None:
        """Give the pipe back."""
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            pipe.give()

    def _copy(self) -> None:
        try:
            data = self._recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError as reason:
            raise SideError(self.source) from reason
        if not data:
            self._end_source()
            return
        self._held = data
        self._send_held()
        if len(data) == READ_SIZE and not self._held:
            self._pipe = self._pipes.take()

    def _send_held(self) -> None:
        data = self._held
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as reason:
            raise SideError(self.sink) from reason
        self.moved += sent
        if sent == len(data):
            self._held = b""
            self.sink.stop_writing()
            self.source.read_again()
        else:
            self._held = memoryview(data)[sent:]
            self.source.stop_reading()
            self.sink.write_soon()

    def _splice(self, pipe: Pipe) -> None:
        """Fill the pipe and empty it, once; the reactor calls again while there is more."""
        if not self._source_ended and pipe.held < pipe.size:
            try:
                taken = os.splice(self.source.fd, pipe.writer, pipe.size - pipe.held, flags=FLAGS)
            except BlockingIOError:
                taken = -1
            except OSError as reason:
                raise SideError(self.source) from reason
            if taken > 0:
                pipe.held += taken
            elif taken == 0:
                self._source_ended = True
                self.source.stop_reading()
        if pipe.held:
            try:
                sent = os.splice(pipe.reader, self.sink.fd, pipe.held, flags=FLAGS)
            except BlockingIOError:
                sent = 0
            except OSError as reason:
                raise SideError(self.sink) from reason
            pipe.held -= sent
            self.moved += sent
        if pipe.held:
            self.source.stop_reading()
            self.sink.write_soon()
            return
        self.sink.stop_writing()
        if self._source_ended:
            self._end_source()
        else:
            self.source.read_again()

    def _end_source(self) -> None:
        """The source has ended and everything was moved: tell the destination."""
        self._source_ended = True
        self.source.stop_reading()
        self.finished = True
        self.release()
        try:
            self.sink.socket.shutdown(socket.SHUT_WR)
        except OSError as reason:
            raise SideError(self.sink) from reason

    @property
    def waiting(self) -> bool:
        """Whether something was received that the destination has not taken yet."""
        return bool(self._held) or (self._pipe is not None and self._pipe.held > 0)

    @property
    def piped(self) -> bool:
        """Whether it goes by C{splice(2)} by now."""
        return self._pipe is not None

    @property
    def source_ended(self) -> bool:
        """Whether the source has said its last."""
        return self._source_ended


class SideError(Exception):
    """The connection of one end is broken."""

    def __init__(self, end: End) -> None:
        super().__init__(end.name)
        self.end = end


class End(Descriptor):
    """
    One of the two sockets on the reactor.

    @ivar outward: The direction that it is the source of.
    @ivar inward: The direction that it is the destination of.
    """

    __slots__ = ("_pair", "inward", "name", "outward", "socket")

    __deletable__: Final = ("_pair", "inward", "outward")
    """mypyc deletes no other attributes."""

    outward: Direction
    inward: Direction

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket, pair: SplicedPair, name: str) -> None:
        super().__init__(reactor, sock.fileno())
        self._pair = pair
        self.socket = sock
        self.name = name

    @property
    def client(self) -> Hashable:
        """Whose connection it is."""
        return client_on(self.socket)

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "relay"

    def doRead(self) -> None:
        """Something can be read."""
        if self.fd >= 0:
            self._pair.move(self.outward)

    def doWrite(self) -> None:
        """More can be written."""
        if self.fd >= 0:  # Twisted's reactors tell of both, whatever the first did
            self._pair.move(self.inward)

    def connectionLost(self, reason: Failure) -> None:
        """
        The reactor says that the socket is of no more use.

        It says so too when both directions are closed and something is still
        to be read, or the other way round: moving finds out which it is.
        """
        self._reading = self._writing = False
        if self.fd >= 0:
            self._pair.hung_up(self)

    def read_again(self) -> None:
        """Watch for something to read."""
        if not self.outward.source_ended:
            self._watch_reading()

    def stop_reading(self) -> None:
        """Do not watch for something to read."""
        self._unwatch_reading()

    def write_soon(self) -> None:
        """Watch for room to write."""
        self._watch_writing()

    def stop_writing(self) -> None:
        """Do not watch for room to write."""
        self._unwatch_writing()

    def close(self, reset: bool) -> None:
        """Close the socket, with a reset or in good order."""
        self._leave()
        if reset:
            reset_on_close(self.socket)
        self.socket.close()
        # an end, its directions and their pair know each other: none is to keep the others in memory
        del self.outward, self.inward, self._pair


classImplements(End, IReadWriteDescriptor)


class SplicedPair:
    """
    Two connected sockets, each getting what the other sends until both have ended.

    It owns both sockets. An end of one's stream is passed on as one, and the
    other direction goes on; where one's connection breaks, the other's is reset.
    """

    __slots__ = ("_deadline", "_ended", "_idle", "_one", "_onward", "_other", "_return")

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        one: socket.socket,
        other: socket.socket,
        idle_timeout: float,
        ended: Ended,
        onward: bytes = b"",
        back: bytes = b"",
        pipes: Pipes = PIPES,
    ) -> None:
        """
        @param idle_timeout: Seconds without a byte either way, after which both are reset.
        @param ended: Called once, after both sockets are closed; never from in here.
        @param onward: What was read from C{one} already.
        @param back: What was read from C{other} already.
        @param pipes: Where a direction finds a pipe; where there is none its bytes are copied.
        """
        self._ended: Ended | None = ended
        self._idle = idle_timeout
        self._one = End(reactor, one, self, "one")
        self._other = End(reactor, other, self, "other")
        self._onward = Direction(self._one, self._other, onward, pipes)
        self._return = Direction(self._other, self._one, back, pipes)
        self._one.outward = self._other.inward = self._onward
        self._other.outward = self._one.inward = self._return
        self._deadline = Deadline(wheel, self._expired)
        self._deadline.start(idle_timeout)
        for direction in (self._onward, self._return):
            if direction.waiting:
                direction.sink.write_soon()
            else:
                direction.source.read_again()

    def __repr__(self) -> str:
        way = ", in pipes" if self.piped else ""
        return f"<SplicedPair {self._onward.moved} onward, {self._return.moved} back{way}>"

    @property
    def piped(self) -> bool:
        """Whether a direction has gone over to C{splice(2)}."""
        return self._onward.piped or self._return.piped

    @property
    def moved(self) -> tuple[int, int]:
        """Bytes onward, and bytes back."""
        return self._onward.moved, self._return.moved

    def abort(self) -> None:
        """Reset both connections."""
        self._end("aborted")

    def move(self, direction: Direction) -> None:
        """A side of a direction is ready."""
        try:
            direction.move()
        except SideError as error:
            self._end(error.end.name)
            return
        except Exception:
            broke(self)
            return
        self._deadline.start(self._idle)
        if self._onward.finished and self._return.finished:
            self._end("")

    def broke(self) -> None:
        """An error of ours was raised in moving: reset both connections."""
        self._end("broke")

    @contained
    def hung_up(self, end: End) -> None:
        """The reactor watches an end no more: its connection broke, or both of its directions are closed."""
        if self._ended is None:
            return
        number = end.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._end(end.name)
            return
        if not end.outward.source_ended:
            end.read_again()
            self.move(end.outward)
        if self._ended is not None and end.inward.waiting:
            self.move(end.inward)

    @contained
    def _expired(self) -> None:
        self._end("idle")

    def _end(self, reason: str) -> None:
        ended, self._ended = self._ended, None
        if ended is None:
            return
        self._deadline.end()
        try:
            self._onward.release()
            self._return.release()
            for end in (self._one, self._other):
                end.close(bool(reason))
        finally:
            ended(reason, self._onward.moved, self._return.moved)
