"""Tests of L{edgegate.net.syslog}; messages are tested in L{tests.access_log.test_destinations}."""

from __future__ import annotations

import os
import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.model.syslog import SyslogAddress
from edgegate.net.syslog import open_syslog


class SyslogTests(SynchronousTestCase):
    """Where a syslog is."""

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
