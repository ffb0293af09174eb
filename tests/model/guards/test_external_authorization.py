"""Tests of L{edgegate.model.guards.external_authorization}."""

from __future__ import annotations

import pickle
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.guard import Stage
from tests.http.guards.checking import asking


class ExternalAuthorizationTests(SynchronousTestCase):
    """Guards that have a service decide."""

    def test_value(self) -> None:
        """One comes before tokens, can be sent to another process, and is another where another service is asked."""
        guard = asking("a", paths=("/x",))
        self.assertIs(guard.stage(), Stage.CUSTOM)
        self.assertEqual(pickle.loads(pickle.dumps(guard)), guard)
        self.assertNotEqual(guard, asking("a", paths=("/x",), fail_open=True))
        self.assertEqual(len({guard, replace(guard), asking("b")}), 2)
