"""Tests of L{edgegate.server.unused_sockets}."""

from __future__ import annotations

import socket

from twisted.logger import capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import Address, TCPAddress
from edgegate.net.inherited_sockets import InheritedSocket, InheritedSockets
from edgegate.server.unused_sockets import UnusedSockets

ONE, TWO = TCPAddress("127.0.0.1", 1), TCPAddress("127.0.0.1", 2)


class UnusedSocketsTests(SynchronousTestCase):
    """Two that were passed."""

    def test_look(self) -> None:
        """One is named when it comes to be of no use, and not again before it was of use."""
        sockets = [socket.socket(), socket.socket()]
        for each in sockets:
            self.addCleanup(each.close)
        inherited = InheritedSockets(
            InheritedSocket(str(bind.port), bind, sock) for bind, sock in zip((ONE, TWO), sockets, strict=True)
        )
        unused = UnusedSockets(inherited)
        for bind in (ONE, TWO):
            taken = inherited.take(bind, bind.port)
            assert taken is not None
            self.addCleanup(taken.close)

        def told(*binds: Address) -> list[str]:
            with capturedLogs() as events:
                unused.look(binds)
            return [event["socket"] for event in events]

        self.assertEqual(told(ONE, TWO), [])
        self.assertEqual(told(ONE), ["'2' on 127.0.0.1:2"])
        self.assertEqual(told(ONE), [])
        self.assertEqual(told(), ["'1' on 127.0.0.1:1"])
        self.assertEqual(told(ONE, TWO), [])
        self.assertEqual(told(ONE), ["'2' on 127.0.0.1:2"])
