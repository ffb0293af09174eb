"""The third part: header blocks that can't be decoded. All of RFC 7541."""

from __future__ import annotations

from edgegate.http.h2.errors import COMPRESSION_ERROR
from edgegate.http.h2.frames import HEADER_TABLE_SIZE
from edgegate.http.h2.hpack import integer
from tests.acceptance.conformance.exchange import Case, case, connection_error
from tests.http.h2.messages import block, headers, request

_TEST = b"\x00\x85\xf2\xb2\x4a\x84\xff"
"""A field without a place in the table, whose name is C{x-test}."""


def cases(scheme: str) -> list[Case]:
    """Return the cases."""
    get = block(request(scheme))
    wrong = connection_error(COMPRESSION_ERROR)

    def behind(section: str, text: str, said: bytes) -> Case:
        return case(f"RFC 7541 {section}", text, headers(1, get + said), wrong)

    def table_too_large(its: dict[int, int]) -> bytes:
        return headers(1, integer(its.get(HEADER_TABLE_SIZE, 4096) + 1, 0x20, 5) + get)

    return [
        behind("2.3.3", "a field at a place that there is not", b"\xc6"),
        behind("2.3.3", "a name at a place that there is not", b"\x7f\x07\x00"),
        behind("4.2", "a size update behind fields", b"\x21"),
        behind("5.2", "more than 7 bits of padding", _TEST + b"\x84\x49\x50\x9f\xff"),
        behind("5.2", "padding of zeros", _TEST + b"\x83\x49\x50\x90"),
        behind("5.2", "the end of string inside", _TEST + b"\x87\xff\xff\xff\xfd\x25\x42\x7f"),
        behind("6.1", "place 0", b"\x80"),
        case("RFC 7541 6.3", "a table larger than was allowed", table_too_large, wrong),
    ]
