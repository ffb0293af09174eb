# Hot path: every head of an HTTP/1 request that its connection has not just sent passes here.
"""
The heads of HTTP/1 requests that came more than once, on whatever connections.

A head says only what is in its bytes, so the same bytes are the same head,
whoever sends them. One that comes for the second time is remembered: to
remember one and to forget it takes as long as to parse it. One that carries a
secret is not: it would be kept here for longer than its connection is.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from edgegate.http.request import RequestHead

REMEMBERED: Final = 1 << 20
"""Bytes that the heads that are remembered may need, with all that was made of them; the oldest is forgotten first."""

MEMORABLE: Final = 2048
"""Bytes of a head that is remembered."""

_MARKS: Final = 1024
"""Heads that came once and may come again."""

_EACH: Final = 1024
_EACH_FIELD: Final = 192
"""Bytes that the values of a head need, and of each of its lines, beside the bytes of the head itself."""

_SECRET: Final = frozenset((b"authorization", b"proxy-authorization", b"cookie"))


class HeadCache:
    """Remembers heads, as many as fit into L{REMEMBERED}."""

    __slots__ = ("_heads", "_once", "_size")

    def __init__(self) -> None:
        self._heads: OrderedDict[bytes, RequestHead] = OrderedDict()
        self._once: set[int] = set()
        self._size = 0

    def __len__(self) -> int:
        return len(self._heads)

    def find(self, raw: bytes) -> RequestHead | None:
        """Return what a head says, if it is remembered."""
        return self._heads.get(raw) if len(raw) <= MEMORABLE else None

    def came(self, raw: bytes, head: RequestHead) -> None:
        """A head was parsed that L{find} did not know."""
        if len(raw) > MEMORABLE:
            return
        mark = hash(raw)
        once = self._once
        if mark not in once:
            if len(once) >= _MARKS:
                once.clear()
            once.add(mark)
            return
        once.discard(mark)
        for name, _ in head.fields:
            if name in _SECRET:
                return
        self._heads[raw] = head
        self._size += _needs(raw)
        while self._size > REMEMBERED:
            oldest, _ = self._heads.popitem(last=False)
            self._size -= _needs(oldest)


def _needs(raw: bytes) -> int:
    """Return how many bytes a head needs: it is there three times, as it came, in fields and as it is sent on."""
    return _EACH + 3 * len(raw) + _EACH_FIELD * raw.count(b"\n")
