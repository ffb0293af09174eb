"""Tests of L{edgegate.admin.site}: what a client can stretch, and what it is told."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.site import (
    ANSWER_SECONDS,
    MAX_BODY,
    MOST_FIELDS,
    MOST_HEAD,
    REQUEST_SECONDS,
    TIMEOUT,
    AdminChannel,
    admin_site,
)
from edgegate.server.reload import Outcome
from tests.admin.asking import asked, connected
from tests.admin.served import PretendedGateway

HEAD = b"GET /live HTTP/1.1\r\nhost: localhost\r\n"
SLOW = b"GET /metrics HTTP/1.1\r\nhost: localhost\r\n"
"""Of a page that is made in turns."""


class AdminSiteTests(SynchronousTestCase):
    """The site, whatever its pages are."""

    def setUp(self) -> None:
        """Make the site of a gateway."""
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.site = admin_site(self.clock, self.gateway)

    def test_body(self) -> None:
        """A small body is passed over; one of any size to speak of ends the connection, and nothing is done."""
        self.assertEqual(asked(self.site, "POST /reload", body=b"x" * MAX_BODY).status, 200)
        self.gateway.outcome = Outcome.REFUSED
        asked(self.site, "POST /reload", body=b"x" * (MAX_BODY + 1))
        asked(self.site, "POST /reload", "Transfer-Encoding: chunked")
        self.assertIs(self.gateway.last_reload.outcome, Outcome.UNCHANGED)

    def test_endless_length(self) -> None:
        """A length of more digits than Python makes a number of is refused like any other that is none."""
        for digits in (19, 5000):
            self.assertEqual(asked(self.site, "POST /reload", f"content-Length:{'9' * digits}").status, 400)

    def test_other_protocols(self) -> None:
        """A request of another protocol is none."""
        transport, channel = connected(self.site)
        channel.dataReceived(b"GET / RTSP/1.0\r\nHost: 127.0.0.1:15000\r\n\r\n")  # type: ignore[attr-defined]
        self.assertTrue(transport.value().startswith(b"HTTP/1.1 400 "), transport.value())

    def test_silence(self) -> None:
        """A client that says nothing is let go."""
        transport, _ = connected(self.site)
        self.clock.advance(TIMEOUT - 1)
        self.assertFalse(transport.disconnecting)
        self.clock.advance(2)
        self.assertTrue(transport.disconnecting)

    def send(self, data: bytes) -> tuple[StringTransport, AdminChannel]:
        """Connect and send something."""
        transport, channel = connected(self.site)
        assert isinstance(channel, AdminChannel)
        channel.dataReceived(data)
        return transport, channel

    def test_drip(self) -> None:
        """A request that drips is cut off, in its head or its body; one behind another has its own time."""
        for sent, dripped in (
            (HEAD, b"a"),
            (HEAD + b"content-length: 4000\r\n\r\n", b"a"),
            (HEAD + b"\r\n" + HEAD, b"x"),
        ):
            transport, channel = self.send(sent)
            for _ in range(REQUEST_SECONDS - 1):
                self.clock.advance(1)
                channel.dataReceived(dripped)
            self.assertFalse(transport.disconnected)
            # the time of one that came with another begins with its next byte
            self.clock.advance(2)
            self.assertTrue(transport.disconnected, sent)

    def test_in_time(self) -> None:
        """A connection on which whole requests come goes on."""
        transport, channel = self.send(HEAD + b"\r\n")
        for _ in range(REQUEST_SECONDS):
            self.clock.advance(REQUEST_SECONDS - 1)
            channel.dataReceived(HEAD + b"\r\n")
        self.assertFalse(transport.disconnecting or transport.disconnected)
        self.assertEqual(transport.value().count(b"HTTP/1.1 200 "), REQUEST_SECONDS + 1)

    def test_unread(self) -> None:
        """A last answer that nobody reads is cut off."""
        transport, channel = self.send(HEAD + b"connection: close\r\n\r\n")
        self.clock.advance(ANSWER_SECONDS - 1)
        self.assertFalse(transport.disconnected)
        self.clock.advance(1)
        self.assertTrue(transport.disconnected)
        _, channel = self.send(HEAD + b"connection: close\r\n\r\n")
        channel.connectionLost()
        self.assertEqual(self.deadlines(channel), 0)

    def test_unread_pipelined(self) -> None:
        """The last of two requests that came together has one deadline, which ends with the connection."""
        transport, channel = self.send(SLOW + b"\r\n" + HEAD + b"connection: close\r\n\r\n")
        self.clock.advance(0)
        self.assertEqual(transport.value().count(b"HTTP/1.1 200 "), 2)
        self.assertEqual(self.deadlines(channel), 1)
        channel.connectionLost()
        self.assertEqual(self.deadlines(channel), 0)

    def test_pipelined_behind(self) -> None:
        """A last request that is under way still is not cut off by the end of the one that came with it."""
        transport, channel = connected(admin_site(self.clock, self.gateway, True))
        assert isinstance(channel, AdminChannel)
        tap = b"POST /tap?seconds=300 HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
        channel.dataReceived(SLOW + b"\r\n" + tap)
        self.clock.advance(0)
        self.assertEqual((transport.value().count(b"HTTP/1.1 200 "), len(self.gateway.taps)), (2, 1))
        self.clock.advance(ANSWER_SECONDS + 1)
        self.assertFalse(transport.disconnected)
        channel.connectionLost()
        self.assertEqual((self.gateway.taps, self.deadlines(channel)), ([], 0))

    def deadlines(self, channel: AdminChannel) -> int:
        """Return how many deadlines of a connection run."""
        return len([call for call in self.clock.getDelayedCalls() if call.func == channel._too_slow])

    def test_heads(self) -> None:
        """Heads are neither long nor full of fields."""
        for fields, status in (
            ([f"a: {'x' * 8000}"] * 2, 200),
            ([f"a: {'x' * 8200}"] * 2, 400),
            (["a: x"] * (MOST_FIELDS - 2), 200),
            (["a: x"] * (MOST_FIELDS - 1), 400),
        ):
            self.assertEqual(asked(self.site, "GET /live", *fields).status, status, (len(fields), status))
        # a line that is longer ends the connection without a word
        self.assertEqual(asked(self.site, f"GET /live?{'x' * MOST_HEAD}").status, 0)

    def test_broken_page(self) -> None:
        """What goes wrong inside is logged, and nobody is told of it."""
        del self.gateway.ready
        answer = asked(self.site, "GET /ready")
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"Traceback", answer.body)
        self.assertNotIn(b"PretendedGateway", answer.body)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
