"""Tests of L{edgegate.observe.live.latencies}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.live.latencies import LAST, LEAST, milliseconds_of, quantiles, slot_of


class SlotTests(SynchronousTestCase):
    """Times and their slots."""

    @given(st.integers(LEAST, (1 << 26) - 1))
    def test_near(self, microseconds: int) -> None:
        """A slot's time is at most 3.2 % off."""
        found = milliseconds_of(slot_of(microseconds)) * 1000
        self.assertLessEqual(abs(found - microseconds), microseconds * 0.032)

    @given(st.integers(0, 1 << 28))
    def test_order(self, microseconds: int) -> None:
        """What takes longer is in no lower slot, and the next slot is the next number."""
        self.assertIn(slot_of(microseconds + 1) - slot_of(microseconds), (0, 1))

    def test_ends(self) -> None:
        """What is very short is in the first slot, what is very long in the last."""
        self.assertEqual([slot_of(each) for each in (0, LEAST - 1, LEAST, 1 << 26, 1 << 40)], [0, 0, 1, LAST, LAST])
        self.assertEqual((milliseconds_of(0), milliseconds_of(LAST)), (0.128, 67108.864))
        self.assertEqual(slot_of((1 << 26) - 1), LAST - 1)


class QuantileTests(SynchronousTestCase):
    """What is told of many."""

    def test_nothing(self) -> None:
        """Of nothing there is nothing to tell."""
        self.assertEqual(quantiles({}, (0.5, 0.99)), [None, None])

    @given(st.lists(st.integers(LEAST, 10_000_000), min_size=1, max_size=200))
    def test_exact(self, times: list[int]) -> None:
        """A quantile is the time that so many did not exceed, as near as slots are."""
        slots: dict[int, int] = {}
        for each in times:
            slots[slot_of(each)] = slots.get(slot_of(each), 0) + 1
        for share, found in zip((0.5, 0.95, 0.99), quantiles(slots, (0.5, 0.95, 0.99)), strict=True):
            place = max(0, -int(-share * len(times) // 1) - 1)
            exact = sorted(times)[place] / 1000
            assert found is not None
            self.assertLessEqual(abs(found - exact), exact * 0.032)
