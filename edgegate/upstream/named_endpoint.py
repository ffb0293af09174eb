"""Connecting to a host by its name, which is found as the names of clusters are (L{edgegate.upstream.lookups})."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from edgegate.upstream.lookups import Answer, Lookups

Reach = Callable[[str], IStreamClientEndpoint]
"""Return the endpoint of an IP address."""


class SharedLookups:
    """
    Look-ups of which there is one at a time for each name, whoever asks.

    Those of the system cannot be given up: with one for each question, questions that are repeated faster than they
    are answered would queue up without bound.
    """

    def __init__(self, lookups: Lookups) -> None:
        self._lookups = lookups
        self._waiting: dict[str, list[Deferred[Answer]]] = {}

    def find(self, name: str) -> Deferred[Answer]:
        """Return what fires with the answer; it may be cancelled."""
        found: Deferred[Answer] = Deferred()
        waiting = self._waiting.get(name)
        if waiting is not None:
            waiting.append(found)
        else:
            self._waiting[name] = [found]
            self._lookups.begin(name, lambda answer: self._tell(name, answer))
        return found

    def _tell(self, name: str, answer: Answer) -> None:
        for found in self._waiting.pop(name, ()):
            if not found.called:
                found.callback(answer)


@implementer(IStreamClientEndpoint)
class NamedEndpoint:
    """One port of a host, whose addresses are tried one after the other."""

    def __init__(self, lookups: SharedLookups, name: str, reach: Reach) -> None:
        self._lookups = lookups
        self._name = name
        self._reach = reach

    def connect(self, protocolFactory: IProtocolFactory) -> Deferred[IProtocol]:
        """
        Connect to the first address that takes the connection.

        @return: Fires with the protocol, or fails with L{DNSLookupError} or the last address's L{ConnectError}.
        """
        return Deferred.fromCoroutine(self._connect(protocolFactory))

    async def _connect(self, factory: IProtocolFactory) -> IProtocol:
        answer = await self._lookups.find(self._name)
        failed: Exception = DNSLookupError(f"no address of {self._name} is found")
        for host in answer.addresses:
            try:
                return await self._reach(host).connect(factory)
            except ConnectError as error:
                failed = error
        raise failed
