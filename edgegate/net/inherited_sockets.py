"""Listening sockets that a service manager has opened: systemd's socket activation (sd_listen_fds(3))."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Iterable, Iterator, MutableMapping
from dataclasses import dataclass

from twisted.internet.error import CannotListenError

from edgegate.model.addresses import Address
from edgegate.net.sockaddr import address_of
from edgegate.net.socket_source import SocketSource
from edgegate.net.sockets import Socket

_FIRST = 3
"""The first of the descriptors that are passed."""

_FAMILIES = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)


class NotListening(Exception):
    """What was passed is no socket that connections can be accepted from; the words say which."""


@dataclass(frozen=True, slots=True)
class InheritedSocket:
    """
    One of them.

    @ivar name: What its unit calls it, C{FileDescriptorName=}.
    @ivar address: What it is bound to.
    """

    name: str
    address: Address
    socket: Socket

    def __str__(self) -> str:
        return f"{self.name!r} on {self.address}"


class InheritedSockets(SocketSource):
    """
    All of them, which this owns: they stay open until the process ends, whoever listens on them meanwhile.
    """

    def __init__(self, sockets: Iterable[InheritedSocket] = ()) -> None:
        self._sockets = tuple(sockets)
        self._used: dict[Address, InheritedSocket] = {}

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self._sockets)

    def __iter__(self) -> Iterator[InheritedSocket]:
        return iter(self._sockets)

    def take(self, bind: Address, number: int) -> Socket | None:
        """
        See L{SocketSource.take}: a copy, of the same socket each time.

        It is the one whose name is the port's number, or that is bound to just what the port is to bind.
        """
        found = self._used.get(bind) or self._match(bind, number)
        if found is None:
            return None
        self._used[bind] = found
        try:
            copy = found.socket.dup()
        except OSError as error:
            raise CannotListenError(str(bind), 0, error) from error
        copy.setblocking(False)
        return copy

    def stays(self, bind: Address) -> bool:
        """See L{SocketSource.stays}: the service manager has it for whoever comes next."""
        return bind in self._used

    def unused(self, binds: Iterable[Address]) -> list[InheritedSocket]:
        """Return those that belong to none of some ports."""
        used = [self._used[bind] for bind in binds if bind in self._used]
        return [each for each in self._sockets if each not in used]

    def _match(self, bind: Address, number: int) -> InheritedSocket | None:
        free = [each for each in self._sockets if each not in self._used.values()]
        named = [each for each in free if each.name == str(number)]
        bound = [each for each in free if each.address == bind]
        for each in (*(one for one in named if one in bound), *named, *bound):
            return each
        return None


def inherited_sockets(environment: MutableMapping[str, str], first: int = _FIRST) -> InheritedSockets:
    """
    Return what was passed to this process, and take that from its environment: it is not for its children.

    @param first: The first descriptor.
    @raise NotListening: There is something else among it.
    """
    told = [environment.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")]
    if told[0] != str(os.getpid()) or not told[1].isdecimal():
        return InheritedSockets()
    names = told[2].split(":") if told[2] else []
    found = []
    for place in range(int(told[1])):
        name = names[place] if place < len(names) else "unknown"  # as sd_listen_fds_with_names calls it
        found.append(_adopt(first + place, name))
    return InheritedSockets(found)


def _adopt(fd: int, name: str) -> InheritedSocket:
    words = f"{name!r} (descriptor {fd}), which the service manager has passed, is no listening stream socket"
    try:
        if not stat.S_ISSOCK(os.fstat(fd).st_mode):
            raise NotListening(words)
        sock = socket.socket(fileno=fd)
    except OSError as error:
        raise NotListening(f"{words}: {error.strerror}") from None
    listening = sock.type == socket.SOCK_STREAM and sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    if not listening or sock.family not in _FAMILIES:
        sock.detach()
        raise NotListening(words)
    sock.set_inheritable(False)
    sock.setblocking(False)
    if sock.family != socket.AF_UNIX:
        # what is accepted from it has it, too
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return InheritedSocket(name, address_of(sock.getsockname()), sock)
