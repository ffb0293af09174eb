"""Tests of L{edgegate.net.connection_options}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.clusters import Keepalive
from edgegate.net.connection_options import ConnectionOptions, keep_alive


class KeepAliveTests(SynchronousTestCase):
    """The kernel's probes."""

    def options(self, keepalive: Keepalive) -> tuple[int, int, int, int]:
        """Return what the kernel makes of it."""
        with socket.socket() as sock:
            keep_alive(sock, keepalive)
            tcp = (socket.TCP_KEEPIDLE, socket.TCP_KEEPINTVL, socket.TCP_KEEPCNT)
            on = sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            return on, *(sock.getsockopt(socket.IPPROTO_TCP, each) for each in tcp)  # type: ignore[return-value]

    def test_values(self) -> None:
        """What is said is set, within what the kernel takes; what is not said is the system's."""
        self.assertEqual(self.options(Keepalive(3, 60.0, 7.5)), (1, 60, 7, 3))
        self.assertEqual(self.options(Keepalive(1000, 1e6, 0.1)), (1, 32767, 1, 127))
        with socket.socket() as sock:
            idle = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE)
        self.assertEqual(self.options(Keepalive(probes=4))[1::2], (idle, 4))


class OpeningTests(SynchronousTestCase):
    """How a connection begins."""

    def test_nothing(self) -> None:
        """With nothing, unless it is said."""
        self.assertEqual(ConnectionOptions(), ConnectionOptions(None, b"", None, None))
