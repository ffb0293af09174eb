"""What becomes of heads, of requests and of responses, that are taken apart: they are spoiled and cut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

ODD = (
    b"\0",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b"\r\n\r\n",
    b"\x0b",
    b" ",
    b"  ",
    b"#",
    b"?",
    b"%",
    b":",
    b"/",
    b"_",
    b"0",
    b"A",
    b'"',
    b"(",
    b"@",
    b"\x7f",
    b"\x80",
    b"\x85",
    b"\xa0",
    b"\xff",
)
"""What heads are spoiled with, at every place."""


def spoiled(raw: bytes) -> Iterator[bytes]:
    """Return a head with something put in at each place, in place of a byte there, and with the byte taken out."""
    for at in range(len(raw) - 4):
        yield raw[:at] + raw[at + 1 :]
        for odd in ODD:
            yield raw[:at] + odd + raw[at:]
            yield raw[:at] + odd + raw[at + 1 :]


def cut(raw: bytes) -> Iterator[bytes]:
    """Return a head that is cut off at each byte, where its end then comes, and with the end of a line put in there."""
    for at in range(len(raw)):
        yield raw[:at] + b"\r\n\r\n"
        yield raw[:at] + b"\r\n" + raw[at:]


def any_three(test: Callable[[Any, bytes, bytes, bytes], None]) -> Callable[[Any], None]:
    """Have a test get any bytes, for three places of a head."""
    pieces = st.binary(max_size=40)
    return settings(max_examples=200, deadline=None)(given(pieces, pieces, pieces)(test))
