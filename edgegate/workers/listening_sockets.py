"""The listening sockets of a gateway of several processes, which the supervisor owns."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Mapping

from twisted.internet.error import CannotListenError

from edgegate.model.addresses import Address, TCPAddress, UNIXAddress
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.inherited_sockets import InheritedSockets
from edgegate.net.listening import bind, close_to_others, remove_path
from edgegate.net.socket_source import FirstOf
from edgegate.net.sockets import Socket
from edgegate.server.ports import CannotBind
from edgegate.workers.messages import Opening


class ListeningSockets:
    """
    Sockets by what they are bound to. Connections wait in them until a worker takes them.

    @ivar open: Those of the files that are served.
    """

    def __init__(self, handed: HandedSockets | None = None, inherited: InheritedSockets | None = None) -> None:
        """
        @param handed: Those of a process whose place this one takes.
        @param inherited: Those of ports that a service manager has bound.
        """
        self.open: dict[Address, Socket] = {}
        self._handed = HandedSockets({}) if handed is None else handed
        self._inherited = InheritedSockets() if inherited is None else inherited
        self._source = FirstOf(self._inherited, self._handed)

    @property
    def shared(self) -> bool:
        """Whether the process before serves some of them, too."""
        return any(map(self._handed.stays, self.open))

    def passed(self, among: Iterable[Address]) -> frozenset[Address]:
        """Return those whose sockets are a service manager's."""
        return frozenset(filter(self._inherited.stays, among))

    def change(self, openings: Iterable[Opening]) -> SocketChange:
        """
        Bind what is new.

        @raise CannotBind: A port can't be opened; everything is as it was.
        """
        wanted = {each.bind: each for each in openings}
        fresh: dict[Address, Socket] = {}
        for address, opening in wanted.items():
            if address in self.open:
                continue
            try:
                fresh[address] = self._source.take(address, opening.port) or self._bind(address)
            except CannotListenError as error:
                self.abandon(fresh)
                raise CannotBind(opening, self._explained(address, error)) from None
        return SocketChange(self, wanted, fresh)

    def abandon(self, sockets: Mapping[Address, Socket]) -> None:
        """Close sockets that nobody serves; what the process before serves goes on there."""
        for address, sock in sockets.items():
            sock.close()
            if isinstance(address, UNIXAddress) and not self._source.stays(address):
                remove_path(address)

    def close(self) -> None:
        """Leave the sockets to the workers, who serve what waits in them."""
        for each in self.open.values():
            each.close()
        self.open = {}

    def _bind(self, address: Address) -> Socket:
        """
        Bind an address. One of ours that overlaps with it is not in its way: workers go on there until others serve.
        """
        return bind(address, beside=[self.open[each] for each in self._of_port(address)])

    def _of_port(self, address: Address) -> list[Address]:
        """Return those of ours that have the port of an address."""
        if not isinstance(address, TCPAddress):
            return []
        return [each for each in self.open if isinstance(each, TCPAddress) and each.port == address.port]

    def _explained(self, address: Address, error: CannotListenError) -> CannotListenError:
        """Say where it is this gateway that has the port: one user's socket is in the way of another's."""
        own = [each for each in self._of_port(address) if os.fstat(self.open[each].fileno()).st_uid != os.geteuid()]
        if getattr(error.socketError, "errno", None) != errno.EADDRINUSE or not own:
            return error
        reason = (
            f"this gateway listens on {own[0]}, which it has bound as another user: reload without the port first, or "
            "start the gateway anew"
        )
        return CannotListenError(str(address), 0, OSError(errno.EADDRINUSE, reason))


class SocketChange:
    """
    One change whose new sockets are bound. It ends in exactly one of: L{finish}, L{undo}.

    @ivar sockets: Those of the files that are to be served.
    """

    def __init__(self, owner: ListeningSockets, wanted: Collection[Address], fresh: dict[Address, Socket]) -> None:
        self._owner = owner
        self._fresh = fresh
        self.sockets = {address: fresh.get(address) or owner.open[address] for address in wanted}

    def finish(self) -> tuple[Address, ...]:
        """Keep what is to be served, and return what no file binds any longer, whose sockets are the workers' alone."""
        before, self._owner.open = self._owner.open, self.sockets
        gone = tuple(address for address in before if address not in self.sockets)
        for address in gone:
            before[address].close()
        close_to_others(self.sockets.values())
        return gone

    def undo(self) -> None:
        """Close what is new."""
        self._owner.abandon(self._fresh)
        close_to_others(self._owner.open.values())
