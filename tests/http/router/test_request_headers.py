"""Tests for L{edgegate.http.router.request_headers}; more of changes is with those of headers and mirrors."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.forwarded import Client
from edgegate.http.request import HostMemory, h1_head
from edgegate.http.router.request_headers import asked_host, begin_request, begin_try, own_fields
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.model.actions import RequestChanges
from edgegate.model.headers import HeaderChanges, Template
from tests.http.conversation import to_web
from tests.http.test_exchange import FakeDownstream


def sent_by(exchange: Exchange, changes: RequestChanges | None = None) -> UpstreamCallbacks:
    """Return what is sent of an exchange's request."""
    request = cast(UpstreamCallbacks, SimpleNamespace())
    begin_request(request, exchange, changes)
    return request


class RequestHeadersTests(SynchronousTestCase):
    """What backends are told."""

    def exchange(self, head: Any = None) -> Exchange:
        """Make one with a client at 192.0.2.7."""
        stream = FakeDownstream()
        stream.client = Client(stream.downstream, 0)
        fields = [(b"Host", b"WEB.example:80"), (b"X-A", b"1")]
        return Exchange(cast(Any, stream), head or h1_head(b"GET", b"/a", "1.1", True, fields, HostMemory()), {})

    def test_shared(self) -> None:
        """What is the same for all with one head is made once; who asks, and the request's id, are not in it."""
        first = self.exchange()
        one, two = sent_by(first), sent_by(self.exchange(first.head))
        self.assertIs(one.head, two.head)
        self.assertEqual(one.head.fields, [(b"x-a", b"1")])
        self.assertEqual((one.head.authority, one.head.host), (b"WEB.example:80", "web.example"))
        self.assertNotEqual(one.request_id, two.request_id)
        self.assertEqual(dict(one.identity.fields)[b"x-forwarded-for"], b"192.0.2.7")
        self.assertEqual(first.request_id, one.request_id)

    def test_changes(self) -> None:
        """Other changes make another head; what is made of the client is made for each request."""
        exchange = self.exchange()
        plain = sent_by(exchange).head
        constant = RequestChanges(headers=(HeaderChanges(set=((b"x-b", Template.parse("2")),)),))
        changed = sent_by(exchange, constant)
        self.assertIsNot(changed.head, plain)
        self.assertIs(sent_by(exchange, constant).head, changed.head)
        self.assertTrue(changed.request_id)
        asks = RequestChanges(headers=(HeaderChanges(set=((b"x-b", Template.parse("%REQ(x-forwarded-for)%")),)),))
        own = sent_by(exchange, asks)
        self.assertIn((b"x-b", b"192.0.2.7"), own.head.fields)
        self.assertIn((b"x-request-id", exchange.request_id), own.head.fields)
        self.assertEqual((own.request_id, own.identity.fields), (b"", ()))

    def test_tries(self) -> None:
        """Each try says which it is, and the rest as the one before, unless the route says that itself."""
        exchange = self.exchange()
        exchange.route = to_web(timeout=5.0)
        first = sent_by(exchange)
        second = sent_by(self.exchange())
        begin_try(second, first, 2)
        self.assertEqual(
            (first.attempt.h1, second.attempt.h1), tuple(b"x-envoy-attempt-count: %d\r\n" % n for n in (1, 2))
        )
        self.assertEqual((second.head, second.request_id), (first.head, first.request_id))
        self.assertIs(second.expected, first.expected)
        self.assertEqual(cast(FieldBlock, first.expected).h1, b"x-envoy-expected-rq-timeout-ms: 5000\r\n")
        own = sent_by(exchange, RequestChanges(headers=(HeaderChanges(remove=(b"x-envoy-attempt-count",)),)))
        begin_try(second, own, 2)
        self.assertEqual((own.attempt, second.attempt), (None, None))

    def test_fields(self) -> None:
        """All fields are told in order, those of the framing where they are wanted."""
        request = sent_by(self.exchange(h1_head(b"POST", b"/", "1.1", True, [(b"Host", b"a")], HostMemory())))
        names = [name for name, _ in own_fields(request)]
        self.assertEqual(
            names, [b"x-forwarded-for", b"x-forwarded-proto", b"x-envoy-external-address", b"x-request-id"]
        )
        self.assertEqual([name for name, _ in own_fields(request, framing=True)], [b"content-length", *names])

    def test_host(self) -> None:
        """The host that is asked for is the client's, unless the route says another; none where that is none."""
        head = self.exchange().head
        for authority, host in ((None, "web.example"), (b"In.Example:81", "in.example"), (b"a b", "")):
            self.assertEqual(asked_host(head, RequestChanges(authority=authority)), host)
        self.assertEqual(asked_host(head, None), "web.example")
