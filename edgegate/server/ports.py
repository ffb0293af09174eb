"""The ports of the data plane, and their change from one Snapshot to the next: all of it or nothing."""

from __future__ import annotations

import errno
from collections.abc import Callable, Collection, Iterator, Mapping
from functools import partial
from typing import Protocol

from twisted.internet.error import CannotListenError
from twisted.logger import Logger

from edgegate.downstream.listener import DownstreamListener
from edgegate.downstream.listener_filter import Serving
from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.origin import Origin
from edgegate.net.wheel import Deadline, TimerWheel

log = Logger(namespace=__name__)

_PRIVILEGED = 1024
"""The first port that any process may bind, unless the system was told otherwise."""


class Opened(Protocol):
    """A port of the files; a L{Listener}."""

    @property
    def bind(self) -> Address:
        """What is bound."""

    @property
    def port(self) -> int:
        """The number in the files."""

    @property
    def origin(self) -> Origin:
        """Where in the files that is said."""


class CannotBind(Exception):
    """
    A port can't be opened.

    @ivar listener: Which.
    @ivar reason: The system's words.
    """

    def __init__(self, listener: Opened, error: CannotListenError) -> None:
        self.listener = listener
        reason = str(getattr(error.socketError, "strerror", None) or error.socketError)
        self.reason = reason + _ways_out(listener, error)
        super().__init__(f"cannot bind {listener.bind}: {self.reason}")


def _ways_out(listener: Opened, error: CannotListenError) -> str:
    """Return what can be done where a process lacks the right to a port."""
    bind = listener.bind
    denied = getattr(error.socketError, "errno", None) == errno.EACCES
    if not denied or not isinstance(bind, TCPAddress) or bind.port >= _PRIVILEGED:
        return ""
    return (
        f" (a port below {_PRIVILEGED} asks for a right: --map-port {listener.port}:{8000 + bind.port} binds another; "
        "or give CAP_NET_BIND_SERVICE, AmbientCapabilities= of a systemd unit; or lower "
        "net.ipv4.ip_unprivileged_port_start; or start it, anew where this is a reload, as root with twistd --uid)"
    )


class Ports:
    """
    The ports that are open, and those that left the files and have connections left.

    @ivar open: Those of the Snapshot in force, by what they bind.
    """

    def __init__(
        self,
        wheel: TimerWheel,
        make: Callable[[Serving], DownstreamListener],
        leave: float,
        left: Callable[[DownstreamListener], None],
    ) -> None:
        """
        @param make: Makes a port that is not bound yet.
        @param leave: Seconds that connections may go on after their port left the files.
        @param left: Called when that time is over, to end the connections that came through a port.
        """
        self.open: dict[Address, DownstreamListener] = {}
        self._leaving: dict[DownstreamListener, Deadline] = {}
        self._wheel = wheel
        self._make = make
        self._leave_after = leave
        self._left = left

    def __iter__(self) -> Iterator[DownstreamListener]:
        yield from self.open.values()
        yield from self._leaving

    def change(self, serving: Mapping[Address, Serving]) -> PortChange:
        """
        Bind what is new, for what is to be served from now on.

        @raise CannotBind: A port can't be opened; everything is as it was, as it is where anything else goes wrong.
        """
        fresh = {bind: self._make(each) for bind, each in serving.items() if bind not in self.open}
        change = PortChange(self, serving, fresh)
        change.bind()
        return change

    def holding(self, numbers: set[int | None]) -> Iterator[DownstreamListener]:
        """Yield the ports which left the files before, but may not be closed yet, and which hold some numbers."""
        for port in self._leaving:
            if isinstance(port.local, TCPAddress) and port.local.port in numbers:
                yield port

    def leave(self, port: DownstreamListener) -> None:
        """A port is in the files no longer: its connections end one by one, or when their time is over."""
        port.withdraw()
        deadline = self._leaving[port] = Deadline(self._wheel, partial(self._expired, port))
        deadline.start(self._leave_after)

    def hand_over(self, gone: Collection[Address]) -> None:
        """
        Leave the ports to other processes that accept from the same sockets.

        @param gone: Those that no process serves any more.
        """
        for bind, port in self.open.items():
            if bind in gone:
                self.leave(port)
            else:
                port.leave()
        self.open = {bind: port for bind, port in self.open.items() if bind not in gone}

    def _expired(self, port: DownstreamListener) -> None:
        del self._leaving[port]
        port.abort()
        self._left(port)


class PortChange:
    """
    One change of ports whose new ones are bound. It ends in exactly one of: L{finish}, L{undo}.
    """

    def __init__(
        self, ports: Ports, serving: Mapping[Address, Serving], fresh: Mapping[Address, DownstreamListener]
    ) -> None:
        """
        @param serving: What is served when it is finished.
        @param fresh: The ports that are not bound yet.
        """
        self._ports = ports
        self._serving = serving
        self._fresh = fresh
        self._gone = [port for bind, port in ports.open.items() if bind not in serving]
        self._closed: list[DownstreamListener] = []

    def bind(self) -> None:
        """
        Bind the new ports, all or none. What has to make room for them is closed first.

        @raise CannotBind: One can't be bound, and all is undone.
        """
        numbers = {_number(port) for port in self._fresh.values()}
        self._closed = [port for port in self._gone if _number(port) in numbers]
        for port in (*self._closed, *self._ports.holding(numbers)):
            port.close()
        try:
            for port in self._fresh.values():
                try:
                    port.bind()
                except CannotListenError as error:
                    raise CannotBind(port.listener, error) from None
        except Exception:
            self.undo()
            raise

    def accept(self) -> None:
        """Take connections on the new ports."""
        for port in self._fresh.values():
            port.accept()

    def finish(self) -> None:
        """Serve what is to be served; what is served no longer leaves."""
        ports, serving = self._ports, self._serving
        for bind, port in ports.open.items():
            if bind in serving:
                port.serving = serving[bind]
        ports.open = {bind: self._fresh.get(bind) or ports.open[bind] for bind in serving}
        for port in self._gone:
            ports.leave(port)

    def undo(self) -> None:
        """Close new ports, and open those again that made room for them, as far as that can be done."""
        for port in self._fresh.values():
            port.close()
        for port in self._closed:
            try:
                port.bind()
                port.accept()
            except Exception as error:
                words = CannotBind(port.listener, error) if isinstance(error, CannotListenError) else error
                log.error("{words}, as it was before: it is closed until a reload opens it", words=str(words))
                del self._ports.open[port.listener.bind]
                self._ports.leave(port)


def _number(port: DownstreamListener) -> int | None:
    bind = port.listener.bind
    return bind.port if isinstance(bind, TCPAddress) else None
