"""Tests for L{edgegate.http.resources}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.errors import NO_ROUTE
from edgegate.http.interfaces import IResource
from edgegate.http.resources import FaultResource, HTTPSRedirectResource, ReverseProxyResource
from tests.http.conversation import Conversation


class ResourceTests(SynchronousTestCase):
    """What answers exchanges."""

    def test_interfaces(self) -> None:
        """All of them are resources."""
        for resource in (
            ReverseProxyResource(Conversation().gateway),
            HTTPSRedirectResource(443),
            FaultResource(NO_ROUTE),
        ):
            verifyObject(IResource, resource)

    def location(self, target: bytes, host: bytes) -> bytes:
        """Return where a request is redirected to."""
        client = Conversation().client()
        client.deliver(b"GET %b HTTP/1.1\r\nHost: %b\r\n\r\n" % (target, host))
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 301 Moved Permanently\r\n"), client.sent)
        return client.sent.partition(b"location: ")[2].partition(b"\r\n")[0]

    def test_redirect(self) -> None:
        """Same host, path and query; the port of the request is dropped."""
        self.assertEqual(self.location(b"/a?b=c&d", b"Moved.example:80"), b"https://moved.example/a?b=c&d")
        self.assertEqual(self.location(b"/", b"moved.example."), b"https://moved.example/")

    def test_redirect_to_a_port(self) -> None:
        """The port of the https server is named where it is not 443."""
        self.assertEqual(self.location(b"/x", b"moved-far.example:8080"), b"https://moved-far.example:8443/x")

    def test_redirect_of_an_upload(self) -> None:
        """A request with a body is redirected without reading it."""
        client = Conversation().client()
        client.deliver(b"POST /a HTTP/1.1\r\nHost: moved.example\r\nContent-Length: 100000\r\n\r\nabc")
        self.assertIn(b"location: https://moved.example/a\r\n", client.sent)
        self.assertEqual(client.ended, "half-closed")
