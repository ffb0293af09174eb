"""Tests of L{edgegate.net.handed_sockets}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.handed_sockets import HandedSockets

ONE, TWO, THREE = (TCPAddress("127.0.0.1", number) for number in (1, 2, 3))


class HandedSocketsTests(SynchronousTestCase):
    """Two sockets of which one is taken."""

    def test_taken(self) -> None:
        """What was taken is the taker's, and stays until the process before has left it; the rest is closed."""
        sockets = {address: socket.socket() for address in (ONE, TWO)}
        for each in sockets.values():
            self.addCleanup(each.close)
        handed = HandedSockets(sockets)
        self.assertIs(handed.take(ONE, 80), sockets[ONE])
        self.assertIsNone(handed.take(ONE, 80))
        self.assertIsNone(handed.take(THREE, 80))
        self.assertEqual([handed.stays(each) for each in (ONE, TWO, THREE)], [True, False, False])
        handed.close()
        self.assertNotEqual(sockets[ONE].fileno(), -1)
        self.assertEqual(sockets[TWO].fileno(), -1)
        self.assertIsNone(handed.take(TWO, 80))
        handed.left = True
        self.assertFalse(handed.stays(ONE))
