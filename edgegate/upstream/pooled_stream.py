# Hot path: one for each request.
"""
What a pool knows of the streams that it gives out.

A class and no protocol: mypyc calls a method of a class by its place, of a protocol by a search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable


class PooledStream(ABC):
    """
    What carries one request at a time to an endpoint: of HTTP/1 a connection itself. It is told apart by identity.

    @ivar key: Which requests it may be used for; L{None}: all of the endpoint's. Never changes once it is in a pool.
    """

    __slots__ = ("key",)

    key: Hashable

    @property
    @abstractmethod
    def worn(self) -> bool:
        """Whether it has carried as many requests, or is as old, as its cluster lets it."""

    @property
    def shared(self) -> bool:
        """Whether its connection carries others at the same time."""
        return False

    @abstractmethod
    def close(self) -> None:
        """End it in order; it carries no request, and no pool knows it any more."""
