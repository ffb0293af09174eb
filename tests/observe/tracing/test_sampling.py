"""Tests of L{edgegate.observe.tracing.sampling}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.forwarded import request_id
from edgegate.observe.tracing.sampling import Sampler


def numbered(number: int, mark: bytes = b"4") -> bytes:
    """Return a request's id by its number."""
    return b"%08x-0000-%b000-8000-000000000000" % (number, mark)


class SamplerTests(SynchronousTestCase):
    """Which requests are traced."""

    def test_by_request_id(self) -> None:
        """The number in the id decides, modulo 10,000: all gateways come to the same."""
        sampler = Sampler(1.5)
        traced = [
            number
            for number in (0, 149, 150, 9999, 10_000, 10_149, 10_150, 0xFFFFFFFF)
            if sampler.traced(numbered(number))
        ]
        self.assertEqual(traced, [0, 149, 10_000, 10_149])

    def test_shares(self) -> None:
        """None and all are none and all; a share of made ids is about that share."""
        ids = [request_id() for _ in range(20_000)]
        counts = [sum(map(Sampler(percent).traced, ids)) for percent in (0, 10, 100)]
        self.assertEqual((counts[0], counts[2]), (0, 20_000))
        self.assertTrue(1_600 < counts[1] < 2_400, counts)

    def test_marks(self) -> None:
        """The character 14 of the id says how it was decided, and what a proxy before has decided counts."""
        sampler = Sampler(0)
        self.assertEqual(
            [sampler.traced(numbered(1, mark)) for mark in (b"4", b"9", b"a", b"b")], [False, True, True, True]
        )
        self.assertEqual(sampler.marked(numbered(1), True), numbered(1, b"9"))
        self.assertEqual(sampler.marked(numbered(1), True, forced=True), numbered(1, b"b"))
        self.assertEqual(sampler.marked(numbered(1), False), numbered(1))
        self.assertEqual(sampler.marked(numbered(1, b"a"), True), numbered(1, b"a"))
        self.assertEqual(sampler.marked(numbered(1, b"9"), False), numbered(1))

    def test_other_ids(self) -> None:
        """An id that has no number is not traced, nor changed."""
        sampler = Sampler(99.9)
        for given in (b"", b"x", b"0x000000-not-a-number", b"+0000000"):
            self.assertEqual((sampler.traced(given), sampler.marked(given, True)), (False, given))

    def test_by_chance(self) -> None:
        """Without ids chance decides, and they stay as they are."""
        sampler = Sampler(50, by_request_id=False, draw=iter([0.0, 0.499, 0.5, 0.999]).__next__)
        self.assertEqual([sampler.traced(numbered(1, b"9")) for _ in range(4)], [True, True, False, False])
        self.assertEqual(sampler.marked(numbered(1), True), numbered(1))
