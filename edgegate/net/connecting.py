"""Connecting to a backend without waiting for it."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReadWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from edgegate.errors import CONNECT_FAILED, CONNECT_REFUSED, CONNECT_TIMEOUT, TLS_FAILED, Fault
from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.connection_options import ConnectionOptions, keep_alive
from edgegate.net.poller import Poller
from edgegate.net.sockaddr import address_of, family_of, socket_address
from edgegate.net.sockets import NewSocket, unpaced
from edgegate.net.ssl_request import SSL_REQUEST, WILLING
from edgegate.net.stream import Stream
from edgegate.net.tls_client import TLSClientStream
from edgegate.net.wheel import Deadline, TimerWheel

_REFUSED = frozenset((errno.ECONNREFUSED, errno.ENOENT))


@implementer(IReadWriteDescriptor)
class Connecting:
    """
    One connect under way: TCP's, then a PROXY header, a request for TLS and its handshake where its
    L{ConnectionOptions} have them.

    It owns its socket until C{connected} gets it as a stream. One deadline is
    for all steps. Ends in one call of C{connected} or C{failed}, on a later turn of the
    reactor, unless it is cancelled.
    """

    __slots__ = (
        "_address",
        "_asking",
        "_clock",
        "_connected",
        "_deadline",
        "_failed",
        "_fd",
        "_later",
        "_options",
        "_reactor",
        "_socket",
        "_stream",
        "_wheel",
    )

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        address: Address,
        timeout: float,
        connected: Callable[[Stream], None],
        failed: Callable[[Fault], None],
        options: ConnectionOptions | None = None,
        new_socket: NewSocket = socket.socket,
    ) -> None:
        self._reactor = reactor
        self._wheel = wheel
        self._clock = wheel.clock
        self._address = address
        self._connected = connected
        self._failed = failed
        self._deadline = Deadline(wheel, self._expired)
        self._options = options
        self._stream: TLSClientStream | None = None
        self._later: IDelayedCall | None = None
        self._socket: socket.socket | None = None
        self._fd = -1
        self._asking = False
        self._begin(timeout, new_socket)

    def cancel(self) -> None:
        """Connect no more; nobody is called. Does nothing once it has ended."""
        self._close()
        if self._later is not None and self._later.active():
            self._later.cancel()

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is over."""
        return self._fd

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "connecting"

    def doRead(self) -> None:
        """The backend has answered whether it is willing to speak TLS; nothing else is read."""
        sock = self._socket
        if sock is None:
            return
        try:
            answer = sock.recv(1)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        if answer == WILLING:
            self._proceed(sock)
        else:
            self._fail(TLS_FAILED if answer else CONNECT_FAILED)

    def doWrite(self) -> None:
        """The connect has ended."""
        sock = self._socket
        if sock is None:
            return
        number = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if number:
            self._fail(CONNECT_REFUSED if number in _REFUSED else CONNECT_FAILED)
            return
        self._reactor.removeWriter(self)
        options = self._options
        if options is not None:
            first = options.header + SSL_REQUEST if options.ssl_request else options.header
            try:
                if first and sock.send(first) < len(first):
                    # a new connection's buffer holds it many times
                    raise BlockingIOError
            except OSError:
                self._fail(CONNECT_FAILED)
                return
            if options.ssl_request:
                self._asking = True
                self._reactor.addReader(self)
                return
        self._proceed(sock)

    def _proceed(self, sock: socket.socket) -> None:
        """All that comes in the clear before the connection's use is done."""
        if self._asking:
            self._reactor.removeReader(self)
        self._socket, self._fd = None, -1
        options = self._options
        try:
            local = address_of(sock.getsockname())
        except OSError:
            self._deadline.end()
            sock.close()
            self._failed(CONNECT_FAILED)
            return
        if options is None or options.tls is None:
            self._ready(Stream(self._reactor, sock, local, self._address))
        else:
            self._stream = stream = TLSClientStream(self._reactor, self._wheel, sock, local, self._address, options.tls)
            stream.handshake(self._shaken, self._not_shaken)

    def connectionLost(self, reason: Failure) -> None:
        """The reactor has seen an error on the socket, or one of ours was raised."""
        if not self._asking:
            self.doWrite()
        if self._deadline.active and self._stream is None:
            self._fail(CONNECT_FAILED)

    def _shaken(self) -> None:
        stream, self._stream = self._stream, None
        assert stream is not None
        self._ready(stream)

    def _not_shaken(self, reason: str) -> None:
        stream, self._stream = self._stream, None
        assert stream is not None
        self._fail(stream.refused(reason))

    def _ready(self, stream: Stream) -> None:
        self._deadline.end()
        if self._options is not None:
            stream.key = self._options.key
        self._connected(stream)

    def _begin(self, timeout: float, new_socket: NewSocket) -> None:
        try:
            name = socket_address(self._address)
            sock = new_socket(family_of(self._address), socket.SOCK_STREAM)
        except (OSError, ValueError):
            self._fail_later(CONNECT_FAILED)
            return
        sock.setblocking(False)
        if isinstance(self._address, TCPAddress):
            unpaced(sock, self._address.host)
        try:
            number = sock.connect_ex(name)
        except OSError:  # a path that is too long for the kernel's structure
            number = errno.ENAMETOOLONG
        if number not in (0, errno.EINPROGRESS):
            sock.close()
            self._fail_later(CONNECT_REFUSED if number in _REFUSED else CONNECT_FAILED)
            return
        if isinstance(self._address, TCPAddress):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._options is not None and self._options.keepalive is not None:
                keep_alive(sock, self._options.keepalive)
        self._socket, self._fd = sock, sock.fileno()
        self._reactor.addWriter(self)
        self._deadline.start(timeout)

    def _fail_later(self, fault: Fault) -> None:
        """Nobody is called before the one who connects has this object in hand."""
        self._later = self._clock.callLater(0, self._failed, fault)
        if isinstance(self._reactor, Poller):
            self._reactor.hurry()

    def _expired(self) -> None:
        self._fail(CONNECT_TIMEOUT)

    def _fail(self, fault: Fault) -> None:
        self._close()
        self._failed(fault)

    def _close(self) -> None:
        self._deadline.end()
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abandon()
        sock, self._socket = self._socket, None
        if sock is not None:
            self._reactor.removeWriter(self)
            self._reactor.removeReader(self)
            self._fd = -1
            sock.close()


def connect(
    reactor: IReactorFDSet,
    wheel: TimerWheel,
    address: Address,
    timeout: float,
    connected: Callable[[Stream], None],
    failed: Callable[[Fault], None],
    options: ConnectionOptions | None = None,
    new_socket: NewSocket = socket.socket,
) -> Connecting:
    """
    Begin to connect to an address.

    @param address: Its host is an IP literal.
    @param timeout: In seconds, for all steps; then C{CONNECT_TIMEOUT}.
    @param connected: Gets the stream, not started yet, and owns it. Its handshake is done.
    @param failed: Gets one of the C{CONNECT_} faults, or one of TLS.
    @param options: What the connection begins with; L{None}: nothing.
    @param new_socket: Makes the socket.
    @return: What can be cancelled. Nobody is called before this returns.
    """
    return Connecting(reactor, wheel, address, timeout, connected, failed, options, new_socket)
