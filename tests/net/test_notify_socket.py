"""Tests of L{edgegate.net.notify_socket}."""

from __future__ import annotations

import os
import socket
import tempfile

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.notify_socket import NotifySocket


class NotifySocketTests(SynchronousTestCase):
    """What a manager hears."""

    def test_tell(self) -> None:
        """Variables come in one datagram, by a path or an abstract name; where nobody listens nothing happens."""
        path = os.path.join(tempfile.mkdtemp(), "notify")  # noqa: PTH118
        for address, bound in ((path, path), (f"@edgegate-{os.getpid()}", f"\0edgegate-{os.getpid()}")):
            told = NotifySocket(address)
            self.addCleanup(told.close)
            self.assertFalse(told.tell("READY=1"))
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
                manager.bind(bound)
                self.assertTrue(told.tell("READY=1", "STATUS=serving on 2 ports"))
                self.assertEqual(manager.recv(1000), b"READY=1\nSTATUS=serving on 2 ports")

    def test_never_waits(self) -> None:
        """A manager that does not read is not waited for."""
        path = os.path.join(tempfile.mkdtemp(), "notify")  # noqa: PTH118
        told = NotifySocket(path)
        self.addCleanup(told.close)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(path)
            while told.tell("WATCHDOG=1"):
                pass
            self.assertEqual(manager.recv(1000), b"WATCHDOG=1")
            self.assertTrue(told.tell("WATCHDOG=1"))
