"""Tests of L{edgegate.http.guards.body_hold}; what becomes of the requests is seen in those of the filter."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.guards.body_hold import BodyHold
from tests.http.conversation import NOTHING_LEFT, Conversation, to_web
from tests.http.filters.filters import TestFilters

HEAD = b"POST / HTTP/1.1\r\nHost: web.example\r\nTransfer-Encoding: chunked\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class BodyHoldTests(SynchronousTestCase):
    """Requests that wait until five bytes of their body are there."""

    def setUp(self) -> None:
        """Have all requests wait."""
        self.gathered: list[tuple[bytes, bool]] = []
        self.holds: list[BodyHold] = []
        self.left = 0

        def hold(exchange: Exchange) -> FilterStatus:
            self.holds.append(BodyHold(exchange, self.talk.environment, 5, self.gather, self.leave))
            return FilterStatus.STOP

        self.talk = Conversation(to_web(), filters=(TestFilters("holds", hold),))

    def gather(self, body: bytes, more: bool) -> None:
        """Take what is there."""
        self.gathered.append((body, more))

    def leave(self) -> None:
        """The client has left."""
        self.left += 1

    def test_whole(self) -> None:
        """A body is told when it is whole."""
        client = self.talk.ask(HEAD + b"2\r\nab\r\n")
        self.assertEqual(self.gathered, [])
        client.deliver(b"3\r\ncde\r\n")
        self.assertEqual(self.gathered, [])
        client.deliver(b"0\r\n\r\n")
        self.assertEqual(self.gathered, [(b"abcde", False)])

    def test_longer(self) -> None:
        """Of a longer one the beginning is told, once; all of it goes on."""
        client = self.talk.ask(HEAD + b"4\r\nabcd\r\n4\r\nefgh\r\n")
        self.assertEqual(self.gathered, [(b"abcde", True)])
        client.deliver(b"1\r\ni\r\n")
        self.holds[0].go_on()
        client.deliver(b"0\r\n\r\n")
        self.assertEqual(len(self.gathered), 1)
        sent = self.talk.backend().sent.partition(b"\r\n\r\n")[2]
        self.assertEqual(b"".join(sent.split(b"\r\n")[1::2]), b"abcdefghi")

    def test_leaves(self) -> None:
        """A client that leaves before is told of, and nothing of it is kept."""
        client = self.talk.ask(HEAD + b"2\r\nab\r\n")
        client.finish()
        self.assertEqual((self.gathered, self.left, self.talk.environment.kept_bodies), ([], 1, 0))
        self.assertEqual(self.talk.left, NOTHING_LEFT)
