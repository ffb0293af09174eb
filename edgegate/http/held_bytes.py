# Hot path: each piece of a head that does not come at once passes here.
"""
How much connections may hold together of what they wait with: beginnings of heads, say, whose ends have not come yet.

One connection may hold a little, and whoever means harm may have many. What all
of them hold is bounded: past the bound those that hold most are given up first,
so that whoever does what is ordinary is the last to notice.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from twisted.logger import Logger

log = Logger(namespace=__name__)

_SHIFT: Final = 10
"""Those who hold something are kept apart by its KiB; those with as many are equals."""


class Holder(ABC):
    """
    Who holds something.

    @ivar held: How many bytes that is, as far as it has been counted.
    """

    __slots__ = ("held",)

    def __init__(self) -> None:
        self.held = 0

    @abstractmethod
    def overflow(self) -> None:
        """Give it up: too much is held. Calls L{HeldBytes.release}."""


class HeldBytes:
    """
    Count what is held, and have the most of it given up when it is too much.

    @ivar total: Bytes that are held.
    """

    __slots__ = ("_by_size", "_most", "total")

    def __init__(self, most: int) -> None:
        """
        @param most: Bytes that may be held.
        """
        self._most = most
        self._by_size: dict[int, dict[Holder, None]] = {}
        self.total = 0

    def hold(self, holder: Holder, size: int) -> None:
        """
        One holds so many bytes now, at least one.

        It may be among those that are given up, before this returns.
        """
        before = holder.held
        if not before or before >> _SHIFT != size >> _SHIFT:
            if before:
                self._take_out(holder)
            self._by_size.setdefault(size >> _SHIFT, {})[holder] = None
        holder.held = size
        self.total += size - before
        while self.total > self._most:
            self._give_up_largest()

    def release(self, holder: Holder) -> None:
        """One holds nothing any more."""
        self._take_out(holder)
        self.total -= holder.held
        holder.held = 0

    def _take_out(self, holder: Holder) -> None:
        size = holder.held >> _SHIFT
        equals = self._by_size[size]
        del equals[holder]
        if not equals:
            del self._by_size[size]

    def _give_up_largest(self) -> None:
        # each has a bound of its own, so there are few sizes
        holder = next(iter(self._by_size[max(self._by_size)]))
        try:
            holder.overflow()
        except Exception:
            # it is another connection's, which must not take this one with it
            log.failure("what was given up as too much was held broke")
        if holder.held:
            self.release(holder)
