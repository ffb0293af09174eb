# Hot path: each header block that its connection has not just sent passes here.
"""
HPACK (RFC 7541): the decoder of one connection, the encoding of fields, and the memory of whole blocks.

A field is a tuple that lives in the table, so one that is named by its place
makes no object. Names are checked once in a process, values when they come,
not when they are used again.

There is no encoder with a table: heads are encoded from static places and
literals, so that the block of a head is the same on all connections and can be
kept. It is longer than with a table, and costs less.
"""

from __future__ import annotations

import re
from typing import Any, Final, cast

from edgegate.http.fields import Field
from edgegate.http.h2.errors import COMPRESSION_ERROR, ConnectionFailed
from edgegate.http.h2.huffman import decoded

TABLE_BYTES: Final = 4096
"""Of the decoder's dynamic table: what a peer assumes that is told nothing (RFC 9113 section 6.5.2)."""

LIST_BYTES: Final = 16 * 1024
"""Of a list of fields, as RFC 9113 section 10.5.1 counts: names, values, and L{FIELD_BYTES} for each field."""

LIST_FIELDS: Final = 100

FIELD_BYTES: Final = 32

_STATIC: Final = (
    ":authority;:method=GET;:method=POST;:path=/;:path=/index.html;:scheme=http;:scheme=https;:status=200;:status=204;"
    ":status=206;:status=304;:status=400;:status=404;:status=500;accept-charset;accept-encoding=gzip, deflate;"
    "accept-language;accept-ranges;accept;access-control-allow-origin;age;allow;authorization;cache-control;"
    "content-disposition;content-encoding;content-language;content-length;content-location;content-range;content-type;"
    "cookie;date;etag;expect;expires;from;host;if-match;if-modified-since;if-none-match;if-range;if-unmodified-since;"
    "last-modified;link;location;max-forwards;proxy-authenticate;proxy-authorization;range;referer;refresh;retry-after;"
    "server;set-cookie;strict-transport-security;transfer-encoding;user-agent;vary;via;www-authenticate"
)

STATIC: Final[list[Field]] = [
    (b"", b""),
    *((name.encode(), value.encode()) for name, _, value in (each.partition("=") for each in _STATIC.split(";"))),
]
"""The static table (RFC 7541 appendix A); place 0 is never asked for."""

_NAME: Final = re.compile(rb":?[!#$%&'*+.^_`|~0-9a-z-]+")
"""RFC 9113 section 8.2.1, and a token of RFC 9110 section 5.1."""

_GOOD: Final = bytes((9, *range(32, 127), *range(128, 256)))
"""What may stand in a value: RFC 9113 section 8.2.1 leaves in controls that RFC 9110 section 5.5 does not."""

_known: Final[set[bytes]] = {name for name, _ in STATIC[1:]}
"""Names that were found good."""

_MOST_KNOWN: Final = 1024


def _good_name(name: bytes) -> bool:
    if not _NAME.fullmatch(name):
        return False
    if len(_known) < _MOST_KNOWN and len(name) <= 64:
        _known.add(name)
    return True


def _good_value(value: bytes) -> bool:
    """Whether it is a field's value: no controls, and no white space around it (RFC 9113 section 8.2.1)."""
    if not value:
        return True
    first, last = value[0], value[-1]
    # white space counts as good to translate(), which leaves nothing of a good value
    return first != 32 and last != 32 and first != 9 and last != 9 and not value.translate(None, _GOOD)


class Decoder:
    """
    Decode the blocks of one connection, in the order in which they come.

    @ivar changed: Whether the last block changed the table: then all others may mean something else.
    @ivar too_large: Whether the last block's list passed a limit. What is beyond it was decoded, so that the table
        stays right, and not kept.
    @ivar malformed: Whether there is a name or a value in the last block's list that may be in none.
    """

    __slots__ = ("_limit", "_list_bytes", "_pos", "_size", "_table", "_tainted", "changed", "malformed", "too_large")

    def __init__(self, list_bytes: int = LIST_BYTES) -> None:
        self._table: list[Field] = []  # the newest is the last
        self._size = 0
        self._limit = TABLE_BYTES
        self._pos = 0
        self._list_bytes = list_bytes
        self._tainted = False  # something malformed was put into the table: nobody sends that in earnest
        self.changed = self.too_large = self.malformed = False

    def decode(self, block: bytes) -> list[Field]:
        """
        Return the fields of a block.

        @raise ConnectionFailed: It can't be decoded, and neither can what comes after it.
        """
        # compiled, what is known for a tuple is made anew when it is put into a list
        fields: list[Any] = []
        static = cast("list[Any]", STATIC)
        self.changed = self.too_large = self.malformed = False
        self._pos = 0
        begun = False
        end = len(block)
        total = 0
        while self._pos < end:
            first = block[self._pos]
            if first >= 0x80:
                if first < 0xFF:
                    index = first & 0x7F
                    self._pos += 1
                else:
                    index = self._integer(block, 0x7F)
                field = static[index] if 0 < index <= 61 else self._entry(index)
            elif first & 0xE0 == 0x20:
                if begun:
                    raise ConnectionFailed(COMPRESSION_ERROR, "a size update behind a field")
                self._resize(self._integer(block, 0x1F))
                continue
            else:
                field = self._literal(block, first, end)
            begun = True
            name: bytes = field[0]
            value: bytes = field[1]
            total += len(name) + len(value) + FIELD_BYTES
            if total <= self._list_bytes and len(fields) < LIST_FIELDS:
                fields.append(field)
            else:
                self.too_large = True
        if self._tainted:
            self._check_all(fields)
        return fields

    def _literal(self, block: bytes, first: int, end: int) -> Any:
        """Return a field that is spelt out, and put it into the table where that is asked for."""
        adds = first >= 0x40
        index = self._integer(block, 0x3F if adds else 0x0F)
        good = True
        if index == 0:
            name = self._string(block, end)
            good = name in _known or _good_name(name)
        else:
            name = STATIC[index][0] if index <= 61 else self._entry(index)[0]
        value = self._string(block, end)
        if not good or not _good_value(value):
            self.malformed = True
            self._tainted = self._tainted or adds
        field: Any = (name, value)
        if adds:
            self.changed = True
            size = len(name) + len(value) + FIELD_BYTES
            self._evict(size)
            if size <= self._limit:
                cast("list[Any]", self._table).append(field)
                self._size += size
        return field

    def _entry(self, index: int) -> Any:
        """Return the field that stands at a place of the dynamic table, which begins behind the static one."""
        at = len(self._table) - index + 61
        if at < 0 or index == 0:
            raise ConnectionFailed(COMPRESSION_ERROR, "no such place in the table")
        return cast("list[Any]", self._table)[at]

    def _resize(self, limit: int) -> None:
        """RFC 7541 section 6.3."""
        if limit > TABLE_BYTES:
            raise ConnectionFailed(COMPRESSION_ERROR, "a table larger than was allowed")
        self._limit = limit
        self.changed = True
        self._evict(0)

    def _evict(self, room: int) -> None:
        """Make room; for more than there can be the table is emptied (RFC 7541 section 4.4)."""
        table, gone = self._table, 0
        while self._size + room > self._limit and gone < len(table):
            name, value = table[gone]
            self._size -= len(name) + len(value) + FIELD_BYTES
            gone += 1
        if gone:
            del table[:gone]

    def _check_all(self, fields: list[Field]) -> None:
        for name, value in fields:
            if not (name in _known or _good_name(name)) or not _good_value(value):
                self.malformed = True

    def _integer(self, block: bytes, mask: int) -> int:
        """RFC 7541 section 5.1: of at most four bytes behind its prefix, which is more than any that can be meant."""
        pos = self._pos
        value = block[pos] & mask
        pos += 1
        if value == mask:
            shift = 0
            while True:
                if pos >= len(block) or shift > 21:
                    raise ConnectionFailed(COMPRESSION_ERROR, "an integer too large or cut short")
                byte = block[pos]
                pos += 1
                value += (byte & 0x7F) << shift
                if byte < 0x80:
                    break
                shift += 7
        self._pos = pos
        return value

    def _string(self, block: bytes, end: int) -> bytes:
        if self._pos >= end:
            raise ConnectionFailed(COMPRESSION_ERROR, "a field cut short")
        packed = block[self._pos] >= 0x80
        length = self._integer(block, 0x7F)
        pos = self._pos
        if pos + length > end:
            raise ConnectionFailed(COMPRESSION_ERROR, "a field cut short")
        self._pos = pos + length
        data = block[pos : pos + length]
        return decoded(data) if packed and length else data


_REMEMBERED: Final = 16
_MEMORABLE: Final = 512


REMEMBERED_BY_ALL: Final = 8192
"""
Blocks that all connections remember together: what each means takes a few KiB, and who means harm has many connections.
"""


class RememberedBlocks:
    """
    Count what all connections of this process remember.

    @ivar blocks: How many.
    """

    __slots__ = ("blocks",)

    def __init__(self) -> None:
        self.blocks = 0


REMEMBERED: Final = RememberedBlocks()


class BlockMemory:
    """
    What the blocks meant that a connection sent lately, as long as its table stays as it is.

    A client asks mostly for the like, so the same bytes come again; a block that
    is known costs no decoding. Whether a message ends with its block belongs to
    what it means: its length follows from that. It holds at most 32 blocks of at
    most 512 bytes, which go with the connection, and none more where all
    connections hold L{REMEMBERED_BY_ALL}: theirs are decoded then.
    """

    __slots__ = ("_begun", "_whole")

    def __init__(self) -> None:
        self._whole: dict[bytes, object] = {}
        self._begun: dict[bytes, object] = {}

    def find(self, block: bytes, ends: bool) -> object | None:
        """Return what a block means, if it is remembered."""
        return self._whole.get(block) if ends else self._begun.get(block)

    def keep(self, block: bytes, ends: bool, head: object) -> None:
        """Remember what a block means that did not change the table."""
        if len(block) <= _MEMORABLE:
            heads = self._whole if ends else self._begun
            if len(heads) >= _REMEMBERED:
                REMEMBERED.blocks -= len(heads)
                heads.clear()
            if REMEMBERED.blocks < REMEMBERED_BY_ALL:
                REMEMBERED.blocks += block not in heads
                heads[block] = head

    def forget(self) -> None:
        """The table changed, or the connection ends."""
        if self._whole or self._begun:
            REMEMBERED.blocks -= len(self._whole) + len(self._begun)
            self._whole.clear()
            self._begun.clear()


# Writing --------------------------------------------------------------------------------------------------------------

EMPTY_TABLE: Final = b"\x20"
"""A size update to 0, which the next block begins with where the peer's table is smaller than ours was taken for."""

PLAIN: Final = 0x00
NEVER_INDEXED: Final = 0x10
"""Of a secret: nobody on the way may put it into a table (RFC 7541 section 7.1.3)."""

_PLACES: Final[dict[bytes, int]] = {name: at for at, (name, _) in reversed(list(enumerate(STATIC))) if at}
_WHOLE: Final[dict[Field, bytes]] = {field: bytes((0x80 | at,)) for at, field in enumerate(STATIC) if at and field[1]}
_SECRET: Final = frozenset((b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"))


def block_of(fields: list[Field]) -> bytes:
    """Return the block of a list of fields; secrets among them are marked as such."""
    return b"".join([literal(name, value, NEVER_INDEXED if name in _SECRET else PLAIN) for name, value in fields])


def literal(name: bytes, value: bytes, kind: int = PLAIN) -> bytes:
    """
    Return the encoding of a field that needs no dynamic table.

    @param name: In lower case.
    @param kind: L{PLAIN} or L{NEVER_INDEXED}.
    """
    whole = _WHOLE.get((name, value))
    if whole is not None and kind == PLAIN:
        return whole
    place = _PLACES.get(name, 0)
    size = len(value)
    begin = integer(place, kind, 4) if place else bytes((kind,)) + integer(len(name), 0, 7) + name
    return begin + (bytes((size,)) if size < 127 else integer(size, 0, 7)) + value


def integer(value: int, flags: int, bits: int) -> bytes:
    """Return the encoding of an integer behind a prefix of so many bits (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((flags | value,))
    out = [flags | most]
    value -= most
    while value >= 0x80:
        out.append(0x80 | (value & 0x7F))
        value >>= 7
    out.append(value)
    return bytes(out)
