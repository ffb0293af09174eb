"""Connecting to a host by its name, which is found as the names of clusters are (L{edgegate.upstream.dns.lookups})."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IStreamClientEndpoint
from zope.interface import implementer

from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.dns.lookups import Answer, Cancel, Lookups
from edgegate.upstream.dns.resolutions import LOST

Reach = Callable[[str], IStreamClientEndpoint]
"""Return the endpoint of an IP address."""


MOST_WAITING = 1024
"""Questions that wait for the addresses of one name; more are told at once that there are none."""


class SharedLookups:
    """
    Look-ups of which there is one at a time for each name, whoever asks.

    One that is not answered is given up after L{LOST} seconds.
    """

    def __init__(self, lookups: Lookups, wheel: TimerWheel) -> None:
        self._lookups = lookups
        self._wheel = wheel
        self._under_way: dict[str, _Shared] = {}

    def find(self, name: str) -> Deferred[Answer]:
        """Return what fires with the answer; it may be cancelled."""
        shared = self._under_way.get(name)
        if shared is not None:
            return shared.join()
        shared = self._under_way[name] = _Shared(self._wheel, lambda: self._under_way.pop(name, None))
        found = shared.join()
        shared.begin(self._lookups, name)
        return found


class _Shared:
    """One look-up under way, and who waits for it."""

    def __init__(self, wheel: TimerWheel, over: Callable[[], object]) -> None:
        """
        @param over: Called when it is.
        """
        self._over = over
        self._waiting: dict[Deferred[Answer], None] = {}
        self._deadline = Deadline(wheel, self._lost)
        self._cancel: Cancel | None = None

    def join(self) -> Deferred[Answer]:
        """Wait for the answer, unless too many do."""
        if len(self._waiting) >= MOST_WAITING:
            return succeed(Answer())
        found: Deferred[Answer] = Deferred(lambda found: self._waiting.pop(found, None))
        self._waiting[found] = None
        return found

    def begin(self, lookups: Lookups, name: str) -> None:
        """Look up. The answer may come before this returns."""
        self._deadline.start(LOST)
        self._cancel = lookups.begin(name, self._tell)

    def _tell(self, answer: Answer) -> None:
        self._deadline.end()
        self._over()
        waiting, self._waiting = self._waiting, {}
        for found in waiting:
            if not found.called:
                found.callback(answer)

    def _lost(self) -> None:
        if self._cancel is not None:
            self._cancel()
        self._tell(Answer())


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
