# Hot path: reads the answer to each check of a request.
"""
Bytes as the fields of a message of protobuf (U{https://protobuf.dev/programming-guides/encoding/}).

What a field is only who asks for it knows; one that is written in another way than it should be is passed over like one
that nobody knows.
"""

from __future__ import annotations

from typing import Final

Fields = dict[int, "list[int | bytes]"]
"""The values of a message's fields by their numbers, in their order: numbers, or bytes of whatever kind."""

_LONGEST_VARINT: Final = 10


class MalformedMessage(ValueError):
    """The bytes are no message."""


def read(message: bytes) -> Fields:
    """
    Return the fields of a message.

    @raise MalformedMessage: It is none, or has groups, which nobody writes any more.
    """
    found: Fields = {}
    position, size = 0, len(message)
    while position < size:
        tag, position = _varint(message, position)
        field, kind = tag >> 3, tag & 7
        value: int | bytes
        if kind == 0:
            value, position = _varint(message, position)
        else:
            if kind == 2:
                length, position = _varint(message, position)
            elif kind == 1:
                length = 8
            elif kind == 5:
                length = 4
            else:
                raise MalformedMessage(f"field {field} is of kind {kind}")
            end = position + length
            if end > size:
                raise MalformedMessage(f"field {field} is cut short")
            value = message[position:end]
            if kind != 2:
                value = int.from_bytes(value, "little")
            position = end
        if not field:
            raise MalformedMessage("a field has no number")
        values = found.get(field)
        if values is None:
            found[field] = [value]
        else:
            values.append(value)
    return found


def number_of(fields: Fields, field: int) -> int:
    """Return the number that a field is: the last, 0 where there is none."""
    found = 0
    for value in fields.get(field, ()):
        if isinstance(value, int):
            found = value
    return found


def signed_of(fields: Fields, field: int) -> int:
    """Return the number that a field of 32 bits with a sign is, an enumeration too; 0 where there is none."""
    number = number_of(fields, field) & 0xFFFFFFFF
    return number - (1 << 32) if number >> 31 else number


def bytes_of(fields: Fields, field: int) -> bytes:
    """Return the bytes, or the text in UTF-8, that a field is: the last; empty where there is none."""
    found = b""
    for value in fields.get(field, ()):
        if isinstance(value, bytes):
            found = value
    return found


def all_of(fields: Fields, field: int) -> list[bytes]:
    """Return all that a field has which may stand more than once: texts, bytes or messages."""
    return [value for value in fields.get(field, ()) if isinstance(value, bytes)]


def message_of(fields: Fields, field: int) -> Fields | None:
    """
    Return the message that a field is; L{None}: it is not there. One that is there twice is both in one.

    @raise MalformedMessage: It is none.
    """
    found = all_of(fields, field)
    return read(b"".join(found)) if found else None


def _varint(message: bytes, position: int) -> tuple[int, int]:
    """Return the number that begins at a position, and where it ends."""
    found = shift = 0
    end = min(len(message), position + _LONGEST_VARINT)
    while position < end:
        byte = message[position]
        position += 1
        found |= (byte & 0x7F) << shift
        if byte < 0x80:
            return found & 0xFFFFFFFFFFFFFFFF, position
        shift += 7
    raise MalformedMessage("a number does not end")
