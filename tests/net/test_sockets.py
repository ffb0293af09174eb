"""Tests of L{edgegate.net.sockets}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.sockets import Socket


class SocketTests(SynchronousTestCase):
    """The type."""

    def test_type(self) -> None:
        """It is the socket module's."""
        self.assertIs(Socket, socket.socket)
