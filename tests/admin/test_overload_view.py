"""Tests of L{edgegate.admin.overload_view}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.overload_view import overload
from edgegate.overload.figures import Figure
from edgegate.overload.limits import NO_LIMIT


class OverloadViewTests(SynchronousTestCase):
    """Limits."""

    def test_rows(self) -> None:
        """Each has a row."""
        rows = overload((Figure("connections", 7, 10, 3), Figure("requests", 1, NO_LIMIT, 0)))
        self.assertEqual(
            rows,
            [
                {"name": "connections", "value": 7, "limit": 10, "reached": 3},
                {"name": "requests", "value": 1, "limit": None, "reached": 0},
            ],
        )
