"""Tests of L{edgegate.net.accepted_socket}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.accepted_socket import AcceptedSocket


class AcceptedSocketTests(SynchronousTestCase):
    """A client's socket."""

    def test_accepted(self) -> None:
        """It is accepted as any other, does not block, and tells of its end once."""
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()) as client:
            sock, peer = AcceptedSocket.accept_from(server)
            self.addCleanup(sock.close)
            self.assertEqual(peer, client.getsockname())
            self.assertEqual((sock.family, sock.type), (server.family, server.type))
            self.assertFalse(sock.getblocking())
            closed: list[AcceptedSocket] = []
            sock.closed = closed.append
            sock.close()
            sock.close()
            self.assertEqual(closed, [sock])

    def test_nobody_counts(self) -> None:
        """It can be closed where nobody wants to know."""
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
            sock, _ = AcceptedSocket.accept_from(server)
            sock.close()
            self.assertEqual(sock.fileno(), -1)

    def test_nobody_there(self) -> None:
        """Where nobody waits it raises what C{accept} does."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.setblocking(False)
            self.assertRaises(BlockingIOError, AcceptedSocket.accept_from, server)
