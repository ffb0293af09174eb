"""Tests of L{edgegate.workers.adopted_sockets}."""

from __future__ import annotations

import socket

from twisted.internet.error import CannotListenError
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress
from edgegate.workers.adopted_sockets import AdoptedSockets

ONE, TWO = TCPAddress("127.0.0.1", 1), TCPAddress("127.0.0.1", 2)


class AdoptedSocketsTests(SynchronousTestCase):
    """What the supervisor has sent."""

    def test_take(self) -> None:
        """Each is taken once, and none is bound in place of one that was not sent; a service manager's stays."""
        sent = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
        names = [each.getsockname() for each in sent]
        sockets = AdoptedSockets({bind: each.detach() for bind, each in zip((ONE, TWO), sent, strict=True)}, {TWO})
        taken = [sockets.take(bind, 80) for bind in (ONE, TWO)]
        for each in taken:
            self.addCleanup(each.close)
        self.assertEqual([each.getsockname() for each in taken], names)
        self.assertEqual([each.getblocking() for each in taken], [False, False])
        self.assertRaises(CannotListenError, sockets.take, ONE, 80)
        self.assertEqual([sockets.stays(bind) for bind in (ONE, TWO)], [False, True])
