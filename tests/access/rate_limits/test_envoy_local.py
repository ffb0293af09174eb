"""Tests of L{edgegate.access.rate_limits.envoy_local}."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.descriptors import Descriptor
from edgegate.access.rate_limits.envoy_local import LocalCounter
from edgegate.model.guards.envoy_rate_limits import LocalDescriptor, LocalLimit, TokenBucket
from tests.access.rate_limits.test_buckets import buckets

NOW = 1000.0
USER: Descriptor = ((b"user", b"a"),)
OTHER: Descriptor = ((b"user", b"b"),)


class LocalCounterTests(SynchronousTestCase):
    """One configuration of the filter."""

    def setUp(self) -> None:
        self.buckets = buckets()

    def passed(
        self, counter: LocalCounter, times: int, descriptors: Sequence[Descriptor] = (), connection: bytes = b""
    ) -> int:
        """Return how many pass."""
        told = [counter.take(descriptors, connection, NOW) for _ in range(times)]
        return sum(each is None or each.passes for each in told)

    def counter(self, limit: LocalLimit, scope: str = "ns/name") -> LocalCounter:
        """Make one."""
        return LocalCounter(limit, scope, self.buckets)

    def test_default(self) -> None:
        """A bucket is full at first, and fills continuously: 4 in 60 s are one in 15."""
        counter = self.counter(LocalLimit("p", TokenBucket(4, 15.0)))
        told = [counter.take((), b"", NOW) for _ in range(5)]
        self.assertEqual(
            [each and (each.passes, each.left) for each in told],
            [(True, 3), (True, 2), (True, 1), (True, 0), (False, 0)],
        )
        last = told[-1]
        assert last is not None
        self.assertEqual([each and round(each.reset) for each in told], [0, 0, 0, 15, 15])
        self.assertEqual(last.most, 4)
        later = counter.take((), b"", NOW + 15.0)
        assert later is not None
        self.assertTrue(later.passes)

    def test_nothing(self) -> None:
        """Without a bucket nothing is limited."""
        self.assertIsNone(self.counter(LocalLimit("p")).take([USER], b"", NOW))

    def test_descriptors(self) -> None:
        """A descriptor has its own bucket; the default one is asked as well, unless it says otherwise."""
        described = LocalDescriptor((("user", "a"),), TokenBucket(2, 60.0))
        both = LocalLimit("p", TokenBucket(3, 60.0), descriptors=(described,))
        counter = self.counter(both)
        self.assertEqual(self.passed(counter, 5, [USER]), 2)
        self.assertEqual(self.passed(counter, 5, [OTHER]), 1, "the default has one left")
        alone = LocalLimit("q", TokenBucket(3, 60.0), descriptors=(described,), always_default=False)
        counter = self.counter(alone)
        self.assertEqual(self.passed(counter, 5, [USER]), 2)
        self.assertEqual(self.passed(counter, 5, [OTHER]), 3)

    def test_fits(self) -> None:
        """All entries are equal, in their order."""
        described = LocalDescriptor((("a", "1"), ("b", "2")), TokenBucket(1, 60.0))
        counter = self.counter(LocalLimit("p", descriptors=(described,)))
        for descriptor in (((b"a", b"1"),), ((b"b", b"2"), (b"a", b"1")), ((b"a", b"1"), (b"b", b"3"))):
            self.assertEqual(self.passed(counter, 2, [descriptor]), 2)
        self.assertEqual(self.passed(counter, 2, [((b"a", b"1"), (b"b", b"2"))]), 1)

    def test_any_value(self) -> None:
        """An empty value is any, and each has a bucket of its own."""
        counter = self.counter(LocalLimit("p", descriptors=(LocalDescriptor((("user", ""),), TokenBucket(1, 60.0)),)))
        self.assertEqual([self.passed(counter, 2, [each]) for each in (USER, OTHER)], [1, 1])

    def test_slowest_first(self) -> None:
        """Where a slow one refuses, a quicker one loses nothing."""
        quick = LocalDescriptor((("user", "a"),), TokenBucket(5, 1.0))
        slow = LocalDescriptor((("user", ""),), TokenBucket(1, 60.0))
        counter = self.counter(LocalLimit("p", descriptors=(quick, slow)))
        self.assertEqual(self.passed(counter, 4, [USER]), 1)
        quick_alone = self.counter(LocalLimit("p", descriptors=(quick,)))
        told = quick_alone.take([USER], b"", NOW)
        assert told is not None
        self.assertEqual(told.left, 3)

    def test_connections(self) -> None:
        """Connections may have buckets of their own."""
        counter = self.counter(LocalLimit("p", TokenBucket(1, 60.0), per_connection=True))
        self.assertEqual([self.passed(counter, 2, (), connection) for connection in (b"1", b"2")], [1, 1])

    def test_same_again(self) -> None:
        """One that is read again goes on where it was; another filter's begins anew."""
        limit = LocalLimit("p", TokenBucket(2, 60.0))
        self.assertEqual(self.passed(self.counter(limit), 5), 2)
        self.assertEqual(self.passed(self.counter(LocalLimit("p", TokenBucket(2, 60.0), status=503)), 5), 0)
        self.assertEqual(self.passed(self.counter(limit, "ns/other"), 5), 2)
