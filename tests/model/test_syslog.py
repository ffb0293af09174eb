"""Tests of L{edgegate.model.syslog}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.syslog import PORT, check_log_path, parse_syslog


class SyslogTests(SynchronousTestCase):
    """How a syslog is named."""

    def test_parse(self) -> None:
        """A path, or a host with a port or without."""
        found = [parse_syslog(text).to for text in ("unix:/dev/log", "udp:log.example", "udp:[::1]:1514", "udp:a:1")]
        self.assertEqual(
            found,
            [UNIXAddress("/dev/log"), TCPAddress("log.example", PORT), TCPAddress("::1", 1514), TCPAddress("a", 1)],
        )

    def test_misspelt(self) -> None:
        """Other words behind syslog: are an error; all other paths are files."""
        for path in ("syslog:tcp:host", "syslog:", "syslog:unix:log", "syslog:udp:host:0", "syslog:udp:[::1"):
            self.assertRaises(ValueError, check_log_path, path)
        for path in ("syslog:udp:host", "syslog:udp:[::1]:514", "syslog:unix:/dev/log", "log/syslog", "-"):
            check_log_path(path)
