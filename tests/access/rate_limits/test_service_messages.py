"""Tests of L{edgegate.access.rate_limits.service_messages}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.service_messages import Quota, answer, question, quota_fields
from edgegate.protobuf.reading import all_of, bytes_of, number_of, read
from edgegate.protobuf.writing import bytes_field, number_field


def status(requests: int, unit: int, left: int, reset: int, name: bytes = b"") -> bytes:
    """Write a C{DescriptorStatus}."""
    limit = number_field(1, requests) + number_field(2, unit) + (bytes_field(3, name) if name else b"")
    return number_field(1, 1) + bytes_field(2, limit) + number_field(3, left) + bytes_field(4, number_field(1, reset))


def _is_text(value: bytes) -> bool:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


class MessageTests(SynchronousTestCase):
    """What is asked and answered."""

    def test_question(self) -> None:
        """Domain, descriptors and how many hits."""
        fields = read(question("shop", [((b"PATH", b"/a"), (b"k", b"")), ((b"k", b"\xff"),)]))
        self.assertEqual((bytes_of(fields, 1), number_of(fields, 3)), (b"shop", 1))
        described = [[read(entry) for entry in all_of(read(each), 1)] for each in all_of(fields, 2)]
        entries = [[(bytes_of(entry, 1), bytes_of(entry, 2)) for entry in each] for each in described]
        self.assertEqual(entries, [[(b"PATH", b"/a"), (b"k", b"")], [(b"k", b"!")]])

    @given(st.binary(max_size=20))
    def test_texts(self, value: bytes) -> None:
        """Whatever a client says, a service can read the question: what is no UTF-8 is no string of protobuf."""
        (descriptor,) = all_of(read(question("shop", [((b"k", value),)])), 2)
        (entry,) = all_of(read(descriptor), 1)
        found = bytes_of(read(entry), 2).decode("utf-8")
        self.assertEqual(found.encode() == value, _is_text(value))

    def test_answer(self) -> None:
        """Yes or no, how limits stand, and what is added."""
        header = bytes_field(1, b"X-A") + bytes_field(2, b"b")
        found = answer(
            number_field(1, 2)
            + bytes_field(2, status(10, 2, 0, 30, b"per-ip"))
            + bytes_field(2, number_field(1, 1))
            + bytes_field(3, header)
            + bytes_field(4, header)
            + bytes_field(5, b"slow down")
        )
        self.assertTrue(found.over)
        self.assertEqual((found.response_fields, found.request_fields), ([(b"x-a", b"b")], [(b"x-a", b"b")]))
        self.assertEqual(found.body, b"slow down")
        (quota,) = found.quotas
        self.assertEqual((quota.requests, quota.window, quota.left, quota.reset), (10, 60, 0, 30))
        self.assertFalse(answer(number_field(1, 1)).over)

    @given(st.binary(max_size=200))
    def test_anything(self, message: bytes) -> None:
        """What is no answer is a ValueError, and nothing else: one that says neither yes nor no, too."""
        try:
            answer(message)
        except ValueError:
            pass
        self.assertRaises(ValueError, answer, number_field(1, 7))
        self.assertRaises(ValueError, answer, b"")

    def test_fields(self) -> None:
        """The limit with least left is first, and then all."""
        quotas = [Quota(1000, 3600, b"", 900, 1800), Quota(10, 1, b"per-ip", 9, 1)]
        self.assertEqual(
            quota_fields(quotas),
            [
                (b"x-ratelimit-limit", b'10, 1000;w=3600, 10;w=1;name="per-ip"'),
                (b"x-ratelimit-remaining", b"9"),
                (b"x-ratelimit-reset", b"1"),
            ],
        )
        self.assertEqual(quota_fields([]), [])
