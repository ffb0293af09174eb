"""Requests that are held until as much of their body has come as somebody wants to see before it passes."""

from __future__ import annotations

from collections.abc import Callable

from edgegate.errors import OVERLOADED
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.hold import Hold


class BodyHold(Hold):
    """Tells of the body once: when it is whole, or longer than is wanted. What still comes is held as usual."""

    __slots__ = ("_gathered", "_most")

    def __init__(
        self,
        exchange: Exchange,
        environment: HTTPEnvironment,
        most: int,
        gathered: Callable[[bytes, bool], None],
        cancelled: Callable[[], None],
    ) -> None:
        """
        @param most: Bytes that are wanted.
        @param gathered: Called with these, or the whole body where it is shorter, and whether there is more of it.
        @param cancelled: See L{Hold}.
        """
        Hold.__init__(self, exchange, environment, None, _never, cancelled)
        self._most = most
        self._gathered: Callable[[bytes, bool], None] | None = gathered
        # the client is read until one byte more has come
        self._bound = max(self._bound, most)
        if exchange.head.expects_continue:
            exchange.stream.continue_upload()

    def upload(self, data: bytes) -> None:
        """See L{Hold.upload}."""
        Hold.upload(self, data)
        if self._held_bytes > self._most:
            self._tell(True)
        elif self._paused and self._gathered is not None:
            # there is no room for what is waited for
            self._gathered = None
            self.fail(OVERLOADED)

    def upload_end(self, trailers: list[Field]) -> None:
        """See L{Hold.upload_end}."""
        Hold.upload_end(self, trailers)
        self._tell(False)

    def _tell(self, more: bool) -> None:
        gathered, self._gathered = self._gathered, None
        if gathered is not None:
            gathered(b"".join(self._held)[: self._most], more)


def _never(hold: Hold) -> None:
    """It has no time of its own."""
