"""Where listening sockets may come from, in place of binding their addresses."""

from __future__ import annotations

from edgegate.model.addresses import Address
from edgegate.net.sockets import Socket


class SocketSource:
    """One that has no sockets."""

    def take(self, bind: Address, number: int) -> Socket | None:
        """
        Return a socket that does not block, which is the caller's from now on; L{None}: there is none.

        @param bind: What would be bound.
        @param number: The port's number in the files.
        @raise twisted.internet.error.CannotListenError: There should be one, and is not.
        """
        return None

    def stays(self, bind: Address) -> bool:
        """
        Whether what was taken for an address is others', too, who go on with it or will.

        It is left as it is when it is not used any more: what waits in its backlog is for them, and the path of a UNIX
        socket, too.
        """
        return False


class FirstOf(SocketSource):
    """Has what several sources have; of two that have one for an address the first counts."""

    def __init__(self, *sources: SocketSource | None) -> None:
        self._sources = [source for source in sources if source is not None]

    def take(self, bind: Address, number: int) -> Socket | None:
        """See L{SocketSource.take}."""
        for source in self._sources:
            sock = source.take(bind, number)
            if sock is not None:
                return sock
        return None

    def stays(self, bind: Address) -> bool:
        """See L{SocketSource.stays}."""
        return any(source.stays(bind) for source in self._sources)
