# Hot path: every head of a backend's response that is not the one before it passes here.
"""
Heads of HTTP/1.1 responses of the plain kind, in which nearly all come: bytes in, values out.

Plain is the head of a final response that tells the length of its body, every
line of it plain (L{edgegate.http.h1.field_lines}). All others are llhttp's.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.fields import CONNECTION, CONTENT_LENGTH, DATE, RESPONSE_ROLES, Field
from edgegate.http.h1.field_lines import FieldLines, is_plain
from edgegate.http.response import ResponseHead

_VERSION: Final = b"HTTP/1.1 "

_STATUSES: Final = 64
"""How many status lines are remembered."""

_BODILESS: Final = frozenset((204, 304))
"""Statuses whose responses have no body, whatever length they tell."""


class PlainResponses:
    """Read heads of responses, of whatever connections, and remember their lines."""

    __slots__ = ("_lines", "_statuses")

    def __init__(self) -> None:
        self._lines = FieldLines(RESPONSE_ROLES)
        self._statuses: dict[bytes, tuple[int, bytes]] = {}

    def read(self, raw: bytes, most_fields: int) -> ResponseHead | None:
        """
        Return what a head says that is plain; L{None}: it is not, and llhttp is to judge.

        @param raw: All of it, the empty line included, and nothing else.
        @param most_fields: That one may have.
        """
        lines = raw.split(b"\r\n")
        first = lines[0]
        said = self._statuses.get(first) or self._status(first)
        if said is None or len(lines) - 3 > most_fields or lines.pop() or lines.pop():
            return None
        fields: list[Field] = []
        sent: list[bytes] = []
        connection = length = b""
        dated = False
        known = self._lines.known
        for line in lines[1:]:
            found = known.get(line) or self._lines.read(line)
            if found is None:
                return None
            role = found.role
            if not role or role == DATE:
                fields.append(found.field)
                sent.append(found.sent)
                dated = dated or role == DATE
            elif role == CONTENT_LENGTH:
                if length:
                    return None
                length = found.field[1]
            elif role == CONNECTION:
                if connection:
                    return None
                connection = found.field[1]
        if not length:
            return None
        head = ResponseHead(said[0], said[1], fields, int(length))
        head.keep = connection != b"close"
        head.dated = dated
        head.lines = sent
        return head

    def _status(self, line: bytes) -> tuple[int, bytes] | None:
        """Return what a status line says (RFC 9112 section 4); L{None}: it is not plain, or not of a final response."""
        digits = line[9:12]
        if line[:9] != _VERSION or not digits.isdigit() or line[12:13] != b" " or not is_plain(line):
            return None
        status = int(digits)
        if not 200 <= status <= 599 or status in _BODILESS:
            return None
        said = status, line[13:]
        if len(self._statuses) < _STATUSES and len(line) <= 64:
            self._statuses[line] = said
        return said


PLAIN: Final = PlainResponses()
"""Those of this process."""
