"""Tests of L{edgegate.upstream.balancing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.upstream.balancing import Only
from tests.upstream.members import member


class OnlyTests(SynchronousTestCase):
    """No choice."""

    def test_only(self) -> None:
        """Whatever the key, it is the one that there is."""
        endpoint = member(1)
        self.assertEqual([Only(endpoint).choose(key) for key in (None, 7)], [endpoint, endpoint])
