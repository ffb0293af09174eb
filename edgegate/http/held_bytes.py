# Hot path: each piece of a head that does not come at once passes here.
"""
How much the beginnings of heads may hold together, whose ends have not come yet.

A head may be large, and a client that never ends it may have many connections.
What all of them hold is bounded: past the bound the largest heads are refused
first, so that whoever sends ordinary ones is the last to notice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from twisted.logger import Logger

log = Logger(namespace=__name__)

_SHIFT: Final = 10
"""Heads are kept apart by their KiB; those of as many are equals."""


class UnfinishedHead(ABC):
    """
    Who keeps the beginning of a head.

    @ivar held: How many bytes that is, as far as it has been counted.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0

    @abstractmethod
    def overflow(self) -> None:
        """Give it up and refuse the request: too much is held. Calls L{UnfinishedHeads.release}."""


class UnfinishedHeads:
    """
    Count what is held, and have the largest heads given up when it is too much.

    @ivar total: Bytes that are held.
    """

    __slots__ = ("_by_size", "_most", "total")

    def __init__(self, most: int) -> None:
        """
        @param most: Bytes that may be held.
        """
        self._most = most
        self._by_size: dict[int, dict[UnfinishedHead, None]] = {}
        self.total = 0

    def hold(self, head: UnfinishedHead, size: int) -> None:
        """
        A head that is not whole has so many bytes now, at least one.

        It may be among those that are given up, before this returns.
        """
        before = head.held
        if not before or before >> _SHIFT != size >> _SHIFT:
            if before:
                self._take_out(head)
            self._by_size.setdefault(size >> _SHIFT, {})[head] = None
        head.held = size
        self.total += size - before
        while self.total > self._most:
            self._give_up_largest()

    def release(self, head: UnfinishedHead) -> None:
        """A head is whole, or will never be."""
        self._take_out(head)
        self.total -= head.held
        head.held = 0

    def _take_out(self, head: UnfinishedHead) -> None:
        size = head.held >> _SHIFT
        equals = self._by_size[size]
        del equals[head]
        if not equals:
            del self._by_size[size]

    def _give_up_largest(self) -> None:
        # a head has a bound of its own, so there are few sizes
        head = next(iter(self._by_size[max(self._by_size)]))
        try:
            head.overflow()
        except Exception:
            # it is another connection's, which must not take this one with it
            log.failure("a request whose head was given up broke")
        if head.held:
            self.release(head)
