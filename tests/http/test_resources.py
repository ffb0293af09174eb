"""Tests for L{edgegate.http.resources}."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from edgegate.errors import NO_ROUTE
from edgegate.http.interfaces import IResource
from edgegate.http.resources import (
    FaultResource,
    FilteredResource,
    HTTPSRedirectResource,
    ReverseProxyResource,
    RouteResource,
)
from edgegate.model.actions import DirectResponse, NewPath, Redirect
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.matching import HTTPMatch, Kind, StringMatch
from edgegate.model.operators import Operator
from edgegate.model.policies import CORSPolicy
from edgegate.model.routes import HTTPRoute
from tests.http.conversation import Conversation, to_web
from tests.http.h1.test_downstream_connection import GET, OK, POST

PREFLIGHT = (
    b"OPTIONS / HTTP/1.1\r\nHost: web.example\r\nOrigin: https://a\r\nAccess-Control-Request-Method: PUT\r\n\r\n"
)


class ResourceTests(SynchronousTestCase):
    """What answers exchanges."""

    def test_interfaces(self) -> None:
        """All of them are resources."""
        for resource in (
            ReverseProxyResource(Conversation().gateway),
            FilteredResource(cast(Any, None), cast(Any, None)),
            RouteResource(Conversation().environment),
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


class RouteActionTests(SynchronousTestCase):
    """What routes answer themselves."""

    def answer(self, route: HTTPRoute, request: bytes = GET) -> tuple[Conversation, bytes]:
        """Return the conversation, and what a client gets."""
        talk = Conversation(route)
        return talk, talk.ask(request).sent

    def test_redirect(self) -> None:
        """The location, the status and no body; HEAD gets the same, and nobody is asked."""
        route = to_web(redirect=Redirect(308, NewPath(b"/n"), b"b.example"))
        for method in (b"GET", b"HEAD"):
            talk, sent = self.answer(route, b"%b /old?q=1 HTTP/1.1\r\nHost: web.example\r\n\r\n" % method)
            self.assertTrue(sent.startswith(b"HTTP/1.1 308 Permanent Redirect\r\nlocation: http://b.example/n?q=1\r\n"))
            self.assertTrue(sent.endswith(b"\r\n\r\n"))
            self.assertIn(b"content-length: 0\r\n", sent)
            self.assertEqual((talk.connects, talk.ended[0].fault), ([], None))

    def test_no_path(self) -> None:
        """OPTIONS * has none that a route would take that does not name it; a redirect of one leads to the root."""
        request = b"OPTIONS * HTTP/1.1\r\nHost: web.example\r\n\r\n"
        for matches in ((), (HTTPMatch(method=StringMatch(Kind.EXACT, "OPTIONS")),)):
            talk, sent = self.answer(to_web(matches=matches), request)
            self.assertTrue(sent.startswith(b"HTTP/1.1 404 Not Found\r\n"))
            self.assertEqual(talk.connects, [])
        matches = (HTTPMatch(uri=StringMatch(Kind.EXACT, "*")),)
        _, sent = self.answer(to_web(redirect=Redirect(scheme=b"https"), matches=matches), request)
        self.assertIn(b"location: https://web.example/\r\n", sent)

    def test_direct(self) -> None:
        """The status and the body of the file; HEAD gets the length alone."""
        route = to_web(direct=DirectResponse(503, b"later"))
        _, sent = self.answer(route)
        self.assertTrue(sent.startswith(b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: text/plain\r\n"))
        self.assertTrue(sent.endswith(b"\r\n\r\nlater"))
        _, sent = self.answer(route, GET.replace(b"GET", b"HEAD"))
        self.assertIn(b"content-length: 5\r\n", sent)
        self.assertTrue(sent.endswith(b"\r\n\r\n"))
        _, sent = self.answer(to_web(direct=DirectResponse(204)))
        self.assertNotIn(b"content-", sent)

    def test_changes(self) -> None:
        """The route's changes are made in its own responses."""
        given = HeaderChanges(
            set=((b"x-a", Template.parse("%RESPONSE_CODE%")),), add=((b"set-cookie", Template.parse("b")),)
        )
        for what in ({"direct": DirectResponse(200)}, {"redirect": Redirect(scheme=b"https")}):
            _, sent = self.answer(replace(to_web(**what), response=given))
            status = b"200" if "direct" in what else b"301"
            self.assertIn(b"x-a: %b\r\nset-cookie: b\r\n" % status, sent)

    def test_changed_type(self) -> None:
        """A direct response is text, unless the route says what it is."""
        typed = HeaderChanges(set=((b"content-type", Template.parse("application/json")),))
        for changes, kind in ((typed, b"application/json"), (HeaderChanges((b"content-type",)), b"text/plain")):
            _, sent = self.answer(replace(to_web(direct=DirectResponse(200, b"{}")), response=changes))
            self.assertEqual(sent.count(b"content-type: "), 1)
            self.assertIn(b"content-type: %b\r\n" % kind, sent)

    def test_changes_that_fail(self) -> None:
        """Changes that can't be made because of an error of ours end in a response, without them."""
        broken = HeaderChanges(set=((b"x-a", Template((Operator("NONE"),))),))
        _, sent = self.answer(replace(to_web(direct=DirectResponse(200)), response=broken))
        self.assertTrue(sent.startswith(b"HTTP/1.1 500 "), sent)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)

    def test_changes_without_route(self) -> None:
        """One route's changes are not another's."""
        talk = Conversation(replace(to_web(direct=DirectResponse(200)), response=HeaderChanges((b"location",))))
        client = talk.ask(GET.replace(b"web.example", b"nowhere.example"))
        self.assertTrue(client.sent.startswith(b"HTTP/1.1 404 "))

    def test_upload(self) -> None:
        """A body that nobody wants ends the connection, in order; one that is small enough does not."""
        talk = Conversation(to_web(direct=DirectResponse(200, b"here")))
        client = talk.ask(POST + b"0123456789")
        self.assertTrue(client.sent.endswith(b"here"))
        client = talk.ask(POST + b"0123")
        self.assertTrue(client.sent.endswith(b"here"))
        self.assertEqual(len(talk.ended), 2)


class CORSTests(SynchronousTestCase):
    """Pages of other origins."""

    POLICY = CORSPolicy((StringMatch(Kind.EXACT, "https://a"),), methods=b"PUT")

    def test_preflight(self) -> None:
        """It is answered without a backend, and without a body."""
        talk = Conversation(to_web(cors=self.POLICY))
        sent = talk.ask(PREFLIGHT).sent
        self.assertTrue(
            sent.startswith(
                b"HTTP/1.1 200 OK\r\naccess-control-allow-origin: https://a\r\naccess-control-allow-methods: PUT\r\n"
            ),
            sent,
        )
        self.assertIn(b"content-length: 0\r\n", sent)
        self.assertEqual(talk.connects, [])

    def test_unmatched_preflight(self) -> None:
        """Another origin's goes to the backend, or is answered without naming it."""
        other = PREFLIGHT.replace(b"https://a", b"https://b")
        talk = Conversation(to_web(cors=self.POLICY))
        client = talk.ask(other)
        talk.backend().deliver(OK)
        self.assertNotIn(b"access-control", client.sent)
        talk = Conversation(to_web(cors=replace(self.POLICY, forward_unmatched=False)))
        sent = talk.ask(other).sent
        self.assertTrue(sent.startswith(b"HTTP/1.1 200 OK\r\n"))
        self.assertNotIn(b"access-control-allow-origin", sent)

    def test_answers(self) -> None:
        """A response says who may read it, whatever its backend says, and so do redirects and failures."""
        asked = GET.replace(b"\r\n\r\n", b"\r\nOrigin: https://a\r\n\r\n")
        told = b"access-control-allow-origin: https://a\r\n"
        talk = Conversation(to_web(cors=self.POLICY))
        client = talk.ask(asked)
        talk.backend().deliver(OK.replace(b"Date", b"Access-Control-Allow-Origin: *\r\nDate"))
        self.assertIn(told, client.sent)
        self.assertEqual(client.sent.count(b"access-control"), 1)
        for what in ({"redirect": Redirect(scheme=b"https")}, {"direct": DirectResponse(200, b"x")}):
            self.assertIn(told, Conversation(to_web(cors=self.POLICY, **what)).ask(asked).sent)
        self.assertIn(told, Conversation(to_web(cors=self.POLICY), endpoints=0).ask(asked).sent)

    def test_one_origin_after_the_other(self) -> None:
        """On one connection each request gets what its own origin may."""
        talk = Conversation(to_web(cors=self.POLICY))
        client = talk.client()
        client.deliver(GET.replace(b"\r\n\r\n", b"\r\nOrigin: https://a\r\n\r\n"))
        backend = talk.backend()
        backend.deliver(OK)
        self.assertIn(b"access-control-allow-origin: https://a\r\n", client.take())
        for origin in (b"\r\nOrigin: https://b\r\n\r\n", b"\r\n\r\n"):
            client.deliver(GET.replace(b"\r\n\r\n", origin))
            backend.deliver(OK)
            self.assertNotIn(b"access-control", client.take())
