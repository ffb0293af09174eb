"""Tests of L{edgegate.net.syslog}; messages are tested in L{tests.access_log.test_destinations}."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.net.syslog import PORT, SyslogAddress, open_syslog, parse_syslog


class SyslogTests(SynchronousTestCase):
    """Where a syslog is."""

    def test_parse(self) -> None:
        """A path, or a host with a port or without."""
        found = [parse_syslog(text).to for text in ("unix:/dev/log", "udp:log.example", "udp:[::1]:1514", "udp:a:1")]
        self.assertEqual(
            found,
            [UNIXAddress("/dev/log"), TCPAddress("log.example", PORT), TCPAddress("::1", 1514), TCPAddress("a", 1)],
        )

    def test_open(self) -> None:
        """Each write to the descriptor is a datagram, also by IPv6."""
        for family, host in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
            with socket.socket(family, socket.SOCK_DGRAM) as receiver:
                receiver.bind((host, 0))
                receiver.settimeout(10)
                fd = open_syslog(SyslogAddress(TCPAddress(host, receiver.getsockname()[1])))
                os.write(fd, b"message")
                os.close(fd)
                self.assertEqual(receiver.recv(100), b"message")
