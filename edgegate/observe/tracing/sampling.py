# Hot path: decides for each request that comes undecided.
"""
Which requests are traced (Envoy's C{UUIDRequestIDExtension}).

The request's id decides, so that all who know it come to the same, and its 15th character tells how: C{4} it is not
traced, C{9} it is, C{a} and C{b} that somebody wanted it to be.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from random import random

_MARK = 14
_TRACED = frozenset(b"9ab")
_UNDECIDED = ord("4")
_NUMBER = re.compile(rb"[0-9a-fA-F]{8}")
_PARTS = 10_000
"""Parts of all requests to which a share is kept."""


class Sampler:
    """Decides by a share of requests."""

    __slots__ = ("_by_request_id", "_draw", "_parts")

    def __init__(self, percent: float, by_request_id: bool = True, draw: Callable[[], float] = random) -> None:
        """
        @param percent: Of requests that are traced, 0 to 100.
        @param by_request_id: Whether their ids decide, and not chance alone.
        @param draw: Returns a number from 0 to 1, less than 1.
        """
        self._parts = round(percent * _PARTS / 100)
        self._by_request_id = by_request_id
        self._draw = draw

    def traced(self, request_id: bytes) -> bool:
        """Decide by a request's id, if a proxy before has not decided in it."""
        if not self._by_request_id:
            return self._draw() * _PARTS < self._parts
        if len(request_id) == 36 and request_id[_MARK] in _TRACED:
            return True
        number = _NUMBER.match(request_id)
        return number is not None and int(number[0], 16) % _PARTS < self._parts

    def marked(self, request_id: bytes, traced: bool, forced: bool = False) -> bytes:
        """
        Return a request's id with what was decided in it.

        @param forced: Whether its client wanted it to be traced.
        """
        if not self._by_request_id or len(request_id) != 36 or (not traced and request_id[_MARK] == _UNDECIDED):
            return request_id
        mark = (b"b" if forced else b"9") if traced else b"4"
        if traced and request_id[_MARK] in _TRACED:
            return request_id
        at = request_id[_MARK : _MARK + 1]
        return request_id if at == mark else b"%b%b%b" % (request_id[:_MARK], mark, request_id[_MARK + 1 :])
