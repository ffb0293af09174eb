"""Tests of L{edgegate.access_log_options}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log_options import asked_access_logs
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.log_formats import DefaultFormat, text_format


class OptionTests(SynchronousTestCase):
    """What options ask for."""

    def test_asked(self) -> None:
        """Without options nothing is asked for; either of the two asks for one log, but for none."""
        self.assertIsNone(asked_access_logs(None, None))
        self.assertEqual(asked_access_logs("none", "json"), ())
        self.assertEqual(asked_access_logs("log", None), (AccessLogFile("log"),))
        self.assertEqual(asked_access_logs(None, "json"), (AccessLogFile("-", DefaultFormat.JSON),))
        self.assertEqual(asked_access_logs("otlp:http://c:4318", None), (AccessLogFile("otlp:http://c:4318"),))
        self.assertEqual(
            asked_access_logs("syslog:unix:/dev/log", "%PROTOCOL%"),
            (AccessLogFile("syslog:unix:/dev/log", text_format("%PROTOCOL%")),),
        )

    def test_wrong(self) -> None:
        """What is wrong is told with a suggestion."""
        for path, form, why in (
            (None, "%DURATON%", '--access-log-format: unknown operator %DURATON%; did you mean "DURATION"?'),
            (None, "xml", "--access-log-format: neither text nor json"),
            ("otlp:c:4318", None, "--access-log: expected http://HOST:PORT or https://HOST:PORT, got 'c:4318'"),
            ("syslog:x", None, "--access-log: a syslog is unix:/PATH, udp:HOST or udp:HOST:PORT"),
        ):
            self.assertIn(why, str(self.assertRaises(ValueError, asked_access_logs, path, form)))
