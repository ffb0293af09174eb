# Hot path: every byte of HTTP passes here.
"""
A connected socket on the reactor, offered as a Twisted transport.

What is written is sent at once; only what the kernel did not take waits for
the reactor to say that it can take more. That is one system call a message
where Twisted's own transports make three. Nothing but the reactor's public
L{IReactorFDSet} is used.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Hashable, Iterable
from enum import IntEnum
from typing import Final, cast

from twisted.internet import error
from twisted.internet.interfaces import (
    IConsumer,
    IHalfCloseableDescriptor,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    IPushProducer,
    IReactorFDSet,
    IReadWriteDescriptor,
    ITransport,
)
from twisted.internet.protocol import Protocol
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.buffers import BUFFERS
from edgegate.model.addresses import Address
from edgegate.net.accepted_socket import client_on
from edgegate.net.descriptor import Descriptor
from edgegate.net.sockaddr import AnyTwistedAddress, twisted_address
from edgegate.net.sockets import acknowledged, reset_on_close

READ_SIZE: Final = 65536
"""Bytes that one read takes at the most."""

_FIRST_READ: Final = 8192
"""Bytes that reads take at the most until one is full: memory for more is not had for nothing."""

HIGH_WATER: Final = 65536
"""Queued bytes above which the producer is paused."""

_MOST_PIECES: Final = 64
"""Pieces that the kernel is given as they are: it takes no more than 1024, and many small ones are cheaper copied."""


class Phase(IntEnum):
    """How far the end of a stream is; it only goes forward."""

    OPEN = 0
    FINISHING = 1  # what is queued is sent, then our direction is closed
    FINISHED = 2  # our direction is closed; the other is read on
    CLOSING = 3  # what is queued is sent, then all is closed
    BROKEN = 4  # all is closed at the next turn
    CLOSED = 5


class Transport(Descriptor):
    """
    One connected stream socket. It owns the socket.

    The protocol's C{connectionLost} comes once, and never from inside a call
    of one of these methods. Only streaming (push) producers are served.

    @ivar local: Our address.
    @ivar peer: The other side's.
    @ivar bytes_in: Bytes that were received.
    @ivar bytes_out: Bytes that the kernel has taken.
    @ivar key: Of a connection to an endpoint: see L{edgegate.net.connection_options.ConnectionOptions}.
    """

    __slots__ = (
        "_blocked",
        "_failure",
        "_half_closeable",
        "_phase",
        "_producer",
        "_protocol",
        "_queue",
        "_queued",
        "_read_ended",
        "_read_size",
        "_received",
        "_recv",
        "_send",
        "_socket",
        "bytes_in",
        "bytes_out",
        "key",
        "local",
        "peer",
    )

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket, local: Address, peer: Address) -> None:
        super().__init__(reactor, sock.fileno())
        self._socket = sock
        self._recv: Callable[[int], bytes] = sock.recv
        self._send: Callable[[bytes | memoryview], int] = sock.send
        self._queue: list[bytes | memoryview] = []
        self._queued = 0
        self._producer: IPushProducer | None = None
        self._failure: Failure | None = None
        self._protocol: IProtocol = _NOBODY
        self._received: Callable[[bytes], None] = unheard
        self._phase = Phase.OPEN
        self._blocked = self._read_ended = self._half_closeable = False
        self._read_size = _FIRST_READ
        self.bytes_in = self.bytes_out = 0
        self.local = local
        self.peer = peer
        self.key: Hashable = None

    def __repr__(self) -> str:
        return (
            f"<{type(self).__name__} {self.local} <- {self.peer}: {self._phase.name.lower()}, {self.buffered} queued>"
        )

    @property
    def client(self) -> Hashable:
        """
        Whose connection it is. One to a backend is that of the client for which its protocol asks, as C{on_behalf_of};
        L{None}: it is nobody's, or of many.
        """
        client = client_on(self._socket)
        return getattr(self._protocol, "on_behalf_of", None) if client is None else client

    def start(self, protocol: IProtocol, read: bool = True) -> None:
        """Give the stream its protocol; reading begins unless told not to."""
        self.switch(protocol)
        if read:
            self._watch_reading()
        else:
            self._unwatch_reading()
        protocol.makeConnection(cast(ITransport, self))

    def switch(self, protocol: IProtocol) -> None:
        """
        Tell another protocol what happens from now on. Its C{makeConnection} is not called.

        May be called from inside the old one's C{dataReceived}, which keeps what it was given.
        """
        self._protocol = protocol
        self._received = protocol.dataReceived
        self._half_closeable = IHalfCloseableProtocol.providedBy(protocol)

    # ITransport -------------------------------------------------------------------------------------------------------

    @property
    def buffered(self) -> int:
        """Bytes that wait for the kernel to take them."""
        return self._queued

    @property
    def acknowledged(self) -> int:
        """Bytes that the other side's system has acknowledged; where nobody tells, those that ours has taken."""
        told = acknowledged(self._socket)
        return self.bytes_out if told is None else told

    @property
    def unread(self) -> bool:
        """Whether something has come that was not read yet, were it the end; asks the kernel."""
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return False
        except OSError:
            pass  # broken: that is read as well
        return True

    @property
    def disconnecting(self) -> bool:
        """Whether the end was asked for."""
        return self._phase >= Phase.CLOSING

    @property
    def disconnected(self) -> bool:
        """Whether the socket is closed."""
        return self._phase is Phase.CLOSED

    def write(self, data: bytes | memoryview) -> None:
        """Send at once what the kernel takes, queue the rest. Once our direction ends nothing is taken any more."""
        if self._phase:
            return
        if self._queue:
            self._queue.append(data)
            more = len(data)
        else:
            try:
                sent = self._send(data)
            except BlockingIOError:
                sent = 0
            except OSError as reason:
                self._end_with(Failure(error.ConnectionLost(str(reason))))
                return
            self.bytes_out += sent
            if sent == len(data):
                return
            self._queue.append(memoryview(data)[sent:])
            more = len(data) - sent
            self._watch_writing()
        self._queued += more
        BUFFERS.held += more
        if not self._blocked and (self._queued > HIGH_WATER or BUFFERS.held > BUFFERS.bound):
            self._hold_producer()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write several pieces as one. Where they are few the kernel puts them together."""
        pieces = list(iovec)
        sent = 0
        if not self._phase and not self._queue and len(pieces) <= _MOST_PIECES:
            try:
                sent = self._socket.sendmsg(pieces)
            except OSError:
                pass  # write finds the same
            self.bytes_out += sent
            if sent == sum(map(len, pieces)):
                return
        self.write(memoryview(b"".join(pieces))[sent:])

    def loseConnection(self) -> None:
        """Close once everything queued is sent. There is no deadline here: arm one and abort."""
        if self._phase < Phase.CLOSING:
            self._phase = Phase.CLOSING
            self._stop_run()
            if self._queue:
                self._unwatch_reading()
                self._watch_writing()
            else:
                self._write_soon()

    def abortConnection(self) -> None:
        """Close at the next turn, with a reset; what is queued is thrown away."""
        if self._phase < Phase.BROKEN:
            reset_on_close(self._socket)
            self._end_with(Failure(error.ConnectionAborted()))

    def loseWriteConnection(self) -> None:
        """Close our direction once everything queued is sent; the other side is read on."""
        if self._phase is Phase.OPEN:
            self._phase = Phase.FINISHING
            self._stop_run()
            self._watch_writing()

    def getPeer(self) -> AnyTwistedAddress:
        """Return the other side's address as Twisted has it."""
        return twisted_address(self.peer)

    def getHost(self) -> AnyTwistedAddress:
        """Return our address as Twisted has it."""
        return twisted_address(self.local)

    # IConsumer: our producer ------------------------------------------------------------------------------------------

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:
        """
        Have a producer paused while more than L{HIGH_WATER} bytes are queued, or any while all L{BUFFERS} are too much.

        @raise RuntimeError: There is one already.
        @raise ValueError: It is a pull producer.
        """
        if self._producer is not None:
            raise RuntimeError("there is a producer already")
        if not streaming:
            raise ValueError("only push producers are served")
        if self._phase >= Phase.CLOSING:
            producer.stopProducing()
        else:
            self._producer = cast(IPushProducer, producer)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self._producer = None
        self._blocked = False

    # IPushProducer: what we read --------------------------------------------------------------------------------------

    @property
    def reading(self) -> bool:
        """Whether it is read at present."""
        return self._reading

    def pauseProducing(self) -> None:
        """Read no more until L{resumeProducing}."""
        self._unwatch_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        if self._phase < Phase.CLOSING and not self._read_ended:
            self._watch_reading()

    def stopProducing(self) -> None:
        """Who consumes what we read wants no more."""
        self.loseConnection()

    # The reactor ------------------------------------------------------------------------------------------------------

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "stream"

    def doRead(self) -> None:
        """Something can be read."""
        try:
            data = self._recv(self._read_size)
        except BlockingIOError:
            return
        except OSError as reason:
            self._end(Failure(error.ConnectionLost(str(reason))))
            return
        if data:
            self.bytes_in += len(data)
            if len(data) == _FIRST_READ:
                self._read_size = READ_SIZE
            self._received(data)
        else:
            self._read_finished()

    def doWrite(self) -> None:
        """More can be written, or the end is due."""
        phase = self._phase
        if phase is Phase.BROKEN or (self._queue and not self._send_queue()):
            return
        self._unwatch_writing()
        if phase is Phase.CLOSING:
            self._end(Failure(error.ConnectionDone()))
        elif phase is Phase.FINISHING:
            self._phase = Phase.FINISHED
            self._finish_writing()
        elif self._blocked and self._producer is not None:
            self._blocked = False
            self._producer.resumeProducing()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor says that the socket is of no more use."""
        self._end(self._failure or reason)

    def readConnectionLost(self, reason: Failure) -> None:
        """The reactor says that the other side has closed its direction."""
        self._read_finished()

    def writeConnectionLost(self, reason: Failure) -> None:
        """The reactor says that nothing can be written any more."""
        self._end(reason)

    # ------------------------------------------------------------------------------------------------------------------

    def _stop_run(self) -> None:
        """A direction of ours ends: so does what goes past the protocol."""

    def _hold_producer(self) -> None:
        if not self._blocked and self._producer is not None:
            self._blocked = True
            self._producer.pauseProducing()

    def _send_queue(self) -> bool:
        """Send what is queued; return whether nothing is left."""
        queue = self._queue
        data = queue[0] if len(queue) == 1 else b"".join(queue)
        try:
            sent = self._send(data)
        except BlockingIOError:
            sent = 0
        except OSError as reason:
            self._end(Failure(error.ConnectionLost(str(reason))))
            return False
        self.bytes_out += sent
        queue.clear()
        if sent < len(data):
            queue.append(memoryview(data)[sent:])
        self._count()
        return not queue

    def _count(self) -> None:
        """The queue has changed: tell how much more or less waits."""
        queued = sum(map(len, self._queue))
        BUFFERS.held += queued - self._queued
        self._queued = queued

    def _read_finished(self) -> None:
        """The other side has closed its direction."""
        self._unwatch_reading()
        self._read_ended = True
        if self._phase is Phase.BROKEN:
            assert self._failure is not None
            self._end(self._failure)
        elif not self._half_closeable or self._phase is Phase.FINISHED:
            self._end(Failure(error.ConnectionDone()))
        else:
            self._protocol.readConnectionLost()  # type: ignore[attr-defined]

    def _finish_writing(self) -> None:
        """Everything is sent, and our direction is to be closed."""
        try:
            self._socket.shutdown(socket.SHUT_WR)
        except OSError as reason:
            self._end(Failure(error.ConnectionLost(str(reason))))
            return
        if self._half_closeable:
            self._protocol.writeConnectionLost()  # type: ignore[attr-defined]
        if self._read_ended:
            self._end(Failure(error.ConnectionDone()))

    def _end_with(self, failure: Failure) -> None:
        """
        End at the next turn: never from inside a call of ours.

        The end of our own reading wakes us, which the other side knows nothing
        of; writing might never be possible.
        """
        self._phase = Phase.BROKEN
        self._failure = failure
        self._stop_run()
        self._queue.clear()
        self._count()
        self._unwatch_writing()
        self._recv = nothing
        try:
            self._socket.shutdown(socket.SHUT_RD)
        except OSError:
            pass  # the other side has let go of it: that wakes us as well
        self._watch_reading()

    def _end(self, failure: Failure) -> None:
        if self._phase is Phase.CLOSED:
            return
        self._phase = Phase.CLOSED
        protocol = self._protocol
        try:
            self._stop_run()
            self._queue.clear()
            self._count()
            self._producer = None
            self._leave()
            self._close_socket()
        finally:
            self._forget_protocol()
            protocol.connectionLost(failure)

    def _forget_protocol(self) -> None:
        """A protocol knows its transport: neither is to keep the other in memory."""
        self._protocol = _NOBODY
        self._received = unheard

    def _close_socket(self) -> None:
        self._socket.close()


_NOBODY: Final = Protocol()
"""Hears nothing: the protocol of a stream that has ended."""


def nothing(size: int) -> bytes:
    """Nothing is received any more, or this way."""
    return b""


def unheard(data: bytes) -> None:
    """There is no protocol yet."""


classImplements(Transport, ITransport, IConsumer, IPushProducer, IReadWriteDescriptor, IHalfCloseableDescriptor)
