"""Tests of L{edgegate.http.router.upstream_callbacks}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.router.shadow import Shadow
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.http.router.upstream_request import UpstreamRequest


class UpstreamCallbacksTests(SynchronousTestCase):
    """Who asks on a backend's connection."""

    def test_whole(self) -> None:
        """Requests and their copies hear all that a connection tells; who leaves something out can't be made."""
        for kind in (UpstreamRequest, Shadow):
            self.assertTrue(issubclass(kind, UpstreamCallbacks))
            self.assertEqual(kind.__abstractmethods__, frozenset())  # type: ignore[attr-defined]
        partial = type("Partial", (UpstreamCallbacks,), {"response_head": lambda self, head: None})
        self.assertRaises(TypeError, partial)
