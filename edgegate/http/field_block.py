# Hot path: written into each message.
"""
Fields that the gateway itself puts into messages: values that every version of HTTP writes in its own way.

What a version writes for them is made once and kept, so that it costs nothing to say the same thing often.
"""

from __future__ import annotations

from typing import Final

from edgegate.http.fields import Field


class FieldBlock:
    """
    Fields that stand together in a message; never changed.

    Each version of HTTP has a slot of its own for what it writes.

    @ivar fields: Names in lower case, in their order; nothing in them could end a line.
    @ivar h1: Their lines, each with its CRLF (RFC 9112 section 5).
    @ivar h2: Their block (RFC 7541), once that was made; else empty.
    """

    __slots__ = ("fields", "h1", "h2")

    def __init__(self, *fields: Field) -> None:
        self.fields: Final = fields
        self.h1: Final = b"".join([b"%b: %b\r\n" % field for field in fields])
        self.h2 = b""

    def __repr__(self) -> str:
        return f"<FieldBlock {self.h1!r}>"


def fields_in(blocks: tuple[FieldBlock, ...]) -> list[Field]:
    """Return all fields of some blocks."""
    return [field for block in blocks for field in block.fields]
