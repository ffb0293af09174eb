# Hot path: every head of an HTTP/2 request that its connection has not just sent passes here.
"""
The heads of HTTP/2 requests that came more than once, on whatever connections.

As L{edgegate.http.h1.head_cache}, by fields instead of bytes: what a block's
bytes mean differs from connection to connection, what its fields mean does not.
One that carries a secret is not remembered: it would be kept here for longer
than its connection is.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from edgegate.http.fields import Field
from edgegate.http.request import RequestHead

Fields = tuple[Field, ...]

REMEMBERED: Final = 1 << 20
"""Bytes that the heads that are remembered may need, with all that was made of them; the oldest is forgotten first."""

_MEMORABLE: Final = 2048
"""Bytes of a head that is remembered."""

_MARKS: Final = 1024
"""Heads that came once and may come again."""

_EACH: Final = 1024
_EACH_FIELD: Final = 256
"""Bytes that the values of a head need, and of each of its fields, beside the bytes of the fields themselves."""

_SECRET: Final = frozenset((b"authorization", b"proxy-authorization", b"cookie"))


class FieldsCache:
    """Remembers heads, as many as fit into L{REMEMBERED}: those of requests with a body, or those without."""

    __slots__ = ("_heads", "_once", "_size")

    def __init__(self) -> None:
        # by their fields' hashes, as a tuple makes its own anew each time that it is asked
        self._heads: OrderedDict[int, tuple[Fields, RequestHead, int]] = OrderedDict()
        self._once: set[int] = set()
        self._size = 0

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, fields: Fields, mark: int) -> RequestHead | None:
        """
        Return what fields say, if it is remembered.

        @param mark: Their hash.
        """
        found = self._heads.get(mark)
        return found[1] if found is not None and found[0] == fields else None

    def came(self, fields: Fields, mark: int, head: RequestHead) -> None:
        """A head was checked that L{find} did not know."""
        once = self._once
        if mark not in once:
            if len(once) >= _MARKS:
                once.clear()
            once.add(mark)
            return
        once.discard(mark)
        size = 0
        for name, value in fields:
            if name in _SECRET:
                return
            size += len(name) + len(value)
        if size > _MEMORABLE:
            return
        if mark in self._heads:
            return  # of others with the same hash, which stay
        needs = _EACH + 3 * size + _EACH_FIELD * len(fields)
        self._heads[mark] = fields, head, needs
        self._size += needs
        while self._size > REMEMBERED:
            _, _, oldest = self._heads.popitem(last=False)[1]
            self._size -= oldest
