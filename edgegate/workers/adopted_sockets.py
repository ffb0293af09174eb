"""The listening sockets that a worker shares with others."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from twisted.internet.error import CannotListenError

from edgegate.model.addresses import Address
from edgegate.net.channel import adopt
from edgegate.net.socket_source import SocketSource
from edgegate.net.sockets import Socket


class AdoptedSockets(SocketSource):
    """What the supervisor has sent: a worker binds nothing itself."""

    def __init__(self, descriptors: Mapping[Address, int], passed: Collection[Address]) -> None:
        """
        @param descriptors: By what they are bound for; they belong to this.
        @param passed: Those that are a service manager's.
        """
        self._descriptors = dict(descriptors)
        self._passed = passed

    def take(self, bind: Address, number: int) -> Socket:
        """See L{SocketSource.take}."""
        descriptor = self._descriptors.pop(bind, None)
        if descriptor is None:
            raise CannotListenError(str(bind), 0, OSError("the supervisor has not sent its socket"))
        return adopt(descriptor)

    def stays(self, bind: Address) -> bool:
        """See L{SocketSource.stays}."""
        return bind in self._passed
