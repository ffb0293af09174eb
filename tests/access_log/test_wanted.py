"""Tests of L{edgegate.access_log.wanted}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.wanted import DEFAULT, access_logs
from edgegate.model.access_logs import AccessLogFile


class WantedTests(SynchronousTestCase):
    """Which logs are written."""

    def test_precedence(self) -> None:
        """Options win over files, also where they want none; without either there is one on standard output."""
        one, other = (AccessLogFile("a"),), (AccessLogFile("b"),)
        self.assertEqual(access_logs(one, other), one)
        self.assertEqual(access_logs((), other), ())
        self.assertEqual(access_logs(None, other), other)
        self.assertEqual(access_logs(None, ()), ())
        self.assertEqual(access_logs(None, None), DEFAULT)
