"""Tests of L{edgegate.admin.site}: what a client can stretch, and what it is told."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.site import MAX_BODY, TIMEOUT, AdminSite
from edgegate.server.reload import Outcome
from tests.admin.asking import asked, connected
from tests.admin.served import PretendedGateway


class AdminSiteTests(SynchronousTestCase):
    """The site, whatever its pages are."""

    def setUp(self) -> None:
        """Make the site of a gateway."""
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.site = AdminSite(self.clock, self.gateway, False)

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

    def test_broken_page(self) -> None:
        """What goes wrong inside is logged, and nobody is told of it."""
        del self.gateway.ready
        answer = asked(self.site, "GET /ready")
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"Traceback", answer.body)
        self.assertNotIn(b"PretendedGateway", answer.body)
        self.assertEqual(len(self.flushLoggedErrors(AttributeError)), 1)
