"""
Names as the system finds them, by C{getaddrinfo}, which may take its time or never return.

Twisted's own resolver calls it in the reactor's threads, for which the end of
the process waits.
"""

from __future__ import annotations

import socket
from collections import deque
from collections.abc import Sequence
from threading import Thread
from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorFromThreads,
    IResolutionReceiver,
)
from zope.interface import implementer

MOST_THREADS = 16
"""Names that the system is asked for at one time; the next ones wait."""

_KINDS: dict[int, type[IPv4Address] | type[IPv6Address]] = {socket.AF_INET: IPv4Address, socket.AF_INET6: IPv6Address}
_FAMILIES = {IPv4Address: socket.AF_INET, IPv6Address: socket.AF_INET6}
_TYPES = {"TCP": socket.SOCK_STREAM, "UDP": socket.SOCK_DGRAM}


@implementer(IHostResolution)
class Resolution:
    """A name that is being found."""

    def __init__(self, name: str, receiver: IResolutionReceiver, terms: tuple[int, int, int]) -> None:
        """
        @param terms: Port, family and type of sockets.
        """
        self.name = name
        self.terms = terms
        self._receiver: IResolutionReceiver | None = receiver

    def cancel(self) -> None:
        """Tell nothing of it."""
        self._receiver = None

    def found(self, addresses: Sequence[IAddress]) -> None:
        """Tell what was found."""
        receiver, self._receiver = self._receiver, None
        if receiver is not None:
            for address in addresses:
                receiver.addressResolved(address)
            receiver.resolutionComplete()


@implementer(IHostnameResolver)
class SystemResolver:
    """Asks the system in threads that nobody waits for."""

    def __init__(self, reactor: IReactorFromThreads, getaddrinfo: Any = socket.getaddrinfo) -> None:
        self._reactor = reactor
        self._getaddrinfo = getaddrinfo
        self._waiting: deque[Resolution] = deque()
        self._under_way = 0

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        """As L{IHostnameResolver} says."""
        families = {family for kind, family in _FAMILIES.items() if addressTypes is None or kind in addressTypes}
        family = families.pop() if len(families) == 1 else socket.AF_UNSPEC
        resolution = Resolution(hostName, resolutionReceiver, (portNumber, family, _TYPES[transportSemantics]))
        resolutionReceiver.resolutionBegan(resolution)
        self._waiting.append(resolution)
        self._go_on()
        return resolution

    def _go_on(self) -> None:
        while self._waiting and self._under_way < MOST_THREADS:
            self._under_way += 1
            resolution = self._waiting.popleft()
            try:
                Thread(target=self._ask, args=(resolution,), name="edgegate names", daemon=True).start()
            except RuntimeError:
                # there can't be another one now: as if nobody knew the name
                self._reactor.callFromThread(self._ended, resolution, ())

    def _ended(self, resolution: Resolution, addresses: Sequence[IAddress]) -> None:
        self._under_way -= 1
        self._go_on()
        resolution.found(addresses)

    def _ask(self, resolution: Resolution) -> None:
        """Ask, in a thread."""
        addresses: list[IAddress] = []
        try:
            for family, kind, _, _, address in self._getaddrinfo(resolution.name, *resolution.terms):
                if family in _KINDS:
                    addresses.append(_KINDS[family]("UDP" if kind == socket.SOCK_DGRAM else "TCP", *address))
        except (OSError, UnicodeError):
            # it is not known, or no name
            addresses.clear()
        self._reactor.callFromThread(self._ended, resolution, addresses)
