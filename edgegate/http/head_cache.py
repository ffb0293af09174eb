# Hot path: every head of a request that its connection has not just sent passes here.
"""
The heads of requests that came more than once, on whatever connections: what is remembered of both versions of HTTP.

One that comes for the second time is remembered: to remember one and to forget
it takes as long as to parse it. One that carries a secret is not: it would be
kept here for longer than its connection is.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Hashable, Iterable
from typing import Final

from edgegate.http.fields import Field
from edgegate.http.request import RequestHead

REMEMBERED: Final = 1 << 20
"""Bytes that the heads that are remembered may need, with all that was made of them; the oldest is forgotten first."""

MEMORABLE: Final = 2048
"""Bytes of a head that is remembered."""

EACH: Final = 1024
"""Bytes that the values of a head need, beside those of its fields and the bytes that came."""

_MARKS: Final = 1024
"""Heads that came once and may come again."""

_SECRET: Final = re.compile(rb"(?!:).*?(?:auth|cookie|key|token|secret|passw|session|credential|jwt|signature)")
"""How names of fields begin that may be secrets; those of HTTP/2 with a colon are none."""


def may_be_secret(name: bytes) -> bool:
    """Whether a field of this name, in lower case, may be a secret: what has one is not remembered."""
    return _SECRET.match(name) is not None


class HeadCache:
    """Remembers heads, as many as fit into L{REMEMBERED}. What they are found by its subclasses know."""

    __slots__ = ("_heads", "_once", "_size")

    def __init__(self) -> None:
        # what was said, what that means, and the bytes that this needs
        self._heads: OrderedDict[Hashable, tuple[object, RequestHead, int]] = OrderedDict()
        self._once: set[int] = set()
        self._size = 0

    def __len__(self) -> int:
        return len(self._heads)

    def _is_memorable(self, mark: int, fields: Iterable[Field]) -> bool:
        """
        Whether a head came before, not too long ago, and carries no secret.

        @param mark: Its hash.
        """
        return not self._is_new(mark) and not any(may_be_secret(name) for name, _ in fields)

    def _is_new(self, mark: int) -> bool:
        """Whether what has a hash did not come before, or too long ago."""
        once = self._once
        if mark not in once:
            if len(once) >= _MARKS:
                once.clear()
            once.add(mark)
            return True
        once.discard(mark)
        return False

    def _remember(self, key: Hashable, said: object, head: RequestHead, needs: int) -> None:
        """
        Remember a head under a key that is not taken, and forget the oldest for it.

        @param said: What came.
        @param needs: Bytes.
        """
        self._heads[key] = said, head, needs
        self._size += needs
        while self._size > REMEMBERED:
            self._size -= self._heads.popitem(last=False)[1][2]
