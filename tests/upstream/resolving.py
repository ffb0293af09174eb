"""A name resolver that tests answer by hand."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IReactorPluggableNameResolver,
    IResolutionReceiver,
)
from zope.interface import implementer


@implementer(IHostResolution)
class FakeResolution:
    """A query under way."""

    def __init__(self, name: str) -> None:
        self.name = name

    def cancel(self) -> None:
        raise NotImplementedError


@implementer(IHostnameResolver)
class FakeNameResolver:
    """
    Keeps queries until they are answered.

    @ivar asked: All names that were asked for, in order.
    @ivar at_once: Names that are answered before C{resolveHostName} returns.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.pending: list[tuple[str, IResolutionReceiver]] = []
        self.at_once: dict[str, tuple[str, ...]] = {}

    def resolveHostName(
        self,
        resolutionReceiver: IResolutionReceiver,
        hostName: str,
        portNumber: int = 0,
        addressTypes: Sequence[type[IAddress]] | None = None,
        transportSemantics: str = "TCP",
    ) -> IHostResolution:
        resolution = FakeResolution(hostName)
        resolutionReceiver.resolutionBegan(resolution)
        self.asked.append(hostName)
        self.pending.append((hostName, resolutionReceiver))
        if hostName in self.at_once:
            self.answer(hostName, *self.at_once[hostName])
        return resolution

    def answer(self, name: str, *hosts: str) -> None:
        """Answer the oldest query for a name; without hosts: it does not resolve."""
        entry = next(entry for entry in self.pending if entry[0] == name)
        self.pending.remove(entry)
        for host in hosts:
            entry[1].addressResolved(IPv6Address("TCP", host, 0) if ":" in host else IPv4Address("TCP", host, 0))
        entry[1].resolutionComplete()


@implementer(IReactorPluggableNameResolver)
class ResolvingReactor:
    """As much of a reactor as resolving needs."""

    def __init__(self) -> None:
        self.nameResolver = FakeNameResolver()

    def installNameResolver(self, resolver: IHostnameResolver) -> IHostnameResolver:
        raise NotImplementedError
