"""Tests for L{edgegate.http.h1.lingering_close}: what a client sees of a connection that ends."""

from __future__ import annotations

from math import inf

from twisted.internet.interfaces import IProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.http.h1.lingering_close import HTTP1LingeringClose
from edgegate.http.limits import Limits
from edgegate.overload.idle import UNASKED
from tests.http.conversation import Conversation, FakeStream, plain

BAD = b"BAD\x00\r\n\r\n"
ASK = b"GET / HTTP/1.1\r\nHost: nobody.example\r\n\r\n"
LAST = b"GET / HTTP/1.1\r\nHost: nobody.example\r\nConnection: close\r\n\r\n"


class ClosingTests(SynchronousTestCase):
    """Connections after their last response."""

    def end(self, request: bytes, buffered: int = 0) -> FakeStream:
        """Ask for something after which the connection ends, so many bytes of the response being on their way."""
        self.talk = Conversation(limits=Limits(linger_bytes=100))
        client = self.talk.client()
        client.buffered = buffered
        client.deliver(request)
        verifyObject(IProtocol, client.protocol)
        self.assertIsNone(client.producer)
        (found,) = self.talk.environment.connections
        self.assertIsInstance(found, HTTP1LingeringClose)
        return client

    def test_whole_request(self) -> None:
        """Behind a request that is whole it is closed at once, with nothing to wait for."""
        client = self.end(LAST)
        self.assertEqual(client.ended, "closed")
        client.settle()
        self.assertEqual(self.talk.environment.connections, set())

    def test_reader(self) -> None:
        """One that still has to read is waited for as long as it does."""
        client = self.end(LAST, buffered=1)
        for client.acknowledged in (100_000, 200_000, 300_000):
            self.talk.advance(Limits().stall_seconds + 1)
            self.assertEqual(client.ended, "closed")
        self.talk.advance(Limits().stall_seconds + 1)
        self.assertEqual(client.ended, "aborted")

    def test_lingering_is_bounded(self) -> None:
        """Where more may be on its way, so much is read and so long, and no more."""
        client = self.end(BAD)
        self.assertEqual((client.ended, client.reading), ("half-closed", True))
        client.deliver(b"a" * 100)
        self.assertEqual(client.ended, "half-closed")
        client.deliver(b"a")
        self.assertEqual(client.ended, "aborted")
        slow = self.end(BAD)
        self.talk.advance(Limits().linger_seconds + 1)
        self.assertEqual(slow.ended, "aborted")

    def test_kept(self) -> None:
        """A kept connection is not reset by the request that was on its way, however its client learns of its end."""
        for sees in (True, False):
            self.talk = Conversation(limits=Limits(linger_bytes=100))
            client = self.talk.client()
            client.deliver(ASK)
            client.take()
            self.talk.gateway.drain()
            self.assertEqual((client.ended, client.reading, client.sent), ("half-closed", True, b""))
            client.deliver(ASK)
            self.assertEqual((client.ended, client.sent), ("half-closed", b""))
            if sees:
                client.finish()
            else:
                self.talk.advance(2)
                self.assertEqual(client.ended, "closed")
                client.settle()
            self.assertEqual(self.talk.environment.connections, set())

    def test_client_goes(self) -> None:
        """When the client goes nothing is left, not even a deadline."""
        client = self.end(BAD)
        client.finish()
        self.assertEqual(self.talk.environment.connections, set())
        self.talk.advance(20)
        self.assertEqual(self.talk.clock.getDelayedCalls(), [])

    def test_gives_way(self) -> None:
        """It gives way after a while, unless some of the response waits still."""
        client = self.end(BAD)
        lingers = client.protocol
        self.assertGreater(lingers.idle_since(), self.talk.clock.seconds())
        self.talk.advance(UNASKED)
        self.assertLessEqual(lingers.idle_since(), self.talk.clock.seconds())
        client.buffered = 1
        self.assertEqual(lingers.idle_since(), inf)
        lingers.give_way()
        self.assertEqual(client.ended, "closed")

    def test_drain(self) -> None:
        """A drain lets it end by itself; the end of the drain resets it."""
        client = self.end(BAD)
        (closing,) = self.talk.environment.connections
        closing.move(plain())
        closing.retire()
        self.talk.gateway.drain()
        self.assertEqual(client.ended, "half-closed")
        self.talk.gateway.abort()
        self.assertEqual(client.ended, "aborted")
