"""Tests of L{edgegate.http.guards.identified}."""

from __future__ import annotations

from hashlib import sha256

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.guards.identified import spelled_like
from edgegate.model.addresses import TCPAddress
from edgegate.model.guards.credentials import APIKeys, KeyLocation, KeyPlace
from edgegate.net.addresses import ConnectionInfo
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain, Listener, VirtualHost
from tests.http.conversation import ORIGIN, Conversation

GUARD = APIKeys(
    "default/apps", ORIGIN, (KeyPlace(KeyLocation.HEADER, b"x-api-key"),), ((sha256(b"x").digest(), "one"),), b"apps"
)


class IdentifiedTests(SynchronousTestCase):
    """What becomes of requests of those who are known, and of those who need not be."""

    def test_spelled_like(self) -> None:
        """Names that some backends take for one are found, others not."""
        fields = [(name, b"") for name in (b"x-user", b"x_user", b"x.user", b"x-users", b"xuser")]
        self.assertEqual(spelled_like(fields, [b"x-user"]), {b"x-user", b"x_user", b"x.user"})

    def test_redirect(self) -> None:
        """Where all is sent to https nobody is asked for credentials in the clear."""
        host = VirtualHost("moved.example", redirect_port=443, guards=(GUARD,))
        chain = FilterChain("http", ORIGIN, http=HostTable([("moved.example", host)]), guarded=True)
        listener = Listener("http", TCPAddress("::", 8080), 80, ORIGIN, plain=chain)
        downstream = ConnectionInfo(listener, chain, TCPAddress("192.0.2.7", 4711), TCPAddress("127.0.0.1", 8080))
        client = Conversation().client(downstream)
        client.deliver(b"GET / HTTP/1.1\r\nHost: moved.example\r\n\r\n")
        self.assertIn(b"HTTP/1.1 301 ", client.sent)
        client.take()
        client.deliver(b"GET / HTTP/1.1\r\nHost: moved.example\r\nX-Api-Key: wrong\r\n\r\n")
        self.assertIn(b"HTTP/1.1 401 ", client.sent)
