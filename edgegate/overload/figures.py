"""What there is of what is limited, for whoever looks."""

from __future__ import annotations

from dataclasses import dataclass

from edgegate.overload.limits import NO_LIMIT


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One limit, and how near it is.

    @ivar name: With its unit at the end where it is no count.
    @ivar value: What there is now.
    @ivar limit: What there may be.
    @ivar reached: How often somebody had to wait, or was refused, because of it.
    """

    name: str
    value: int
    limit: int
    reached: int

    @property
    def bound(self) -> int | None:
        """What there may be; L{None}: there is no limit."""
        return None if self.limit >= NO_LIMIT else self.limit
