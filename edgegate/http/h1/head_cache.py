# Hot path: every head of an HTTP/1 request that its connection has not just sent passes here.
"""
The heads of HTTP/1 requests that came more than once: see L{edgegate.http.head_cache}.

A head says only what is in its bytes, so the same bytes are the same head,
whoever sends them.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.head_cache import EACH, MEMORABLE, HeadCache
from edgegate.http.request import RequestHead

_EACH_LINE: Final = 240
"""Bytes that the values of a line need, beside the bytes of the line itself."""


class RawHeadCache(HeadCache):
    """Heads by their bytes."""

    __slots__ = ()

    def find(self, raw: bytes) -> RequestHead | None:
        """Return what a head says, if it is remembered."""
        found = self._heads.get(raw) if len(raw) <= MEMORABLE else None
        return None if found is None else found[1]

    def came(self, raw: bytes, head: RequestHead) -> None:
        """A head was parsed that L{find} did not know."""
        if len(raw) <= MEMORABLE and self._is_memorable(hash(raw), head.fields):
            # it is there four times: as it came, in fields, in lines and as it is sent on
            self._remember(raw, raw, head, EACH + 4 * len(raw) + _EACH_LINE * raw.count(b"\n"))
