"""Tests of L{edgegate.model.log_paths}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.log_paths import check_log_path, collected_at


class LogPathsTests(SynchronousTestCase):
    """Where lines may go."""

    def test_right(self) -> None:
        """What names a syslog or a collector as it should passes, and so do all files."""
        for path in ("syslog:udp:[::1]:514", "syslog:unix:/dev/log", "otlp:http://c:4318", "log/syslog", "-", ""):
            check_log_path(path)

    def test_misspelt(self) -> None:
        """Other words behind syslog: and otlp: are an error."""
        for path in ("syslog:tcp:host", "syslog:", "otlp:", "otlp:c:4318", "otlp:grpc://c:4317", "otlp:http://"):
            self.assertRaises(ValueError, check_log_path, path)

    def test_collector(self) -> None:
        """A collector without a path takes logs at the usual one."""
        self.assertEqual(collected_at("otlp:http://c:4318"), "http://c:4318/v1/logs")
        self.assertEqual(collected_at("otlp:https://c/other"), "https://c/other")
