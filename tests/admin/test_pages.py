"""Tests of L{edgegate.admin.pages}."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.server import Request

from edgegate.admin.pages import Page, answer, answer_later
from edgegate.admin.site import admin_site
from tests.admin.asking import Answer, asked, connected
from tests.admin.served import PretendedGateway


class Later(Page):
    """A page whose answer comes later."""

    def __init__(self, body: Deferred[bytes]) -> None:
        super().__init__()
        self._body = body

    def render_GET(self, request: Request) -> int:
        """Wait for it."""
        return answer_later(request, self._body.addCallback(lambda words: answer(request, words.decode())))


class PagesTests(SynchronousTestCase):
    """A page whose answer comes later."""

    def setUp(self) -> None:
        """Make the site."""
        self.body: Deferred[bytes] = Deferred()
        self.site = admin_site(Clock(), PretendedGateway())
        self.site.resource.putChild(b"later", Later(self.body))

    def test_failed(self) -> None:
        """What fails is logged, and nobody is told why."""
        self.body.errback(ZeroDivisionError("inside"))
        found = asked(self.site, "GET /later")
        self.assertEqual((found.status, found.text), (500, "internal error\n"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_later(self) -> None:
        """It comes as soon as it is there; who has left gets none."""
        transport, channel = connected(self.site)
        channel.dataReceived(b"GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n")  # type: ignore[attr-defined]
        self.assertEqual(transport.value(), b"")
        self.body.callback(b"there")
        self.assertEqual(Answer(transport.value()).body, b"there")
