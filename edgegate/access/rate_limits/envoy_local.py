# Hot path: counts each request that an EnvoyFilter limits.
"""
Envoy's local rate limit: which buckets a request takes from, and whether it may pass
(C{source/extensions/filters/common/local_ratelimit/local_ratelimit_impl.cc}).
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from edgegate.access.rate_limits.buckets import Buckets, Numbers
from edgegate.access.rate_limits.descriptors import Descriptor
from edgegate.model.guards.envoy_rate_limits import LocalDescriptor, LocalLimit, TokenBucket


class BucketStanding:
    """
    How a limit stands, of the bucket that has least.

    @ivar passes: Whether there was a token in each bucket.
    @ivar most: Tokens of a full bucket; C{left}: whole tokens that it has; C{reset}: seconds until it
        has one, as Envoy tells.
    """

    __slots__ = ("left", "most", "passes", "reset")

    def __init__(self, passes: bool, most: int, left: int, reset: float) -> None:
        self.passes = passes
        self.most = most
        self.left = left
        self.reset = reset


class _Bucket:
    """A bucket, or one for each value of a descriptor."""

    __slots__ = ("_buckets", "_numbers", "bucket", "capacity", "entries")

    def __init__(self, bucket: TokenBucket, entries: Descriptor, identity: bytes, buckets: Buckets) -> None:
        self.bucket = bucket
        self.capacity = bucket.interval * bucket.most
        self.entries = entries
        self._buckets = buckets
        self._numbers = Numbers(buckets, identity)

    def fits(self, descriptor: Descriptor) -> bool:
        """Whether it is for a descriptor: all entries are equal, in their order; an empty value is any."""
        entries = self.entries
        if len(entries) != len(descriptor):
            return False
        for (key, value), (its_key, its_value) in zip(entries, descriptor, strict=True):
            if key != its_key or (value and value != its_value):
                return False
        return True

    def take(self, key: bytes, now: float) -> BucketStanding:
        """Take a token, if there is one."""
        bucket = self.bucket
        left = self._buckets.take(self._numbers.of(key), bucket.interval, self.capacity, 1.0, now)
        if left < 0.0:
            return BucketStanding(False, bucket.most, 0, -left)
        whole = int(left + 1e-6)
        return BucketStanding(True, bucket.most, whole, 0.0 if whole else (1.0 - left) * bucket.interval)


class LocalCounter:
    """
    The buckets of one configuration of the filter.

    """

    __slots__ = ("_default", "_described", "_limit")

    def __init__(self, limit: LocalLimit, scope: str, buckets: Buckets) -> None:
        """
        @param scope: What tells it from others that say the same.
        """
        self._limit = limit
        said = repr((scope, limit.prefix)).encode("utf-8", "surrogatepass")
        self._default = None if limit.bucket is None else _Bucket(limit.bucket, (), _identity(said, limit), buckets)
        # the slowest is asked first, so that it is not passed over where a quicker one refuses
        slowest = sorted(limit.descriptors, key=lambda each: -each.bucket.interval)
        self._described = [_Bucket(each.bucket, _encoded(each), _identity(said, each), buckets) for each in slowest]

    def take(self, descriptors: Sequence[Descriptor], connection: bytes, now: float) -> BucketStanding | None:
        """
        Count a request.

        @param connection: What tells its connection from others, where each has its own buckets.
        @param now: Monotonic seconds.
        @return: L{None}: nothing limits it.
        """
        least: BucketStanding | None = None
        for bucket in self._described:
            for descriptor in descriptors:
                if not bucket.fits(descriptor):
                    continue
                standing = bucket.take(connection + _key(descriptor), now)
                if least is None or standing.left < least.left:
                    least = standing
                if not standing.passes:
                    return standing
                break
        default = self._default
        if default is not None and (least is None or self._limit.always_default):
            standing = default.take(connection, now)
            if least is None or not standing.passes or standing.left < least.left:
                least = standing
        return least


def _encoded(described: LocalDescriptor) -> Descriptor:
    return tuple([(key.encode(), value.encode()) for key, value in described.entries])


def _key(descriptor: Descriptor) -> bytes:
    """Return what a descriptor is told by: no two are alike."""
    return b"".join([b"%d:%b%d:%b" % (len(key), key, len(value), value) for key, value in descriptor])


def _identity(scope: bytes, limit: LocalLimit | LocalDescriptor) -> bytes:
    """Return what tells a bucket from all others: as long as it says the same it goes on where it was."""
    said = (limit.bucket, limit.entries if isinstance(limit, LocalDescriptor) else ())
    return blake2b(scope + repr(said).encode("utf-8", "surrogatepass"), digest_size=16).digest()
