"""Tests of L{edgegate.net.socket_source}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.net.handed_sockets import HandedSockets
from edgegate.net.socket_source import FirstOf, SocketSource

ONE, TWO, THREE = (TCPAddress("127.0.0.1", number) for number in (1, 2, 3))


class FirstOfTests(SynchronousTestCase):
    """Several sources."""

    def test_first(self) -> None:
        """The first that has one counts; others do where that has none."""
        first, second, third = (socket.socket() for _ in range(3))
        sources = HandedSockets({ONE: first}), HandedSockets({ONE: second, TWO: third})
        for each in (first, second, third):
            self.addCleanup(each.close)
        both = FirstOf(None, SocketSource(), *sources)
        self.assertIs(both.take(ONE, 1), first)
        self.assertIs(both.take(TWO, 2), third)
        self.assertIsNone(both.take(THREE, 3))
        self.assertEqual([both.stays(each) for each in (ONE, TWO, THREE)], [True, True, False])
        for source in sources:
            source.left = True
        self.assertEqual([both.stays(each) for each in (ONE, TWO)], [False, False])
