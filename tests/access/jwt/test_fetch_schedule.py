"""When keys are fetched."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.jwt.fetch_schedule import EARLY, KEPT, LONGEST_WAIT, REFRESH, FetchSchedule


class FetchScheduleTests(SynchronousTestCase):
    """L{FetchSchedule}."""

    def test_failures(self) -> None:
        """Seven quick tries more, then slower and slower ones; a success begins anew."""
        schedule = FetchSchedule()
        waits = [schedule.failed() for _ in range(20)]
        self.assertEqual(waits[:12], [1.0] * 7 + [60.0, 120.0, 240.0, 480.0, 960.0])
        self.assertEqual(waits[-1], LONGEST_WAIT)
        self.assertEqual(schedule.succeeded(5.0), REFRESH)
        self.assertEqual(schedule.failed(), 1.0)

    def test_early(self) -> None:
        """Tokens with keys that nobody knows don't have them fetched often."""
        schedule = FetchSchedule()
        self.assertEqual(
            [schedule.early(now) for now in (0.0, 1.0, EARLY - 1, EARLY, EARLY + 1)], [True, False, False, True, False]
        )

    def test_outdated(self) -> None:
        """Old keys serve for a week."""
        schedule = FetchSchedule()
        self.assertFalse(schedule.outdated(1e9))
        schedule.succeeded(5.0)
        schedule.failed()
        self.assertFalse(schedule.outdated(5.0 + KEPT))
        self.assertTrue(schedule.outdated(6.0 + KEPT))
