"""Tests of L{edgegate.model.syslog}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.syslog import PORT, parse_syslog


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
        """Other words are an error."""
        for text in ("tcp:host", "", "unix:log", "udp:host:0", "udp:[::1"):
            self.assertRaises(ValueError, parse_syslog, text)
