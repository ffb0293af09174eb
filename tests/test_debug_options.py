"""Tests of L{edgegate.debug_options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.debug_options import MOST_RECENT, recent_requests
from tests.test_twistd_options import options


class DebugOptionsTests(SynchronousTestCase):
    """What is kept of requests."""

    def test_recent_requests(self) -> None:
        """A number; none by default."""
        self.assertEqual(options("-c", "etc").gateway_options().recent_requests, 0)
        self.assertFalse(options("-c", "etc").admin_options().keeps_requests)
        found = options("-c", "etc", "--recent-requests", "1000", "--tap-redact=X-Key")
        self.assertEqual(found.gateway_options().recent_requests, 1000)
        self.assertEqual(found.gateway_options().redacted, frozenset((b"x-key",)))
        self.assertTrue(found.admin_options().keeps_requests)

    def test_bad(self) -> None:
        """What is none is refused by its name."""
        for given in ("", "-1", "many", "1.5", str(MOST_RECENT + 1), "9" * 5000, "\u0661"):
            error = self.assertRaises(ValueError, recent_requests, {"recent-requests": given})
            self.assertIn("--recent-requests: expected a number up to 100000", str(error))
