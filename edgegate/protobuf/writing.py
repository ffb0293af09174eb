# Hot path: writes each span, and each check of a request.
"""Messages of protobuf as bytes (U{https://protobuf.dev/programming-guides/encoding/})."""

from __future__ import annotations

from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1
_LENGTH: Final = 2
_FIXED32: Final = 5

_SMALL: Final = [bytes((number,)) for number in range(128)]


def varint(number: int) -> bytes:
    """Return a number, not negative, 7 bits a byte."""
    if number < 128:
        return _SMALL[number]
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)


def number_field(field: int, number: int) -> bytes:
    """Return a field that is an enumeration or a number, not negative."""
    return varint(field << 3 | _VARINT) + varint(number)


def fixed64_field(field: int, number: int) -> bytes:
    """Return a field of 64 bits, without a sign."""
    return varint(field << 3 | _FIXED64) + number.to_bytes(8, "little")


def fixed32_field(field: int, number: int) -> bytes:
    """Return a field of 32 bits, without a sign."""
    return varint(field << 3 | _FIXED32) + number.to_bytes(4, "little")


def bytes_field(field: int, data: bytes) -> bytes:
    """Return a field that is bytes, or another message."""
    size = len(data)
    if size < 128 and field < 16:
        return b"%c%c%b" % (field << 3 | _LENGTH, size, data)
    return b"%b%b%b" % (varint(field << 3 | _LENGTH), varint(size), data)


def sanitized(value: bytes) -> bytes:
    """
    Return what may stand in a text: what is no UTF-8 is C{!} (Envoy's C{sanitizeUtf8String}).

    Who gets another one reads nothing of the message, and a client who has it fail may pass.
    """
    try:
        value.decode()
    except UnicodeDecodeError:
        return value.decode("utf-8", "replace").replace("\ufffd", "!").encode()
    return value


def text_field(field: int, text: str) -> bytes:
    """Return a field that is text; what no UTF-8 can say in it is escaped."""
    return bytes_field(field, text.encode("utf-8", "backslashreplace"))
