"""Tests of L{edgegate.access_log.wanted}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.wanted import DEFAULT, access_logs, handed
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

    def test_handed(self) -> None:
        """Workers are handed what options ask for, and the default; what the files ask for they open themselves."""
        one, other = AccessLogFile("a"), (AccessLogFile("b"),)
        self.assertEqual(handed((one,), other), one)
        self.assertEqual(handed((one,), None), one)
        self.assertEqual(handed(None, None), DEFAULT[0])
        for asked, declared in (
            (None, other),
            (None, ()),
            ((), None),
            ((AccessLogFile("syslog:unix:/dev/log"),), None),
        ):
            self.assertIsNone(handed(asked, declared))
