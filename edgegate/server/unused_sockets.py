"""Sockets that a service manager has passed, and that nobody uses."""

from __future__ import annotations

from collections.abc import Iterable

from twisted.logger import Logger, LogLevel

from edgegate.model.addresses import Address
from edgegate.net.inherited_sockets import InheritedSocket, InheritedSockets

log = Logger(namespace=__name__)


class UnusedSockets:
    """Says which sockets belong to no port of the files, where those are others than before."""

    def __init__(self, inherited: InheritedSockets) -> None:
        self._inherited = inherited
        self._unused: list[InheritedSocket] = []

    def look(self, binds: Iterable[Address]) -> None:
        """
        Look, and say it.

        @param binds: What the ports of the files are bound for.
        """
        before, self._unused = self._unused, self._inherited.unused(binds)
        for each in self._unused:
            if each not in before:
                words = "socket {socket} was passed to the gateway, and no Gateway uses it"
                log.emit(LogLevel.warn, words, socket=str(each))
