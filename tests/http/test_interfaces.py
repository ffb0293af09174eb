"""Tests for L{edgegate.http.interfaces}."""

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyClass

from edgegate.http.exchange import Exchange
from edgegate.http.interfaces import IResource
from tests.http.conversation import Conversation


@implementer(IResource)
class Hello:
    """A resource of an embedder's own."""

    def render(self, exchange: Exchange) -> None:
        exchange.reply(301, [(b"location", b"https://hello.example/")], b"hello")


class IResourceTests(SynchronousTestCase):
    """Whatever provides it can answer."""

    def test_resource_of_ones_own(self) -> None:
        """A small class is enough."""
        verifyClass(IResource, Hello)
        talk = Conversation()
        talk.gateway.resource_for = lambda exchange: Hello()  # type: ignore[method-assign, assignment, return-value]
        client = talk.client()
        client.deliver(b"GET / HTTP/1.1\r\nHost: any\r\n\r\n")
        self.assertTrue(client.sent.endswith(b"\r\n\r\nhello"))
