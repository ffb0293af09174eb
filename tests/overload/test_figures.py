"""Tests of L{edgegate.overload.figures}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.overload.figures import Figure
from edgegate.overload.limits import NO_LIMIT


class FigureTests(SynchronousTestCase):
    """What is limited."""

    def test_bound(self) -> None:
        """A limit that is none is not shown as a number."""
        self.assertEqual((Figure("a", 1, 5, 0).bound, Figure("a", 1, NO_LIMIT, 0).bound), (5, None))
