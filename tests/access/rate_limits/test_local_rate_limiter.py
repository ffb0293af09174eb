"""Tests of L{edgegate.access.rate_limits.local_rate_limiter}."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.rate_limits.local_rate_limiter import LocalJudgement, LocalRateLimiter, LocalVerdict
from edgegate.model.rate_limit_actions import Descriptor, DescriptorBucket, LocalRateLimit, TokenBucket
from tests.access.rate_limits.test_buckets import buckets

FOUR = TokenBucket(4, 4, 60.0)
ALWAYS = LocalRateLimit("vhost a:80", FOUR, enabled=1.0, enforced=1.0)
PRODUCT: Descriptor = ((b"PATH", b"/productpage"),)


class LocalRateLimiterTests(SynchronousTestCase):
    """Requests, by Envoy's rules."""

    def setUp(self) -> None:
        self.now = 1000.0
        self.draws: list[float] = []
        self.use(ALWAYS)

    def use(self, rule: LocalRateLimit) -> None:
        """Judge by a configuration from now on, with full buckets."""
        self.limiter = LocalRateLimiter(rule, buckets(places=4096))

    def judge(self, *descriptors: Descriptor, connection: bytes = b"1") -> LocalJudgement:
        """Judge a request."""
        return self.limiter.judge(descriptors, connection, lambda: self.draws.pop(0), self.now)

    def passed(self, *descriptors: Descriptor, times: int = 10) -> int:
        """Return how many requests pass."""
        return sum(self.judge(*descriptors).verdict is LocalVerdict.OK for _ in range(times))

    def test_fills(self) -> None:
        """Four at once, and then one each 15 seconds: the bucket fills all the time (since Envoy 1.31)."""
        self.assertEqual(self.passed(), 4)
        self.now += 14.9
        self.assertEqual(self.passed(), 0)
        self.now += 0.1
        self.assertEqual(self.passed(), 1)

    def test_headers(self) -> None:
        """What is left, and when there is one more."""
        found = self.judge()
        self.assertEqual((found.most, found.left, round(found.reset)), (4, 3, 15))
        for _ in range(4):
            found = self.judge()
        self.assertEqual((found.verdict, found.left, round(found.reset)), (LocalVerdict.ENFORCED, 0, 15))

    def test_shares(self) -> None:
        """Without shares nothing is limited; some may be looked at, and of those some refused."""
        self.use(LocalRateLimit("x", TokenBucket(1, 1, 60.0)))
        self.draws = [0.0]
        self.assertIs(self.judge().verdict, LocalVerdict.OFF)
        self.use(LocalRateLimit("x", TokenBucket(1, 1, 60.0), enabled=0.5, enforced=0.25))
        self.draws = [0.6, 0.4, 0.4, 0.3, 0.4, 0.2]
        found = [self.judge().verdict for _ in range(4)]
        wanted = [LocalVerdict.OFF, LocalVerdict.OK, LocalVerdict.NOT_ENFORCED, LocalVerdict.ENFORCED]
        self.assertEqual(found, wanted)

    def test_descriptors(self) -> None:
        """A descriptor that fits has its bucket, and the one of all is taken from as well."""
        two = DescriptorBucket(PRODUCT, TokenBucket(2, 2, 60.0))
        self.use(replace(ALWAYS, descriptors=(two,)))
        self.assertEqual(self.passed(PRODUCT), 2)
        self.assertEqual(self.passed(((b"PATH", b"/other"),)), 2, "what was refused took nothing of the bucket of all")
        self.use(replace(ALWAYS, descriptors=(two,), always_default=False))
        self.assertEqual(self.passed(PRODUCT), 2)
        self.assertEqual(self.passed(), 4)

    def test_all_entries(self) -> None:
        """A descriptor fits where all entries are equal, in their order."""
        rule = DescriptorBucket(((b"a", b"1"), (b"b", b"2")), TokenBucket(1, 1, 60.0))
        self.use(replace(ALWAYS, bucket=TokenBucket(100, 1, 1.0), descriptors=(rule,)))
        for other in (((b"a", b"1"),), ((b"b", b"2"), (b"a", b"1")), ((b"a", b"1"), (b"b", b"3"))):
            self.assertEqual(self.passed(other), 10)
        self.assertEqual(self.passed(((b"a", b"1"), (b"b", b"2"))), 1)

    def test_any_value(self) -> None:
        """An entry without a value stands for any, each of which has a bucket of its own, however many there are."""
        each = DescriptorBucket(((b"user", b""),), TokenBucket(1, 1, 60.0))
        self.use(replace(ALWAYS, bucket=TokenBucket(1000, 1, 1.0), descriptors=(each,)))
        for _ in range(2):
            found = [self.judge(((b"user", b"%d" % user),)).verdict for user in range(100)]
        self.assertEqual(set(found), {LocalVerdict.ENFORCED})

    def test_slowest_first(self) -> None:
        """Of several that fit the slowest is taken from first; an empty one keeps the others as they are."""
        slow = DescriptorBucket(((b"a", b"1"),), TokenBucket(1, 1, 3600.0))
        fast = DescriptorBucket(((b"b", b"1"),), TokenBucket(5, 5, 1.0))
        self.use(replace(ALWAYS, bucket=TokenBucket(100, 1, 1.0), descriptors=(fast, slow)))
        self.assertEqual(self.passed(((b"a", b"1"),), ((b"b", b"1"),)), 1)
        self.assertEqual(self.passed(((b"b", b"1"),)), 4)

    def test_connections(self) -> None:
        """Each connection may have its own."""
        self.use(replace(ALWAYS, by_connection=True))
        for connection in (b"1", b"2"):
            found = [self.judge(connection=connection).verdict for _ in range(5)]
            self.assertEqual(found.count(LocalVerdict.OK), 4)

    def test_configurations(self) -> None:
        """Each configuration has its own, under its name; one that is read again goes on."""
        there = buckets()
        for name, passes in (("a", 4), ("b", 4), ("a", 0)):
            self.limiter = LocalRateLimiter(replace(ALWAYS, name=name), there)
            self.assertEqual(self.passed(), passes)
