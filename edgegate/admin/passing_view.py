"""What passes in a gateway, shown to one reader as long as it reads: requests, or lines of the access log."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from twisted.internet.interfaces import IPushProducer
from twisted.web.server import Request
from zope.interface import implementer

from edgegate.admin.interfaces import Gateway
from edgegate.observe.log_tap import Wanted
from edgegate.observe.tap import LOST, Tapped


@implementer(IPushProducer)
class PassingView(ABC):
    """One reader, from its request to the last line. What comes while it does not read it misses, and nothing waits."""

    def __init__(self, request: Request, over: Callable[[PassingView], None]) -> None:
        """
        @param over: Called once, when it has ended.
        """
        self._request = request
        self._over = over
        self._paused = self._ended = False
        self._stop: Callable[[], None] = _nothing

    def show(self, gateway: Gateway, wanted: Wanted) -> None:
        """Show what is wanted from now on."""
        request = self._request
        request.notifyFinish().addErrback(lambda _: self._end())
        # the head, which says that it has begun
        request.write(b"")
        request.registerProducer(self, True)
        self._stop = stop = gateway.tap(wanted, self._told)
        if self._ended:
            # by what was shown as it began
            stop()

    def pauseProducing(self) -> None:
        """The reader does not read."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It reads again."""
        self._paused = False

    def stopProducing(self) -> None:
        """It is gone."""
        self._end()

    def _told(self, tapped: Tapped) -> None:
        if not self._ended:
            lost = tapped.get(LOST)
            self._passes(tapped, lost if isinstance(lost, int) else 0)

    @abstractmethod
    def _passes(self, tapped: Tapped, lost: int) -> None:
        """
        Something passes.

        @param lost: How many before it can't be shown.
        """

    def _finish(self, last: bytes) -> None:
        """End in good order."""
        self._end()
        self._request.write(last)
        self._request.unregisterProducer()
        self._request.finish()

    def _end(self) -> None:
        if not self._ended:
            self._ended = True
            self._stop()
            self._over(self)


def _nothing() -> None:
    """What ends one that has not begun."""
