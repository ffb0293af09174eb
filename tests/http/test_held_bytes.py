"""Tests of L{edgegate.http.held_bytes}."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.held_bytes import HeldBytes, Holder


class Held(Holder):
    """Holds something, and notes that it was given up."""

    def __init__(self, name: str, given_up: list[str]) -> None:
        super().__init__()
        self._name = name
        self._given_up = given_up

    def overflow(self) -> None:
        """It is released by who keeps the count, as one whose end failed is."""
        self._given_up.append(self._name)


class HeldBytesTests(SynchronousTestCase):
    """The count, whoever holds the bytes."""

    def setUp(self) -> None:
        """Hold at most 10,000 bytes."""
        self.count = HeldBytes(10_000)
        self.given_up: list[str] = []

    def held(self, name: str) -> Held:
        """Make one who holds something."""
        return Held(name, self.given_up)

    def test_largest_first(self) -> None:
        """Past the bound the largest are given up, until the rest fits; the others are kept."""
        sizes = {"a": 3000, "b": 100, "c": 6000, "d": 500}
        kept = {name: self.held(name) for name in sizes}
        for name, size in sizes.items():
            self.count.hold(kept[name], size)
        self.assertEqual((self.given_up, self.count.total), ([], 9600))
        self.count.hold(kept["d"], 1000)
        self.assertEqual((self.given_up, self.count.total), (["c"], 4100))
        self.count.hold(kept["b"], 7000)
        self.assertEqual((self.given_up, self.count.total), (["c", "b"], 4000))
        self.assertEqual([kept[name].held for name in sizes], [3000, 0, 0, 1000])

    def test_one_alone(self) -> None:
        """One that is too large by itself is given up itself."""
        self.count.hold(self.held("a"), 10_001)
        self.assertEqual((self.given_up, self.count.total), (["a"], 0))

    def test_broken(self) -> None:
        """One that can't be given up in order is not counted any more, and harms nobody."""

        class Broken(Holder):
            def overflow(self) -> None:
                raise RuntimeError("broken")

        self.count.hold(Broken(), 9000)
        self.count.hold(self.held("a"), 2000)
        self.assertEqual((self.given_up, self.count.total), ([], 2000))
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 1)

    @given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 9000)), max_size=60))
    def test_any_order(self, steps: list[tuple[int, int]]) -> None:
        """Whatever grows and is released, the count is that of what is held, and never above the bound."""
        count, kept = HeldBytes(10_000), [self.held(str(number)) for number in range(6)]
        for number, size in steps:
            if size:
                count.hold(kept[number], size)
            elif kept[number].held:
                count.release(kept[number])
            self.assertEqual(count.total, sum(each.held for each in kept))
            self.assertLessEqual(count.total, 10_000)
