"""Tests of L{edgegate.tls.acme.issuing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.issuing import NotIssued


class NotIssuedTests(SynchronousTestCase):
    """Why there is no certificate."""

    def test_words(self) -> None:
        """It says why, and for how long no other try is wanted, if the authority says so."""
        self.assertEqual((str(NotIssued("no")), NotIssued("no").retry_after), ("no", 0.0))
        self.assertEqual(NotIssued("no", 5.0).retry_after, 5.0)
