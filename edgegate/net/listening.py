# Hot path: accepts each new connection.
"""Listening: sockets bound, connections accepted."""

from __future__ import annotations

import errno
import os
import socket
import stat
import sys
from collections.abc import Callable, Collection, Iterable
from typing import Final

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IListeningPort,
    IReactorFDSet,
    IReadDescriptor,
)
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import classImplements

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.accepted_socket import AcceptedSocket
from edgegate.net.poller import Poller
from edgegate.net.sockaddr import address_of, family_of, socket_address, twisted_address
from edgegate.net.socket_source import SocketSource
from edgegate.net.sockets import NewSocket, begin_no_more, unpaced
from edgegate.net.wheel import Deadline, TimerWheel

log = Logger(namespace=__name__)

Accepted = Callable[[AcceptedSocket, Address, Address], None]
"""Takes a connection: its socket, which it owns from then on, the peer's address and ours."""

Turn = Callable[[], bool]
"""
Tells whether this process is to take the next connection, and not one that has fewer, where several accept from the
same socket.
"""

MayAccept = Callable[[bool], bool]
"""
Whether one more may be accepted: asked before each, with whether it is known that one waits. Who says no although one
does sees to it that L{ListeningPort.resumeAccepting} is called later.
"""

BACKLOG: Final = 4096
"""Connections that the kernel holds before they are accepted; it lowers this to its own limit."""

_ACCEPTS: Final = 64
"""Connections that are accepted in one turn of the reactor, so that others have theirs."""

_ACCEPTS_SHARED: Final = 4
"""The same where other processes accept from the same socket: who takes many at once takes them from the others."""

_DECLINED: Final = 0.002
"""Seconds for which a process leaves new connections to the others that accept from the same socket."""

_REST: Final = 1.0
"""Seconds without accepting after the process ran out of descriptors or memory."""

_INHERITED: Final = sys.platform == "linux"
"""Whether a connection begins with the TCP options of the socket that it is accepted from."""

_EXHAUSTED: Final = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM))
_QUIET: Final = 10.0
"""Seconds in which it is said once that accepting failed."""

_GONE: Final = frozenset((errno.ECONNABORTED, errno.EPROTO, errno.EPERM, errno.EINTR))


class ListeningPort:
    """One listening socket, which it owns."""

    __slots__ = (
        "_accepted",
        "_address",
        "_declined",
        "_exhausted",
        "_fd",
        "_local",
        "_may_accept",
        "_number",
        "_reactor",
        "_reading",
        "_rest",
        "_said",
        "_socket",
        "_source",
        "_turn",
        "_unlinked",
        "_wheel",
    )

    def __init__(
        self,
        reactor: IReactorFDSet,
        wheel: TimerWheel,
        address: Address,
        accepted: Accepted,
        source: SocketSource | None = None,
        turn: Turn | None = None,
        may_accept: MayAccept | None = None,
        exhausted: Callable[[], None] | None = None,
        number: int = 0,
    ) -> None:
        """
        @param source: Where the socket may come from, in place of binding the address.
        @param turn: L{None}: no other process accepts from the socket.
        @param exhausted: Called when the process has run out of descriptors or memory. May have others end, and accept
            again as soon as there are some.
        @param number: The port's number in the files, by which the source may know it.
        """
        self._reactor = reactor
        self._wheel = wheel
        self._source = source
        self._turn = turn
        self._number = number
        self._declined: IDelayedCall | None = None
        self._address = address
        self._accepted = accepted
        self._may_accept = may_accept
        self._exhausted = exhausted
        self._said = -_QUIET
        self._rest = Deadline(wheel, self.resumeAccepting)
        self._socket: socket.socket | None = None
        self._local: Address = address
        self._reading = self._unlinked = False
        self._fd = -1

    def bind(self) -> None:
        """
        Bind and listen: connections wait in the kernel's backlog until L{resumeAccepting}.

        @raise CannotListenError: The address cannot be bound.
        """
        found = None if self._source is None else self._source.take(self._address, self._number)
        sock = bind(self._address) if found is None else found
        self._unlinked = False
        self._socket, self._fd = sock, sock.fileno()
        self._local = address_of(sock.getsockname())

    def startListening(self) -> None:
        """
        Bind, listen, accept.

        @raise CannotListenError: The address cannot be bound.
        """
        self.bind()
        self.resumeAccepting()

    def stopListening(self) -> Deferred[None]:
        """Close the socket; connections that were accepted go on."""
        self.pauseAccepting()
        self._rest.stop()
        sock, self._socket = self._socket, None
        if sock is not None:
            self._fd = -1
            sock.close()
            if not self._stays:
                self._unlink()
        return succeed(None)

    def leave(self) -> None:
        """Accept no more, and leave the socket to the other processes that accept from it."""
        self.pauseAccepting()
        self._rest.stop()
        sock, self._socket = self._socket, None
        if sock is not None:
            self._fd = -1
            sock.close()

    def withdraw(self) -> None:
        """
        Have no more connections begin, as far as the kernel can do that, and accept those that have.

        Where it can, handshakes that are under way may still end in connections, which are accepted as they come until
        L{stopListening}.
        """
        if self._socket is None:
            return
        if self._stays:
            self.leave()
            return
        if isinstance(self._address, UNIXAddress):
            self._unlink()
        else:
            begin_no_more(self._socket)
        self.takeWaiting()

    @property
    def _stays(self) -> bool:
        """Whether others go on with the socket."""
        return self._source is not None and self._source.stays(self._address)

    def _unlink(self) -> None:
        """Take away the path of a UNIX socket, if it is still ours."""
        if not self._unlinked and isinstance(self._address, UNIXAddress):
            self._unlinked = True
            remove_path(self._address)

    def getHost(self) -> IAddress:
        """Return the address that is bound, its port number included where that was left to the kernel."""
        return twisted_address(self._local)

    @property
    def local(self) -> Address:
        """The address that is bound."""
        return self._local

    @property
    def open(self) -> bool:
        """Whether it is bound, and not closed yet."""
        return self._socket is not None

    def pauseAccepting(self) -> None:
        """Leave new connections to the kernel's backlog."""
        declined, self._declined = self._declined, None
        if declined is not None:
            declined.cancel()
        if self._reading:
            self._reading = False
            self._reactor.removeReader(self)

    def resumeAccepting(self) -> None:
        """Accept again."""
        if not self._reading and self._socket is not None:
            try:
                self._reactor.addReader(self)
            except OSError as reason:
                # what watches it needs a descriptor, too
                self._recover(reason)
                return
            self._rest.stop()
            self._reading = True

    def takeWaiting(self) -> None:
        """Accept what waits in the backlog, which would be reset with the socket."""
        for _ in range(2 * BACKLOG):
            if not self._accept():
                return

    def fileno(self) -> int:
        """Return the descriptor, or -1 once it is closed."""
        return self._fd

    def logPrefix(self) -> str:
        """Return what the log calls this."""
        return "listening"

    def connectionLost(self, reason: Failure) -> None:
        """The reactor says that the socket is of no more use."""
        self.stopListening()

    def doRead(self) -> None:
        """Connections wait."""
        turn, may_accept = self._turn, self._may_accept
        for count in range(_ACCEPTS if turn is None else _ACCEPTS_SHARED):
            if not self._reading:
                return
            if turn is not None and not turn():
                # the others are awake, too; who looks again later finds what they have left
                self.pauseAccepting()
                self._declined = self._wheel.clock.callLater(_DECLINED, self._look_again)
                return
            if may_accept is not None and not may_accept(not count):
                if not count:
                    self.pauseAccepting()
                return
            if not self._accept():
                return

    def _look_again(self) -> None:
        self._declined = None
        self.resumeAccepting()

    def _accept(self) -> bool:
        """Accept one connection; tell whether there may be more."""
        sock = self._socket
        if sock is None:
            return False
        try:
            connection, peer = AcceptedSocket.accept_from(sock)
        except BlockingIOError:
            return False
        except OSError as reason:
            if reason.errno in _GONE:
                return True
            self._recover(reason)
            return False
        self._take(connection, peer)
        return True

    def _take(self, connection: AcceptedSocket, peer: object) -> None:
        try:
            if isinstance(self._local, TCPAddress):
                if not _INHERITED:
                    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                local = self._local if _is_one(self._local.host) else address_of(connection.getsockname())
            else:
                local = self._local
            remote = address_of(peer)  # type: ignore[arg-type]
        except OSError:
            # gone between accept() and here
            connection.close()
            return
        try:
            self._accepted(connection, remote, local)
        except BaseException:
            # also what is to end a process: the port would end with it
            log.failure("a new connection failed")
            if not isinstance(self._reactor, Poller) or not self._reactor.drop(connection.fileno(), Failure()):
                connection.close()

    def _recover(self, reason: OSError) -> None:
        """Accepting failed: rest, so that neither the log nor the processor is flooded."""
        exhausted = reason.errno in _EXHAUSTED
        now = self._wheel.clock.seconds()
        if now - self._said >= _QUIET:
            self._said = now
            if exhausted:
                log.error("out of descriptors or memory: {address} rests", address=str(self._local))
            else:
                log.error("cannot accept on {address}: {reason}", address=str(self._local), reason=reason.strerror)
        self.pauseAccepting()
        self._rest.start(_REST)
        if exhausted and self._exhausted is not None:
            self._exhausted()


classImplements(ListeningPort, IListeningPort, IReadDescriptor)


def listen(reactor: IReactorFDSet, wheel: TimerWheel, address: Address, accepted: Accepted) -> ListeningPort:
    """
    Listen on an address, C{::} meaning all addresses of both families.

    @raise CannotListenError: The address cannot be bound.
    """
    port = ListeningPort(reactor, wheel, address, accepted)
    port.startListening()
    return port


def bind(
    address: Address, new_socket: NewSocket = socket.socket, beside: Collection[socket.socket] = ()
) -> socket.socket:
    """
    Return a non-blocking listening socket.

    @param beside: Listening sockets of this user whose addresses may overlap with this one, as 0.0.0.0 does with each
        other host (SO_REUSEPORT of socket(7)): until they are closed each connection goes to the one whose address says
        more.
    @raise CannotListenError: The address cannot be bound.
    """
    host, port = (address.host, address.port) if isinstance(address, TCPAddress) else (address.path, 0)
    try:
        if isinstance(address, TCPAddress) and host == "::" and not socket.has_dualstack_ipv6():
            address = TCPAddress("0.0.0.0", port)
        if isinstance(address, UNIXAddress):
            _remove_stale(address.path)
        sock = new_socket(family_of(address), socket.SOCK_STREAM)
    except OSError as reason:
        raise CannotListenError(host, port, reason) from reason
    try:
        if isinstance(address, TCPAddress):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            unpaced(sock, address.host)
            if ":" in address.host:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0 if address.host == "::" else 1)
        for each in [sock, *beside] if beside else []:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        sock.bind(socket_address(address))
        sock.listen(BACKLOG)
        sock.setblocking(False)
    except (OSError, ValueError) as reason:
        sock.close()
        raise CannotListenError(host, port, reason) from reason
    return sock


def close_to_others(sockets: Iterable[socket.socket]) -> None:
    """Let no other socket be bound beside these any more; see L{bind}."""
    for each in sockets:
        if each.family != socket.AF_UNIX:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 0)


def _is_one(host: str) -> bool:
    return host not in ("::", "0.0.0.0")


def _remove_stale(path: str) -> None:
    """Remove the socket file that a process which is no more has left behind; one that answers stays."""
    if path.startswith("@"):
        return
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):  # noqa: PTH116
            return
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            _remove(path)
        except OSError:
            return


def remove_path(address: UNIXAddress) -> None:
    """Take away the file of a UNIX socket that was bound; an abstract one has none."""
    if not address.path.startswith("@"):
        _remove(address.path)


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except OSError:
        # it is gone, or its folder is another's now: whoever binds it next is told
        pass
