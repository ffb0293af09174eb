"""The process whose place this one takes: what it hands, and what it is told."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, MutableMapping
from contextlib import suppress
from pathlib import Path

from twisted.application.service import Service
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorCore, IReactorFDSet
from twisted.logger import Logger

from edgegate import __version__
from edgegate.model import access_logs
from edgegate.model.addresses import Address
from edgegate.net.channel import JSON, Channel, Received, adopt, close_all, wait_for_any
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSocket, InheritedSockets
from edgegate.net.peer import Peer
from edgegate.net.sockets import Socket
from edgegate.observe.log_file import STREAMS
from edgegate.server.handover import VARIABLE, Handed, NotUnderstood, Ready, Role, handed, ready_message, says

log = Logger(namespace=__name__)

PATIENCE = 20.0
"""Seconds in which the process before has to hand everything."""

STANDARD_ERROR = 2


class Reactor(IReactorCore, IReactorFDSet):
    """What is asked of the reactor."""


class Predecessor:
    """
    The process before.

    @ivar ports: The listening sockets of its ports.
    @ivar passed: Those that its service manager had passed to it.
    @ivar channel: To it.
    @ivar errors: The descriptor of its standard error, or -1.
    @ivar left: Fires when it has left all this.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.ports = HandedSockets({})
        self.passed = InheritedSockets()
        self._admin: dict[Address, Socket] = {}
        self.errors = -1
        self.left: Deferred[None] = Deferred()

    def take(self, all_handed: Iterable[Handed]) -> None:
        """Take sockets over."""
        ports: dict[Address, Socket] = {}
        passed = []
        for each in all_handed:
            sock = adopt(each.descriptor)
            if each.role is Role.PORT:
                ports[each.address] = sock
            elif each.role is Role.PASSED:
                passed.append(InheritedSocket(each.name, each.address, sock))
            else:
                self._admin[each.address] = sock
        self.ports, self.passed = HandedSockets(ports), InheritedSockets(passed)

    def admin_socket(self, address: Address) -> Socket | None:
        """Return the socket of its admin listener, if that has an address; it stays this one's until L{close}."""
        return self._admin.get(address)

    def close(self) -> None:
        """Close what is not used."""
        self.ports.close()
        for each in self._admin.values():
            each.close()


def predecessor(environment: MutableMapping[str, str]) -> Predecessor | None:
    """
    Return the process whose place this one takes, with what it hands; L{None}: there is none.

    What writes logs to C{/dev/stderr} from now on writes where that process does: the standard error of this one is
    read by it, until it has left.

    @param environment: The process's, which says so; that is taken from it, for it is not for its children.
    @raise NotUnderstood: It hands nothing, or something else.
    """
    number = environment.pop(VARIABLE, "")
    if not number:
        return None
    try:
        sock = adopt(int(number))
        sock.set_inheritable(False)
        before = Predecessor(Channel(sock, codec=JSON))
        _receive(before)
    except (OSError, ValueError, EOFError) as error:
        raise NotUnderstood(f"{VARIABLE}={number} is no upgrade: {type(error).__name__}: {error}") from None
    STREAMS[access_logs.STANDARD_ERROR] = before.errors
    return before


def _receive(before: Predecessor) -> None:
    sockets: list[Handed] = []
    while before.errors < 0:
        if not wait_for_any([before.channel.fileno()], PATIENCE):
            raise NotUnderstood(f"the process before has handed nothing for {PATIENCE:g} s")
        for received in before.channel.receive():
            if says(received.value, "sockets"):
                found, unknown = handed(received.value, received.descriptors)
                sockets += found
                close_all(unknown)
            elif says(received.value, "begin") and received.descriptors:
                before.errors, *unknown = received.descriptors
                close_all(unknown)
            elif says(received.value, "cancel"):
                raise NotUnderstood("the process before has given it up")
            else:
                close_all(received.descriptors)
    before.take(sockets)


class Succession(Service):
    """Tells the process before that this one serves, and takes over what that has left then."""

    def __init__(
        self,
        reactor: Reactor,
        before: Predecessor,
        serves: Callable[[], Iterable[Address]],
        end: Callable[[], object],
    ) -> None:
        """
        @param serves: Tells what the ports of this process are bound for.
        @param end: Ends this process.
        """
        self._reactor = reactor
        self._before = before
        self._serves = serves
        self._end = end
        self._peer = Peer(reactor, before.channel, self._told, self._take_over)

    def startService(self) -> None:
        """Begin. All that serves has been started when the reactor runs."""
        super().startService()  # type: ignore[no-untyped-call]
        self._reactor.callWhenRunning(self._ready)

    def stopService(self) -> None:
        """End."""
        super().stopService()  # type: ignore[no-untyped-call]
        self._peer.close()

    def _ready(self) -> None:
        if not self.running:
            return
        self._before.close()
        self._peer.start()
        # it may have given this process up before there was a reactor
        self._peer.doRead()
        self._peer.send(ready_message(Ready(os.getpid(), __version__, tuple(self._serves()))))

    def _told(self, received: Received) -> None:
        close_all(received.descriptors)
        if says(received.value, "cancel"):
            log.error("the process before goes on in the place of this one: it ends")
            self._peer.close()
            self._end()
        elif says(received.value, "left"):
            self._peer.close()
            self._take_over()

    def _take_over(self) -> None:
        """The process before has left its sockets, or is no more."""
        before = self._before
        before.ports.left = True
        errors, before.errors = before.errors, -1
        if errors >= 0:
            with suppress(OSError):
                # a daemon's leads nowhere, and stays so
                if os.fstat(STANDARD_ERROR).st_rdev != Path(os.devnull).stat().st_rdev:
                    os.dup2(errors, STANDARD_ERROR)
            STREAMS[access_logs.STANDARD_ERROR] = STANDARD_ERROR
            os.close(errors)
        before.left.callback(None)
