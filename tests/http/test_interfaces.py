"""Tests for L{edgegate.http.interfaces}."""

from typing import cast

from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyClass

from edgegate.http.exchange import Exchange
from edgegate.http.interfaces import Dispatcher, IResource
from tests.http.conversation import Conversation


@implementer(IResource)
class Hello:
    """A resource of an embedder's own."""

    def render(self, exchange: Exchange) -> None:
        exchange.reply(301, [(b"location", b"https://hello.example/")], b"hello")


class Own(Dispatcher):
    """Has one resource for all."""

    def resource_for(self, exchange: Exchange) -> IResource:
        return cast(IResource, Hello())


class IResourceTests(SynchronousTestCase):
    """Whatever provides it can answer."""

    def test_resource_of_ones_own(self) -> None:
        """A small class is enough."""
        verifyClass(IResource, Hello)
        talk = Conversation()
        client = talk.client_of(Own())
        client.deliver(b"GET / HTTP/1.1\r\nHost: any\r\n\r\n")
        self.assertTrue(client.sent.endswith(b"\r\n\r\nhello"))
