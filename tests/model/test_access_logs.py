"""Tests of L{edgegate.model.access_logs}."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import text_format
from edgegate.model.origin import Origin


class AccessLogFileTests(SynchronousTestCase):
    """A log, as a value."""

    def test_equal(self) -> None:
        """Logs are equal where they do the same, wherever it is said."""
        one, other = (AccessLogFile("log", origin=Origin("a.yaml", line, "MeshConfig")) for line in (1, 2))
        self.assertEqual(one, other)
        self.assertNotEqual(one, AccessLogFile("log", text_format("%PROTOCOL%")))

    def test_pickled(self) -> None:
        """It travels to workers."""
        log = AccessLogFile("log", text_format("%PROTOCOL%"), "file-log")
        self.assertEqual(pickle.loads(pickle.dumps(log)), log)
