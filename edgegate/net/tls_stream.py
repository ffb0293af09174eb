# Hot path: every byte inside TLS passes here.
"""
A stream inside TLS: OpenSSL on the socket itself, without buffers between.

OpenSSL may want to read before it can write and the other way round; what it
wants is watched for, and what was to be done is done again then.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable
from typing import Final

from OpenSSL import SSL
from twisted.internet import error
from twisted.internet.interfaces import IReactorFDSet
from twisted.python.failure import Failure

from edgegate.buffers import BUFFERS
from edgegate.model.addresses import Address
from edgegate.net.body_copy import BUFFER_SIZE
from edgegate.net.lingering_close import LingeringClose
from edgegate.net.stream import Stream
from edgegate.net.tls_calls import (
    RECORD,
    Handshake,
    handle,
    message_came,
    receive,
    receive_into,
    send,
    shake_hands,
    tell_messages,
)
from edgegate.net.transport import HIGH_WATER, Phase, nothing, unheard
from edgegate.net.wheel import TimerWheel

_MOST_RECORDS: Final = 2 * BUFFER_SIZE // RECORD
"""Records that are read at once: a peer may send them with a byte each, of which millions fit into the kernel."""

MOST_MESSAGES: Final = 64
"""
Messages of TLS itself that are followed without a byte of data between them, a key update that asks for another being
two; BoringSSL follows 32 key updates.
"""

BATCH: Final = 16 * RECORD
"""Bytes that are told of at once, where a peer sends full records: what is done for each piece is done for many."""

BACKEND_BATCH: Final = 8 * RECORD
"""The same of a backend's: they wait for a client that does not read, beside all that may wait for it."""

_batch: Final = memoryview(bytearray(BATCH))

_TCP_CORK: Final[int] = int(getattr(socket, "TCP_CORK", 0))


class Truncated(error.ConnectionLost):
    """The other side closed its connection without saying so in TLS: the end of what it sent may be missing."""


class TLSStream(Stream):
    """
    A stream whose bytes OpenSSL encrypts. L{handshake} comes before L{start}.

    Finishing our direction sends C{close_notify}; the other side's ends what is
    read. A connection that ends without one fails with L{Truncated}.

    @ivar connection: OpenSSL's side.
    """

    __slots__ = (
        "_done",
        "_failed",
        "_messages",
        "_messages_at",
        "_paused",
        "_read_wants_write",
        "_ssl",
        "_stopped",
        "_wheel",
        "_write_wants_read",
        "connection",
    )

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        sock: socket.socket,
        local: Address,
        peer: Address,
        context: SSL.Context,
    ) -> None:
        """
        @param context: Of the server that the client asked for.
        """
        super().__init__(reactor, sock, local, peer)
        # OpenSSL does both, and there are many streams
        self._recv, self._send = nothing, _nowhere
        self._wheel = wheel
        self.connection = connection = SSL.Connection(context, sock)
        connection.set_accept_state()
        self._ssl = handle(connection)
        self._stopped: SSL.Error | None = None
        self._done: Callable[[], None] | None = None
        self._failed: Callable[[str], None] | None = None
        self._read_wants_write = self._write_wants_read = False
        self._paused = False
        self._messages = self._messages_at = 0

    @property
    def secured(self) -> SSL.Connection | None:
        """OpenSSL's side of the connection."""
        return self.connection

    @property
    def alpn(self) -> bytes:
        """The protocol that ALPN agreed on, or empty."""
        return self.connection.get_alpn_proto_negotiated()

    @property
    def detachable(self) -> bool:
        """Never: without OpenSSL the socket is of no use."""
        return False

    @property
    def spliceable(self) -> bool:
        """The kernel knows nothing of TLS."""
        return False

    # The handshake ----------------------------------------------------------------------------------------------------

    def handshake(self, done: Callable[[], None], failed: Callable[[str], None]) -> None:
        """
        Begin the handshake. There is no deadline here: L{abandon} it.

        @param done: Called when it is complete; L{start} comes next. May be called at once.
        @param failed: Gets OpenSSL's reason. The socket is closed, but only after the client could read the alert.
        """
        self._done = done
        self._failed = failed
        self._shake_hands()

    def abandon(self) -> None:
        """Close during the handshake; nobody is called."""
        self._done = self._failed = None
        self._phase = Phase.CLOSED
        self._leave()
        self._close_socket()

    def _shake_hands(self) -> None:
        try:
            found = shake_hands(self.connection, self._ssl)
        except SSL.Error as reason:
            self._handshake_failed(reason_of(reason))
            return
        if found is Handshake.WANTS_READ:
            self._unwatch_writing()
            self._watch_reading()
        elif found is Handshake.WANTS_WRITE:
            self._unwatch_reading()
            self._watch_writing()
        else:
            done, self._done, self._failed = self._done, None, None
            self._unwatch_writing()
            tell_messages(self._ssl)
            if done is not None:
                done()
            if self._received is unheard:
                # it is started later
                self._unwatch_reading()

    def _handshake_failed(self, reason: str) -> None:
        failed, self._done, self._failed = self._failed, None, None
        self._phase = Phase.CLOSED
        self._unwatch()
        self.fd = -1
        LingeringClose(self._reactor, self._wheel, self._socket)
        if failed is not None:
            failed(reason)

    # What differs from a plain stream ---------------------------------------------------------------------------------

    def write(self, data: bytes | memoryview) -> None:
        """Encrypt and send at once what the kernel takes, queue the rest."""
        if self._phase or not data:
            return
        if self._queue:
            self._queue.append(data)
        elif self._send_records(data):
            return
        self._hold()

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write several pieces as one: OpenSSL takes no others."""
        self.write(b"".join(iovec))

    def _hold(self) -> None:
        self._count()
        if self._phase is not Phase.OPEN:
            return
        if not self._write_wants_read:
            self._watch_writing()
        if not self._blocked and (self._queued > HIGH_WATER or BUFFERS.held > BUFFERS.bound):
            self._hold_producer()

    def _send_queue(self) -> bool:
        """Send what is queued; return whether nothing is left."""
        queue = self._queue
        data = queue[0] if len(queue) == 1 else b"".join(queue)
        queue.clear()
        sent = self._send_records(data)
        self._count()
        return sent

    def _send_records(self, data: bytes | memoryview) -> bool:
        if len(data) <= RECORD:
            return self._encrypt(data)
        # what goes out in many records goes out in full packets, not in one or more for each record
        _cork(self._socket, True)
        sent = self._encrypt(data)
        _cork(self._socket, False)
        return sent

    def _encrypt(self, data: bytes | memoryview) -> bool:
        """Send what was queued; return whether it is done, or else it is queued again."""
        self._write_wants_read = False
        try:
            # all at once, or nothing and then the same again: OpenSSL remembers how far it came
            self.bytes_out += send(self.connection, self._ssl, data)
        except SSL.WantWriteError:
            pass
        except SSL.WantReadError:
            self._paused = not self.reading
            self._write_wants_read, self._read_wants_write = True, False
            self._unwatch_writing()
            self._watch_reading()
        except SSL.Error as reason:
            self._end_with(Failure(error.ConnectionLost(reason_of(reason))))
            return False
        else:
            return True
        self._queue.append(data)
        return False

    def doRead(self) -> None:
        """Something can be read."""
        if self._done is not None:
            self._shake_hands()
            return
        if self._phase is Phase.BROKEN:
            self._read_finished()
            return
        if self._write_wants_read:
            self._write_wants_read = False
            self._watch_writing()
            if self._paused:
                # what is wanted is for the write to read
                self._paused = False
                self._unwatch_reading()
                self.doWrite()
                return
        run = self._run
        if run is not None and run.sink is not self:
            self._fill(run)
            self._after_filling()
        else:
            self._read()

    def _read(self) -> None:
        again = True
        while again:
            try:
                data = receive(self.connection, self._ssl)
            except SSL.Error as reason:
                again = self._read_stopped(reason)
            else:
                self.bytes_in += len(data)
                if len(data) < RECORD:
                    self._received(data)
                else:
                    self._read_batch(data)
                return

    def _read_batch(self, data: bytes) -> None:
        """A full record came, as of a large body: others are likely to be there, and are told of with it."""
        try:
            more = self.read_into(_batch[RECORD : self._most_at_once()])
        except BlockingIOError:
            pass
        else:
            _batch[:RECORD] = data
            data = bytes(_batch[: RECORD + more])
        self._received(data)
        self._after_filling()

    def _most_at_once(self) -> int:
        """Return of how many bytes is told at once."""
        return BATCH

    def read_into(self, buffer: memoryview) -> int:
        """
        Read records for a run, until there is none, or no room for a whole one, or there were many; return how many
        bytes came.

        @raise BlockingIOError: None did.
        """
        at, size = 0, len(buffer)
        try:
            for _ in range(_MOST_RECORDS):
                if at == size or (at and size - at < RECORD):
                    break
                at += receive_into(self.connection, self._ssl, buffer[at : at + RECORD])
        except SSL.Error as reason:
            self._stopped = reason
        if not at:
            raise BlockingIOError
        self.bytes_in += at
        return at

    def _after_filling(self) -> None:
        """A run has what there was: see why there was no more, or to what came behind its last byte."""
        reason, self._stopped = self._stopped, None
        if self._phase >= Phase.CLOSING:
            return
        if reason is not None:
            self._read_stopped(reason)
        elif self._run is None and self.connection.pending():
            self._read()

    def _read_stopped(self, reason: SSL.Error) -> bool:
        """OpenSSL has nothing to read; return whether that was for a message behind which there may be data."""
        if isinstance(reason, (SSL.WantReadError, SSL.WantWriteError)):
            came = message_came(self._ssl)
            if came and not self._bears_message():
                return False
            if isinstance(reason, SSL.WantWriteError) or (came and self._queue):
                # A message is to be answered first. What else comes waits meanwhile: reading would be tried for ever,
                # and OpenSSL fails where a second message is to be answered before what we are writing is written.
                self._unwatch_reading()
                self._read_wants_write = True
                self._watch_writing()
                return False
            return came
        if isinstance(reason, SSL.ZeroReturnError):
            self._stop_run()
            self._read_finished()
        else:
            self._read_failed(reason)
        return False

    def _bears_message(self) -> bool:
        """Count a message of TLS itself; too many without data between them end the connection."""
        if self._messages_at != self.bytes_in:
            self._messages_at = self.bytes_in
            self._messages = 0
        self._messages += 1
        if self._messages <= MOST_MESSAGES:
            return True
        self._end(Failure(error.ConnectionLost("too many messages of TLS without data")))
        return False

    def pauseProducing(self) -> None:
        """Read no more until L{resumeProducing}."""
        if self._write_wants_read or self._read_wants_write:
            self._paused = True
        else:
            super().pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self._paused = False
        if not self._read_wants_write:
            super().resumeProducing()

    @property
    def reading(self) -> bool:
        """Whether it is read at present."""
        return (self._reading or self._read_wants_write) and not self._paused

    def doWrite(self) -> None:
        """More can be written, or the handshake or a read goes on, or the end is due."""
        if self._done is not None:
            self._shake_hands()
            return
        behind = self._read_wants_write and bool(self._queue)
        if self._read_wants_write and not behind:
            self._read_on()
            if self._reading:
                self.doRead()
        super().doWrite()
        if self._read_wants_write and self._phase < Phase.BROKEN:
            if behind and not self._queue:
                self._read_on()
            else:
                self._watch_writing()

    def _read_on(self) -> None:
        """What was to be written before the next read is written."""
        self._read_wants_write = False
        if self._paused:
            self._paused = False
        else:
            self.resumeProducing()

    def connectionLost(self, reason: Failure) -> None:
        """The reactor says that the socket is of no more use."""
        if self._done is not None:
            self._handshake_failed("connection lost")
        else:
            super().connectionLost(reason)

    def readConnectionLost(self, reason: Failure) -> None:
        """The reactor says that the other side has closed its direction: OpenSSL knows in what order."""
        self.doRead()

    def _read_failed(self, reason: SSL.Error) -> None:
        if isinstance(reason, SSL.SysCallError) or reason_of(reason) == "unexpected eof while reading":
            self._end(Failure(Truncated(reason_of(reason))))
        else:
            self._end(Failure(error.ConnectionLost(reason_of(reason))))

    def _finish_writing(self) -> None:
        try:
            self.connection.shutdown()
        except SSL.WantWriteError:
            # the last record has filled the kernel's buffer: the other side must hear of the end all the same
            self._phase = Phase.FINISHING
            self._watch_writing()
            return
        except SSL.Error:
            pass  # it is broken, of which the read tells
        if self._half_closeable:
            self._protocol.writeConnectionLost()  # type: ignore[attr-defined]
        if self._read_ended:
            self._end(Failure(error.ConnectionDone()))

    def _close_socket(self) -> None:
        if self._failure is None and self._done is None:
            self._say_goodbye()
        self._socket.close()

    def _say_goodbye(self) -> None:
        """Send close_notify where the kernel takes it; where it does not, nobody is reading."""
        with contextlib.suppress(SSL.Error):
            self.connection.shutdown()


def _nowhere(data: bytes | memoryview) -> int:
    return 0


def _cork(sock: socket.socket, on: bool) -> None:
    """Have the kernel hold back what fills no packet, or send it."""
    if _TCP_CORK:
        with contextlib.suppress(OSError):  # not TCP, or broken already
            sock.setsockopt(socket.IPPROTO_TCP, _TCP_CORK, on)


def reason_of(reason: SSL.Error) -> str:
    """Return OpenSSL's words for an error, or the system's; constant phrases without addresses."""
    if isinstance(reason, SSL.SysCallError):
        return str(reason.args[-1]).lower()
    entries = reason.args[0] if reason.args else None
    if isinstance(entries, list) and entries:
        return str(entries[-1][2] or "unknown")
    return type(reason).__name__
