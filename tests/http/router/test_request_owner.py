"""Tests for L{edgegate.http.router.request_owner}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.router.request_owner import RequestOwner
from edgegate.http.router.router import Router


class RequestOwnerTests(SynchronousTestCase):
    """Whose tries they are."""

    def test_whole(self) -> None:
        """A router hears all that its tries tell; who leaves something out can't be made."""
        self.assertTrue(issubclass(Router, RequestOwner))
        self.assertEqual(Router.__abstractmethods__, frozenset())
        partial = type("Partial", (RequestOwner,), {"settle": lambda self: None})
        self.assertRaises(TypeError, partial)
