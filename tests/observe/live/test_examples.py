"""Tests of L{edgegate.observe.live.examples}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.observe.live.examples import KEPT, LATELY, PAUSE, RouteExamples, together


class RouteExamplesTests(SynchronousTestCase):
    """What is kept of one route."""

    def setUp(self) -> None:
        """Have nothing kept."""
        self.route = RouteExamples("route")

    def test_failed(self) -> None:
        """The last that failed are kept, the newest first, and not more than one in a while."""
        for number in range(KEPT + 5):
            now = number * PAUSE * 1.5
            self.assertTrue(self.route.wants_failed(now))
            self.route.keep_failed({"number": number}, now)
            self.assertFalse(self.route.wants_failed(now + PAUSE / 2))
        _, errors, slowest = self.route.told(0.0)
        self.assertEqual([each["number"] for each in errors], list(range(KEPT + 4, 4, -1)))
        self.assertEqual((slowest, self.route.changes), ([], KEPT + 5))

    def test_slow(self) -> None:
        """The slowest are kept: once there are enough of them, the bar is the least of them."""
        for milliseconds in (30, 10, 20, *range(100, 100 + KEPT - 3)):
            self.assertEqual(self.route.bar, -1.0)
            self.route.keep_slow(milliseconds, {"milliseconds": milliseconds}, 0.0)
        self.assertEqual(self.route.bar, 10)
        self.route.keep_slow(15, {"milliseconds": 15}, 0.0)
        self.assertEqual(self.route.bar, 15)
        _, _, slowest = self.route.told(0.0)
        self.assertEqual([each["milliseconds"] for each in slowest[-3:]], [30, 20, 15])

    def test_lately(self) -> None:
        """What was slow long ago is shown no more, and makes room."""
        for _ in range(KEPT):
            self.route.keep_slow(100, {"milliseconds": 100}, 0.0)
        self.assertEqual(self.route.told(LATELY + 1)[2], [])
        self.route.forget(LATELY + 1)
        self.assertEqual(self.route.bar, -1.0)


class TogetherTests(SynchronousTestCase):
    """What several processes have told."""

    def test_together(self) -> None:
        """Failed ones come by time, slow ones by how slow they were, so many as of one process."""
        many = [{"time": f"2026-03-01T12:00:{second:02}Z"} for second in range(20)]
        slow = [{"milliseconds": each} for each in range(20)]
        found = together([("route", many[::2], slow[1::2]), ("route", many[1::2], slow[::2])])
        self.assertEqual(found["errors"], many[: -KEPT - 1 : -1])
        self.assertEqual([each["milliseconds"] for each in found["slowest"]], list(range(19, 9, -1)))
