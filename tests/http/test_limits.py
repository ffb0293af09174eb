"""Tests for L{edgegate.http.limits}."""

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.limits import Limits


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
