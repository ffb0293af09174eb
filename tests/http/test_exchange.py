"""Tests for L{edgegate.http.exchange}."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, NO_ROUTE, UPSTREAM_CUT_SHORT, UPSTREAM_TIMEOUT
from edgegate.http.exchange import Exchange, Phase
from edgegate.http.field_block import FieldBlock
from edgegate.http.forwarded import Client
from edgegate.http.request import refused_head
from edgegate.http.response import ResponseHead
from tests.http.conversation import plain


class FakeDownstream:
    """Keeps what it is told to answer."""

    def __init__(self) -> None:
        self.downstream = plain()
        self.client = Client(self.downstream, 0)
        self.said: list[object] = []

    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...] = ()) -> None:
        self.said.append((head.status, head.length))

    def response_body(self, data: bytes) -> None:
        self.said.append(data)

    def response_end(self, trailers: object) -> None:
        self.said.append("end")

    def response_cut(self) -> None:
        self.said.append("cut")

    def flush(self) -> None:
        """Nothing is kept."""


class FakeUpload:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def upload(self, data: bytes) -> None:
        self.said.append(data)

    def upload_end(self, trailers: object) -> None:
        self.said.append("end")

    def cancel(self) -> None:
        self.said.append("cancel")


class ExchangeTests(SynchronousTestCase):
    """Exactly one answer is given."""

    def setUp(self) -> None:
        self.stream = FakeDownstream()
        self.upload = FakeUpload()
        self.exchange = Exchange(cast(Any, self.stream), refused_head(), {})
        self.exchange.upload = cast(Any, self.upload)

    def test_phases(self) -> None:
        """A response is awaited, begins, and is over."""
        self.assertEqual(self.exchange.phase, Phase.AWAITED)
        self.exchange.answer(ResponseHead(200, b"OK", [], 2))
        self.assertEqual(self.exchange.phase, Phase.BEGUN)
        self.exchange.send(b"ok")
        self.exchange.finish([])
        self.assertEqual(self.exchange.phase, Phase.OVER)
        self.assertEqual(self.stream.said, [(200, 2), b"ok", "end"])
        self.assertEqual((self.exchange.status, self.exchange.sent), (200, 2))

    def test_request_body(self) -> None:
        """A body goes to who asked for it, and is counted."""
        self.exchange.receive(b"abc")
        self.exchange.receive_end([])
        self.assertEqual(self.upload.said, [b"abc", "end"])
        self.assertEqual(self.exchange.received, 3)
        self.exchange.upload = None
        self.exchange.receive(b"thrown away")
        self.assertEqual(self.exchange.received, 14)

    def test_fault_before_the_answer(self) -> None:
        """A fault becomes a response of its own."""
        self.exchange.fail(NO_ROUTE)
        self.assertEqual(self.stream.said, [(404, 14), b"no route (NR)\n", "end"])

    def test_answers_without_a_body(self) -> None:
        """What a 304 or a 204 of the gateway's own would have held is not sent, not counted, and no length is told."""
        self.exchange.reply(304, [], b"unseen")
        self.assertEqual(self.stream.said, [(304, None), "end"])
        self.assertEqual(self.exchange.sent, 0)

    def test_fault_for_grpc(self) -> None:
        """A gRPC client is told of a fault in gRPC's words."""
        self.exchange.head.fields = [(b"content-type", b"application/grpc")]
        self.exchange.fail(NO_ROUTE)
        self.assertEqual(self.stream.said, [(200, 0), "end"])

    def test_fault_in_the_answer(self) -> None:
        """A fault after the head cuts the response off."""
        self.exchange.answer(ResponseHead(200, b"OK", [], 2))
        self.exchange.fail(UPSTREAM_CUT_SHORT)
        self.assertEqual(self.stream.said, [(200, 2), "cut"])
        self.assertEqual(self.exchange.fault, UPSTREAM_CUT_SHORT)

    def test_fault_after_the_answer(self) -> None:
        """What is over does not fail any more."""
        self.exchange.reply(301, [], b"")
        self.exchange.fail(UPSTREAM_TIMEOUT)
        self.assertEqual(self.stream.said, [(301, 0), "end"])
        self.assertIsNone(self.exchange.fault)

    def test_late_reply(self) -> None:
        """Who answers too late, or a second time, says nothing."""
        self.exchange.reply(301, [], b"")
        self.exchange.reply(403, [], b"no")
        self.assertEqual((self.stream.said, self.exchange.status), ([(301, 0), "end"], 301))
        self.setUp()
        self.exchange.abandon()
        self.exchange.reply(403, [], b"no")
        self.assertEqual((self.stream.said, self.exchange.status), ([], 0))

    def test_abandoned(self) -> None:
        """A client that is gone calls off the work, once."""
        self.exchange.abandon()
        self.exchange.abandon()
        self.exchange.fail(UPSTREAM_TIMEOUT)
        self.assertEqual(self.upload.said, ["cancel"])
        self.assertEqual(self.stream.said, [])
        self.assertEqual(self.exchange.fault, CLIENT_GONE)

    def test_what_routes_look_at(self) -> None:
        """Conditions see the fields that backends will see."""
        self.exchange.head.fields = [(b"x-a", b"1")]
        self.exchange.head.authority = b"a.example"
        self.assertEqual(
            self.exchange.headers,
            [
                (b"x-a", b"1"),
                (b"host", b"a.example"),
                (b"x-forwarded-for", self.stream.client.address),
                (b"x-forwarded-proto", b"http"),
                (b"x-envoy-external-address", b"192.0.2.7"),
            ],
        )
        self.assertIs(self.exchange.headers, self.exchange.headers)
        self.assertEqual(self.exchange.port, 80)

    def test_marks(self) -> None:
        """Flags that are no faults are kept beside it."""
        self.exchange.mark("DI")
        self.exchange.mark("URX")
        self.exchange.fail(UPSTREAM_TIMEOUT)
        self.assertEqual((self.exchange.flags, self.exchange.fault), ("DI,URX", UPSTREAM_TIMEOUT))

    def test_changed_request(self) -> None:
        """A filter's change is seen by what comes behind it, and by no other request of the same head."""
        before = self.exchange.head
        before.fields = [(b"x-a", b"1"), (b"authorization", b"secret")]
        self.assertIn((b"x-a", b"1"), self.exchange.headers)
        self.exchange.change_request([(b"x-a", b"2")], frozenset((b"authorization",)))
        self.assertEqual(self.exchange.head.fields, [(b"x-a", b"2")])
        self.assertIn((b"x-a", b"2"), self.exchange.headers)
        self.assertEqual(len(before.fields), 2)

    def test_grpc(self) -> None:
        """A client that speaks gRPC is told of a failure in its words; no other is."""
        for kind, status in ((b"application/grpc", 200), (b"application/grpc+proto", 200), (b"text/plain", 504)):
            heads: list[ResponseHead] = []
            self.setUp()
            self.stream.response_head = lambda head, fields=(), heads=heads: heads.append(head)  # type: ignore[misc, method-assign]
            self.exchange.head.fields = [(b"content-type", kind)]
            self.exchange.fail(UPSTREAM_TIMEOUT)
            self.assertEqual(heads[0].status, status)
            told = dict(heads[0].fields)
            self.assertEqual(told.get(b"grpc-status"), b"14" if status == 200 else None)
            self.assertEqual(heads[0].length == 0, status == 200)

    def test_scheme(self) -> None:
        """The scheme is the connection's, unless a trusted proxy in front of the gateway says another."""
        self.exchange.head.forwarded_proto = b"https"
        self.assertEqual(self.exchange.scheme, b"http")
        self.stream.client = Client(self.stream.downstream, 1)
        self.assertEqual(self.exchange.scheme, b"https")
        self.assertIn((b"x-forwarded-proto", b"https"), self.exchange.headers)
