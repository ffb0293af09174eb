"""
Values as bytes: what thousands of documents say is kept so until it is looked at.

As dicts and lists it would take ten times the memory.
"""

from __future__ import annotations

from typing import Any

import msgspec

_ENCODER = msgspec.msgpack.Encoder()


def pack(value: Any) -> bytes:
    """
    Return a value of dicts, lists, tuples and scalars as bytes (MessagePack), which msgspec decodes.

    @raise OverflowError: There is a number of more than 64 bits in it.
    """
    # Encoder.encode() returns bytes that hold on to half as much memory again
    packed = bytearray()
    _ENCODER.encode_into(value, packed)
    return bytes(packed)


def unpack(packed: bytes) -> Any:
    """Return what was packed; tuples have become lists."""
    return msgspec.msgpack.decode(packed)
