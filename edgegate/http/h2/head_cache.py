# Hot path: every head of an HTTP/2 request that its connection has not just sent passes here.
"""
The heads of HTTP/2 requests that came more than once: see L{edgegate.http.head_cache}.

By fields instead of bytes: what a block's bytes mean differs from connection to
connection, what its fields mean does not.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.fields import Field
from edgegate.http.head_cache import EACH, MEMORABLE, HeadCache
from edgegate.http.request import RequestHead

Fields = tuple[Field, ...]

_EACH_FIELD: Final = 256
"""Bytes that a field needs, beside the bytes of its name and its value."""


class FieldsCache(HeadCache):
    """
    Heads by their fields: those of requests with a body, or those without.

    The keys are hashes, as a tuple makes its own anew each time that it is asked.
    """

    __slots__ = ()

    def find(self, fields: Fields, mark: int) -> RequestHead | None:
        """
        Return what fields say, if it is remembered.

        @param mark: Their hash.
        """
        found = self._heads.get(mark)
        return found[1] if found is not None and found[0] == fields else None

    def came(self, fields: Fields, mark: int, head: RequestHead) -> None:
        """A head was checked that L{find} did not know."""
        # others with the same hash stay
        if not self._is_memorable(mark, fields) or mark in self._heads:
            return
        size = 0
        for name, value in fields:
            size += len(name) + len(value)
        if size <= MEMORABLE:
            self._remember(mark, fields, head, EACH + 3 * size + _EACH_FIELD * len(fields))
