# Hot path: judges each request where an EnvoyFilter limits.
"""
Envoy's C{local_ratelimit}: buckets for descriptors, and one for all (C{local_ratelimit_impl.cc}).

All buckets of descriptors that fit are taken from, the slowest first, up to the first that is empty; then that of all.
What was taken before an empty one stays taken, as there. Buckets of descriptors with any value are as many as there is
room for (L{edgegate.access.rate_limits.buckets}), and not only the twenty that were used last.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from hashlib import blake2b

from edgegate.access.rate_limits.buckets import Buckets, Numbers
from edgegate.model.rate_limit_actions import Descriptor, DescriptorBucket, LocalRateLimit, TokenBucket


class LocalVerdict(Enum):
    """What becomes of a request, by the names of the filter's counters."""

    OFF = "off"  # it was not looked at
    OK = "ok"
    NOT_ENFORCED = "rate_limited"  # it passes, although there were no tokens
    ENFORCED = "enforced"  # it is refused


class LocalJudgement:
    """
    What was found, and the bucket that is nearest to being empty, for the headers that tell of it.

    @ivar most: Tokens that it holds; 0 where nothing was looked at.
    @ivar left: Whole tokens that are in it.
    @ivar reset: Seconds until there is one more.
    """

    __slots__ = ("left", "most", "reset", "verdict")

    def __init__(self, verdict: LocalVerdict, most: int = 0, left: int = 0, reset: float = 0.0) -> None:
        self.verdict = verdict
        self.most = most
        self.left = left
        self.reset = reset


class _Bucket:
    """
    One rule.

    @ivar entries: What a descriptor must be; L{None}: it is for all requests.
    """

    __slots__ = ("capacity", "entries", "interval", "most", "numbers")

    def __init__(self, rule: TokenBucket, entries: Descriptor | None, limit: str, buckets: Buckets) -> None:
        self.interval = rule.interval / rule.tokens
        self.capacity = self.interval * rule.most
        self.most = rule.most
        self.entries = entries
        identity = repr((limit, entries, rule.most, rule.tokens, rule.interval)).encode("utf-8", "surrogatepass")
        self.numbers = Numbers(buckets, blake2b(identity, digest_size=16).digest())

    def fits(self, descriptor: Descriptor) -> bool:
        """Whether a descriptor has these entries."""
        entries = self.entries
        if entries is None or len(entries) != len(descriptor):
            return False
        for (key, value), (its_key, its_value) in zip(entries, descriptor, strict=True):
            if key != its_key or (value and value != its_value):
                return False
        return True


class LocalRateLimiter:
    """Judges requests by one configuration of the filter."""

    __slots__ = ("_buckets", "_default", "_descriptors", "_rule")

    def __init__(self, rule: LocalRateLimit, buckets: Buckets) -> None:
        self._rule = rule
        self._buckets = buckets
        self._default = _Bucket(rule.bucket, None, rule.name, buckets)
        ordered = sorted(rule.descriptors, key=_rate)
        self._descriptors = [_Bucket(each.bucket, each.entries, rule.name, buckets) for each in ordered]

    @property
    def counts_descriptors(self) -> bool:
        """Whether it makes a difference which descriptors a request has."""
        return bool(self._descriptors)

    def judge(
        self, descriptors: Sequence[Descriptor], connection: bytes, draw: Callable[[], float], now: float
    ) -> LocalJudgement:
        """
        Count a request, and tell what becomes of it.

        @param connection: What tells its connection from all others.
        @param draw: Returns a number from 0 on, below 1.
        @param now: Monotonic seconds, of all processes' clock.
        """
        rule = self._rule
        if rule.enabled < 1.0 and draw() >= rule.enabled:
            return LocalJudgement(LocalVerdict.OFF)
        prefix = connection if rule.by_connection else b""
        fitting = self._fitting(descriptors, prefix)
        if not fitting or rule.always_default:
            fitting.append((self._default, prefix))
        tightest = LocalJudgement(LocalVerdict.OK)
        for bucket, key in fitting:
            tokens = self._buckets.take(bucket.numbers.of(key), bucket.interval, bucket.capacity, 1.0, now)
            left = int(tokens + 0.001) if tokens >= 0.0 else 0
            if tightest.most == 0 or left < tightest.left:
                reset = -tokens if tokens < 0.0 else (left + 1 - tokens) * bucket.interval
                tightest.most, tightest.left, tightest.reset = bucket.most, left, reset
            if tokens < 0.0:
                refused = rule.enforced >= 1.0 or draw() < rule.enforced
                tightest.verdict = LocalVerdict.ENFORCED if refused else LocalVerdict.NOT_ENFORCED
                break
        return tightest

    def _fitting(self, descriptors: Sequence[Descriptor], prefix: bytes) -> list[tuple[_Bucket, bytes]]:
        """Return the buckets of descriptors, the slowest first, with the keys of a request; each once."""
        found: list[tuple[_Bucket, bytes]] = []
        for bucket in self._descriptors:
            for descriptor in descriptors:
                if bucket.fits(descriptor):
                    values = [b"%d:%b" % (len(value), value) for _, value in descriptor]
                    found.append((bucket, prefix + b"|" + b"".join(values)))
                    break
        return found


def _rate(rule: DescriptorBucket) -> float:
    """Return how many tokens a second a bucket gets."""
    return rule.bucket.tokens / rule.bucket.interval
