# Hot path: every field line of a head of HTTP/1 that its connection has not just sent passes here.
"""
Field lines of HTTP/1 (RFC 9112 section 5) of the plain kind, in which nearly all come: bytes in, values out.

What is not plain is not looked at any further: L{FieldLines.read} returns
L{None}, and llhttp is to judge the whole head. So nothing is accepted here that
llhttp refuses, nor taken for anything else than it takes it for; where it may
be read in two ways, it is not plain.

The lines that come again and again, as those of browsers do whatever they ask
for and whoever sits before them, are remembered: then one look finds what a
line says.
"""

from __future__ import annotations

import re
from typing import Final

from edgegate.http.fields import (
    CONNECTION,
    CONTENT_LENGTH,
    EXPECT,
    GRPC_STATUS,
    REJECT,
    TE,
    TRANSFER_ENCODING,
    UPGRADE,
    Field,
    Role,
    Roles,
)
from edgegate.http.head_cache import may_be_secret

REMEMBERED: Final = 1 << 18
"""Bytes that the lines that are remembered may need, with all that was made of them."""

MEMORABLE: Final = 256
"""Bytes of a line that is remembered."""

_EACH: Final = 400
"""Bytes that the values of a line need, beside those of its letters."""

_MARKS: Final = 1024
"""Lines that came once and may come again."""

_NAMES: Final = 256
"""How many names are remembered."""

_LONGEST_NAME: Final = 64


class FieldLine:
    """
    What a line says; never changed.

    @ivar field: Its name in lower case, and its value.
    @ivar role: What it is for the gateway.
    @ivar sent: The line as it is sent on, with its CRLF.
    """

    __slots__ = ("field", "role", "sent")

    def __init__(self, field: Field, role: Role, sent: bytes) -> None:
        self.field: Final = field
        self.role: Final = role
        self.sent: Final = sent


class FieldLines:
    """
    Read lines, and remember those that come more than once.

    @ivar known: Those that are remembered, to look at before calling L{read}.
    """

    __slots__ = ("_names", "_once", "_roles", "_size", "known")

    def __init__(self, roles: Roles) -> None:
        self.known: dict[bytes, FieldLine] = {}
        self._roles = roles
        self._names: dict[bytes, tuple[bytes, Role, bool]] = {}
        self._once: set[int] = set()
        self._size = 0

    def read(self, line: bytes) -> FieldLine | None:
        """
        Return what a line says that is not remembered; L{None}: it is not plain.

        @param line: Without its CRLF.
        """
        colon = line.find(b":")
        size = len(line)
        # one space before the value, as everybody sends, and none behind it
        if colon <= 0 or size < colon + 3 or line[colon + 1] != _SPACE or line[size - 1] == _SPACE:
            return None
        if line[colon + 2] == _SPACE or line.translate(None, _VISIBLE):
            return None
        name = line[:colon]
        lower, role, secret = self._names.get(name) or self._name(name)
        value = line[colon + 2 :]
        if role == _ODD:
            return None
        if role and role in _VALUES and _VALUES[role].fullmatch(value) is None:
            return None
        found = FieldLine((lower, value), role, lower + line[colon:] + b"\r\n")
        if not secret:
            self._came(line, found)
        return found

    def _name(self, name: bytes) -> tuple[bytes, Role, bool]:
        """
        Return a name in lower case, its role, and whether its values may be secrets.

        The role is L{_ODD} where llhttp has to see its line.
        """
        lower, role = name, _ODD
        if not name.translate(None, _TOKEN):
            lower, role = self._roles.of(name)
        if role in _JUDGED or lower in _JUDGED_NAMES:
            role = _ODD
        known = lower, role, may_be_secret(lower)
        if len(self._names) < _NAMES and len(name) <= _LONGEST_NAME:
            self._names[name] = known
        return known

    def _came(self, line: bytes, found: FieldLine) -> None:
        """Remember a line that comes for the second time; the others are forgotten where there are too many."""
        if len(line) > MEMORABLE:
            return
        mark, once = hash(line), self._once
        if mark not in once:
            if len(once) >= _MARKS:
                once.clear()
            once.add(mark)
        else:
            # its letters are there three times: as they came, in the field and as they are sent on
            self._size += 3 * len(line) + _EACH
            if self._size > REMEMBERED:
                self.known.clear()
                self._size = 3 * len(line) + _EACH
            self.known[line] = found


def is_plain(text: bytes) -> bool:
    """Whether all bytes are visible ASCII or spaces: nothing that controls anything, nothing that has two meanings."""
    return not text.translate(None, _VISIBLE)


_SPACE: Final = 32

_VISIBLE: Final = bytes(range(32, 127))

_ODD: Final = -1
"""The role of a name whose lines llhttp has to see."""

_JUDGED: Final = frozenset((TRANSFER_ENCODING, UPGRADE, TE, EXPECT, REJECT, GRPC_STATUS))
"""Roles of fields that say how a message is framed, or that are seldom."""

_JUDGED_NAMES: Final = frozenset((b"proxy-connection", b"close"))
"""A name that llhttp takes for C{Connection}, and one that passes unless C{Connection} names it."""

_VALUES: Final[dict[Role, re.Pattern[bytes]]] = {
    CONNECTION: re.compile(rb"keep-alive|close|Keep-Alive"),
    CONTENT_LENGTH: re.compile(rb"[0-9]{1,18}"),
}
"""The values of some roles that are plain."""

_TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
