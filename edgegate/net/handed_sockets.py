"""Listening sockets that a process hands to the one which is to serve in its place."""

from __future__ import annotations

from collections.abc import Mapping

from edgegate.model.addresses import Address
from edgegate.net.socket_source import SocketSource
from edgegate.net.sockets import Socket


class HandedSockets(SocketSource):
    """
    What this process was handed.

    Until the process before has left them it serves them, too. It goes on where this one fails, so nothing must be
    done to them meanwhile that all who share a socket feel.

    @ivar left: Whether it has left them.
    """

    def __init__(self, sockets: Mapping[Address, Socket]) -> None:
        """
        @param sockets: By what they were bound for.
        """
        self._sockets = dict(sockets)
        self._taken: set[Address] = set()
        self.left = False

    def take(self, bind: Address, number: int) -> Socket | None:
        """See L{SocketSource.take}."""
        sock = self._sockets.pop(bind, None)
        if sock is not None:
            self._taken.add(bind)
        return sock

    def stays(self, bind: Address) -> bool:
        """See L{SocketSource.stays}: as long as the process before serves it, too."""
        return not self.left and bind in self._taken

    def close(self) -> None:
        """Close those that nobody has taken."""
        for each in self._sockets.values():
            each.close()
        self._sockets = {}
