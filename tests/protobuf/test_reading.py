"""Tests of L{edgegate.protobuf.reading}, by what others write."""

from __future__ import annotations

from google.protobuf.timestamp_pb2 import Timestamp
from google.protobuf.type_pb2 import Field, Type
from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.protobuf.reading import (
    MalformedMessage,
    all_of,
    bytes_of,
    message_of,
    number_of,
    read,
    signed_of,
)
from edgegate.protobuf.writing import bytes_field, fixed32_field, fixed64_field, number_field, text_field
from tests.protobuf.envoy import AUTH, message_class

WRITTEN = Type(
    name="shop",
    fields=[Field(number=-5, name="a"), Field(number=1 << 30, name="\u00e4", packed=True)],
    oneofs=["x", "y"],
).SerializeToString()


class ReadingTests(SynchronousTestCase):
    """Messages."""

    def test_message(self) -> None:
        """Texts, numbers, lists and messages are found by their numbers."""
        found = read(WRITTEN)
        self.assertEqual(bytes_of(found, 1), b"shop")
        self.assertEqual(all_of(found, 3), [b"x", b"y"])
        first, second = map(read, all_of(found, 2))
        self.assertEqual((signed_of(first, 3), bytes_of(first, 4)), (-5, b"a"))
        self.assertEqual((signed_of(second, 3), bytes_of(second, 4).decode()), (1 << 30, "\u00e4"))
        self.assertEqual((number_of(second, 8), number_of(first, 8)), (1, 0))

    def test_absent(self) -> None:
        """What is not there is 0 or empty, or no message."""
        found = read(b"")
        self.assertEqual((number_of(found, 1), bytes_of(found, 1), all_of(found, 1)), (0, b"", []))
        self.assertIsNone(message_of(found, 1))

    def test_other_kind(self) -> None:
        """A field of another kind than it should be is none that is known."""
        found = read(number_field(1, 7) + bytes_field(2, b"x") + fixed32_field(3, 9) + fixed64_field(4, 10))
        self.assertEqual((bytes_of(found, 1), number_of(found, 2)), (b"", 0))
        self.assertEqual((number_of(found, 3), number_of(found, 4)), (9, 10))

    def test_twice(self) -> None:
        """Of a value that is there twice the last counts; messages become one (so the specification)."""
        found = read(number_field(1, 7) + number_field(1, 8) + text_field(2, "a") + text_field(2, "b"))
        self.assertEqual((number_of(found, 1), bytes_of(found, 2)), (8, b"b"))
        twice = bytes_field(1, number_field(1, 5)) + bytes_field(1, number_field(2, 6))
        inner = message_of(read(twice), 1)
        assert inner is not None
        self.assertEqual((number_of(inner, 1), number_of(inner, 2)), (5, 6))

    def test_malformed(self) -> None:
        """What is cut short, has groups, or no number is no message."""
        for message in (
            *(WRITTEN[:-1], b"\x80", b"\x0a", b"\x0a\x05abcd", b"\x09" + b"\0" * 7, b"\x0d\0\0\0", b"\x0b\x0c"),
            *(b"\x0e", b"\x00\x00", b"\x08" + b"\xff" * 10 + b"\x01", b"\x0a" + b"\xff" * 9 + b"\x01"),
        ):
            self.assertRaises(MalformedMessage, read, message)

    @given(st.binary(max_size=64))
    def test_any_bytes(self, data: bytes) -> None:
        """Whatever comes is a message or is not, and nothing else happens."""
        try:
            found = read(data)
        except MalformedMessage:
            return
        for field in found:
            number_of(found, field), signed_of(found, field), bytes_of(found, field), all_of(found, field)

    @given(st.integers(-(2**62), 2**62), st.integers(0, 999_999_999))
    def test_numbers(self, seconds: int, nanos: int) -> None:
        """Numbers are read as they were, negative ones as the 64 bits that they are."""
        found = read(Timestamp(seconds=seconds, nanos=nanos).SerializeToString())
        self.assertEqual((number_of(found, 1), number_of(found, 2)), (seconds % 2**64, nanos))


class EnvoyTests(SynchronousTestCase):
    """The oracle itself."""

    def test_messages(self) -> None:
        """Envoy's messages are at hand, with their numbers."""
        request = message_class(f"{AUTH}.CheckRequest")()
        request.attributes.request.http.method = "GET"
        http = message_of(message_of(message_of(read(request.SerializeToString()), 1) or {}, 4) or {}, 2)
        assert http is not None
        self.assertEqual(bytes_of(http, 2), b"GET")
