# Hot path: every head of an HTTP/1 request that its connection has not just sent passes here.
"""
What heads of HTTP/1 requests say behind their first line, but for their cookie: see L{edgegate.http.head_cache}.

A browser says the same there in many requests, and so do all browsers of its
kind: what differs is what they ask for, and their cookie. The bytes that are
left were read before, so the same bytes say the same.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.fields import Field
from edgegate.http.head_cache import EACH, MEMORABLE, HeadCache, may_be_secret
from edgegate.http.request import RequestHead
from edgegate.http.target import PathNormalisation

_EACH_LINE: Final = 192
"""Bytes that the values of a line need, beside the bytes of the line itself."""


class Rest:
    """
    All of a head but its first line and its cookie.

    @ivar head: One that says it, without a cookie and with another target.
    @ivar at: How many bytes of it stand before the cookie.
    """

    __slots__ = ("_before", "_behind", "_index", "at", "head")

    def __init__(self, head: RequestHead, at: int, index: int) -> None:
        """
        @param head: One that said it, and was plain. Neither its target nor its cookie is kept.
        @param at: See C{at}.
        @param index: Which of its fields is the cookie.
        """
        lines = head.lines
        assert lines is not None
        self.at: Final = at
        self.head: Final = head.with_target(b"GET", b"/", PathNormalisation.NONE)
        self.head.fields = head.fields[:index] + head.fields[index + 1 :]
        self.head.lines = None
        self._index: Final = index
        self._before: Final = b"".join(lines[:index])
        self._behind: Final = b"".join(lines[index + 1 :])

    def give_cookie(self, head: RequestHead, value: bytes) -> None:
        """Give a head, made of this one's, its cookie, and the lines of its fields."""
        head.fields = fields = head.fields.copy()
        fields.insert(self._index, (_COOKIE, value))
        head.lines = [self._before, b"cookie: ", value, b"\r\n", self._behind]


def _only_cookie(fields: list[Field]) -> int:
    """Return which of a head's fields is its cookie; -1: it has several, or others that may be secrets."""
    found = -1
    for index, (name, _) in enumerate(fields):
        if may_be_secret(name):
            if found >= 0 or name != _COOKIE:
                return -1
            found = index
    return found


_COOKIE: Final = b"cookie"


class RestCache(HeadCache):
    """The rests of heads by their bytes."""

    __slots__ = ()

    def find(self, rest: bytes, at: int) -> Rest | None:
        """Return what a rest says, if it is remembered; see L{Rest}."""
        found = self._heads.get(rest)
        if found is None:
            return None
        said = found[0]
        assert isinstance(said, Rest)
        return said if said.at == at else None

    def came(self, rest: bytes, at: int, head: RequestHead) -> None:
        """
        A head was found to be plain whose rest L{find} did not know.

        @param at: Where a cookie of it stood, see L{Rest}.
        """
        if len(rest) > MEMORABLE or rest in self._heads:
            return
        if not self._is_new(hash(rest)):
            index = _only_cookie(head.fields)
            if index >= 0:
                said = Rest(head, at, index)
                # it is there three times: as it came, in fields and in lines
                self._remember(rest, said, said.head, EACH + 3 * len(rest) + _EACH_LINE * rest.count(b"\n"))
