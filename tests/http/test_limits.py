"""Tests for L{edgegate.http.limits}."""

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.limits import Limits
from edgegate.overload.limits import NO_LIMIT


class LimitsTests(SynchronousTestCase):
    """What the documentation promises."""

    def test_documented_defaults(self) -> None:
        """The defaults are the ones that users were told of."""
        limits = Limits()
        self.assertEqual((limits.head_bytes, limits.head_fields, limits.head_seconds), (61440, 100, 10.0))
        self.assertEqual((limits.unfinished_heads_bytes, limits.body_rate), (64 << 20, 240))
        self.assertEqual((limits.body_seconds, limits.idle_seconds, limits.stall_seconds), (60.0, 75.0, 60.0))
        self.assertEqual((limits.stream_idle_seconds, limits.upload_bytes, limits.shadows), (300.0, 65536, 1024))
        self.assertEqual((limits.kept_bodies_bytes, limits.http2_bytes), (16 << 20, 64 << 20))

    def test_no_limit_is_off(self) -> None:
        """Everything has a limit."""
        limits = Limits()
        for name in set(Limits.__slots__) - {"underscores"}:
            self.assertGreater(getattr(limits, name), 0, name)

    def test_divided(self) -> None:
        """Of several processes each has its share of what all have together, and each connection has what it had."""
        found = Limits(head_bytes=100, http2_bytes=NO_LIMIT).divided(3)
        self.assertEqual((found.shadows, found.kept_bodies_bytes), (342, ((16 << 20) + 2) // 3))
        self.assertEqual((found.unfinished_heads_bytes, found.http2_bytes), (((64 << 20) + 2) // 3, NO_LIMIT))
        self.assertEqual((found.head_bytes, found.upload_bytes), (100, 65536))
        self.assertEqual(Limits().divided(1), Limits())
