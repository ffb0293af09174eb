"""Tests of L{edgegate.net.sockets}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.sockets import Socket, reset_on_close
from tests.net.pairs import tcp_pair


class SocketTests(SynchronousTestCase):
    """The type."""

    def test_type(self) -> None:
        """It is the socket module's."""
        self.assertIs(Socket, socket.socket)

    def test_reset(self) -> None:
        """The other side sees a reset; a socket that is closed already is left alone."""
        ours, theirs = tcp_pair()
        self.addCleanup(theirs.close)
        reset_on_close(ours)
        ours.close()
        with self.assertRaises(ConnectionResetError):
            theirs.recv(1)
        reset_on_close(ours)
