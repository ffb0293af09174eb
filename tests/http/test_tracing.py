"""Tests of L{edgegate.http.tracing}: what backends and the collector hear of requests."""

from __future__ import annotations

import base64
import re
import time
from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access_log.lines import log_line
from edgegate.access_log.record import LogRecord
from edgegate.errors import CONNECT_REFUSED
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import FilterStatus
from edgegate.http.guards.key_sets import KeySets
from edgegate.http.upgrade import accept
from edgegate.model.access_logs import AccessLogFile
from edgegate.model.actions import RequestChanges
from edgegate.model.guards.jwt import ClaimHeader, InlineKeys
from edgegate.model.headers import HeaderChanges, Template
from edgegate.model.log_formats import text_format
from edgegate.model.policies import Mirror, RetryPolicy
from edgegate.model.tracing import CustomTag, Propagation, SpanFormat, TagSource, Tracing, TracingProvider
from edgegate.observe.events import Ended
from edgegate.observe.tracing.sampling import Sampler
from edgegate.observe.tracing.span import Span
from edgegate.observe.tracing.tracer import Tracer
from tests.access.jwt.tokens import believed, good
from tests.http.conversation import MIRROR, NOTHING_LEFT, Conversation, FakeStream, to_web
from tests.http.filters.filters import TestFilters
from tests.http.guards.checking import Checking, asking, names
from tests.http.guards.guards import guarded
from tests.http.guards.test_jwt import guard as token_guard

TRACE, SPAN = b"4bf92f3577b34da6a3ce929d0e0e4736", b"00f067aa0ba902b7"
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
UNAVAILABLE = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"


def get(*lines: bytes, host: bytes = b"web.example", target: bytes = b"/a?b=c") -> bytes:
    """Return a request with header lines."""
    return b"\r\n".join([b"GET %b HTTP/1.1" % target, b"host: " + host, *lines, b"", b""])


def told(sent: bytes, name: bytes) -> bytes:
    """Return what a backend is told in a header; empty where it is not, and all values where there are several."""
    return b" & ".join(re.findall(rb"^%b: (.*)\r$" % name, sent, re.MULTILINE))


def tags(span: Span) -> dict[str, str]:
    """Return a span's tags, none of which comes twice."""
    every = [*span.common, *span.tags]
    assert len(dict(every)) == len(every)
    return dict(every)


class TracingTests(SynchronousTestCase):
    """One gateway that traces."""

    def conversation(
        self,
        *routes: Any,
        percent: float = 100,
        propagation: Propagation = Propagation.W3C,
        propagates: bool = True,
        custom: tuple[CustomTag, ...] = (),
        more: tuple[Any, ...] = (),
        **others: Any,
    ) -> Conversation:
        """Begin one whose spans are kept."""
        self.spans: list[Span] = []

        def write(span: Span) -> bytes:
            self.spans.append(span)
            return b""

        provider = TracingProvider(SpanFormat.OTLP, "http://collector.example/", propagation)
        tracing = Tracing(provider, percent, propagates=propagates, node="here", zone="z1", tags=custom)
        tracer = Tracer(tracing, write, lambda written: None, Sampler(percent))
        self.talk = Conversation(*routes, observers=(tracer, *more), **others)
        return self.talk

    def asked(self, request: bytes, answer: bytes = OK) -> bytes:
        """Ask, have a backend answer, and return what it got."""
        self.talk.ask(request)
        if self.talk.connects[-1].pending:
            self.backend = self.talk.backend()
        sent = self.backend.take()
        self.backend.deliver(answer)
        return sent

    def test_begun(self) -> None:
        """A request without a trace gets one: a span for itself, and one in it for the try, which its backend knows."""
        self.conversation()
        sent = self.asked(get(b"user-agent: curl"))
        server, client = self.spans
        self.assertEqual((server.server, client.server), (True, False))
        self.assertEqual((server.parent_id, client.parent_id), (b"", server.span_id))
        self.assertEqual(told(sent, b"traceparent"), b"00-%b-%b-01" % (server.trace_id, client.span_id))
        self.assertEqual(client.trace_id, server.trace_id)
        self.assertTrue(server.started <= client.started <= client.ended == server.ended)
        self.assertEqual(told(sent, b"x-request-id")[14:15], b"9")
        self.assertEqual(tags(server)["guid:x-request-id"].encode(), told(sent, b"x-request-id"))

    def test_tags(self) -> None:
        """Spans say what Istio's say."""
        self.conversation(to_web())
        self.asked(get(b"user-agent: curl"))
        server, client = self.spans
        common = {
            "component": "proxy",
            "node_id": "here",
            "zone": "z1",
            "istio.canonical_service": "unknown",
            "istio.canonical_revision": "latest",
            "istio.mesh_id": "unknown",
            "istio.namespace": "default",
            "istio.cluster_id": "unknown",
            "http.protocol": "HTTP/1.1",
            "http.status_code": "200",
            "response_flags": "-",
            "upstream_cluster": "web",
            "upstream_cluster.name": "web;",
        }
        seen = tags(server)
        seen.pop("guid:x-request-id")
        self.assertEqual(
            seen,
            {
                **common,
                "http.url": "http://web.example/a?b=c",
                "http.method": "GET",
                "user_agent": "curl",
                "downstream_cluster": "-",
                "peer.address": "192.0.2.7",
                "request_size": "0",
                "response_size": "2",
            },
        )
        where = {"upstream_address": "10.0.0.1:80", "peer.address": "10.0.0.1:80"}
        self.assertEqual(tags(client), {**common, **where})
        self.assertEqual((server.name, client.name), ("coolstore:80/*", "router web; egress"))
        self.assertFalse(server.error or client.error)

    def test_taken_up(self) -> None:
        """A trace that a client is in goes on, with its state, and its headers go no further."""
        self.conversation(percent=0)
        sent = self.asked(get(b"Traceparent: 00-%b-%b-01" % (TRACE, SPAN), b"tracestate: a=1", b"tracestate: b=2"))
        server, client = self.spans
        self.assertEqual((server.trace_id, server.parent_id, server.state), (TRACE, SPAN, b"a=1,b=2"))
        self.assertEqual(told(sent, b"traceparent"), b"00-%b-%b-01" % (TRACE, client.span_id))
        self.assertEqual(told(sent, b"tracestate"), b"a=1,b=2")

    def test_decided(self) -> None:
        """What the client's side has decided is kept: no span is made, and the backend hears the same."""
        self.conversation(percent=100)
        sent = self.asked(get(b"traceparent: 00-%b-%b-00" % (TRACE, SPAN)))
        self.assertEqual(self.spans, [])
        trace_id, span_id, flags = told(sent, b"traceparent").split(b"-")[1:]
        self.assertEqual((trace_id, flags), (TRACE, b"00"))
        self.assertNotEqual(span_id, SPAN)
        self.assertEqual(told(sent, b"x-request-id")[14:15], b"4")

    def test_malformed(self) -> None:
        """A trace that is malformed is replaced."""
        self.conversation()
        sent = self.asked(get(b"traceparent: 00-%b-%b" % (TRACE, SPAN), b"tracestate: a=1"))
        self.assertRegex(told(sent, b"traceparent"), rb"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z")
        self.assertNotIn(TRACE, sent)
        self.assertEqual(told(sent, b"tracestate"), b"")

    def test_not_sampled(self) -> None:
        """One that is not sampled has no spans, and its backend is told so."""
        self.conversation(percent=0)
        sent = self.asked(get())
        self.assertEqual(self.spans, [])
        self.assertRegex(told(sent, b"traceparent"), rb"\A00-[0-9a-f]{32}-[0-9a-f]{16}-00\Z")

    def test_forced(self) -> None:
        """A client may ask for its request to be traced, as in Envoy."""
        self.conversation(percent=0)
        sent = self.asked(get(b"x-client-trace-id: 7"))
        self.assertEqual((len(self.spans), told(sent, b"x-request-id")[14:15]), (2, b"b"))

    def test_trusted_id(self) -> None:
        """The id of a trusted proxy is kept, and so is what is decided in it."""
        given = b"00000001-0000-9000-8000-000000000000"
        self.conversation(percent=0, hops=1)
        self.assertEqual(told(self.asked(get(b"x-request-id: " + given)), b"x-request-id"), given)
        self.assertEqual(len(self.spans), 2)

    def test_b3(self) -> None:
        """B3 is read in either form, and written in several headers; W3C's are none of its business."""
        self.conversation(percent=0, propagation=Propagation.B3)
        sent = self.asked(get(b"b3: %b-%b-1" % (TRACE, SPAN), b"traceparent: anything"))
        server, client = self.spans
        self.assertEqual((server.trace_id, server.parent_id), (TRACE, SPAN))
        self.assertEqual((told(sent, b"x-b3-traceid"), told(sent, b"x-b3-spanid")), (TRACE, client.span_id))
        self.assertEqual((told(sent, b"x-b3-parentspanid"), told(sent, b"x-b3-sampled")), (server.span_id, b"1"))
        self.assertEqual((told(sent, b"b3"), told(sent, b"traceparent")), (b"", b"anything"))

    def test_both(self) -> None:
        """Where both are known B3 is read first, and both are written."""
        self.conversation(percent=0, propagation=Propagation.B3_W3C)
        other = b"traceparent: 00-%b-%b-01" % (SPAN * 2, SPAN)
        sent = self.asked(get(b"x-b3-traceid: " + TRACE, b"x-b3-spanid: " + SPAN, b"x-b3-sampled: 0", other))
        self.assertEqual((told(sent, b"x-b3-traceid"), told(sent, b"x-b3-sampled")), (TRACE, b"0"))
        self.assertEqual(told(sent, b"traceparent").split(b"-")[1::2], [TRACE, b"00"])
        self.assertEqual(told(self.asked(get(other)), b"x-b3-traceid"), SPAN * 2)
        for decided in (b"b3: 0", b"x-b3-sampled: 0"):
            sent = self.asked(get(decided, other))
            self.assertEqual((told(sent, b"x-b3-traceid"), told(sent, b"x-b3-sampled")), (SPAN * 2, b"0"))
        self.assertEqual(told(self.asked(get(b"b3: 0")), b"x-b3-sampled"), b"0")

    def test_not_propagated(self) -> None:
        """Where backends are to be told nothing they get what the client has sent."""
        self.conversation(propagates=False)
        given = b"00-%b-%b-01" % (TRACE, SPAN)
        self.assertEqual(told(self.asked(get(b"traceparent: " + given)), b"traceparent"), given)
        self.assertEqual(told(self.asked(get()), b"traceparent"), b"")
        self.assertEqual([span.server for span in self.spans], [True, False, True, False])

    def test_changed_headers(self) -> None:
        """A trace that a route's changes set is replaced."""
        changes = RequestChanges(headers=(HeaderChanges(set=((b"traceparent", Template.parse("x")),)),))
        self.conversation(to_web(request=changes))
        self.assertRegex(told(self.asked(get()), b"traceparent"), rb"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z")

    def test_filters(self) -> None:
        """So is one that a filter sets."""

        def look(exchange: Exchange) -> FilterStatus:
            head = exchange.head
            exchange.head = head.changed([*head.fields, (b"traceparent", b"x")])
            return FilterStatus.CONTINUE

        self.conversation(filters=(TestFilters(look=look),))
        self.assertRegex(told(self.asked(get()), b"traceparent"), rb"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z")

    def test_token(self) -> None:
        """So is what a token says in its place."""
        talk = self.conversation()
        talk.environment.key_sets = KeySets(talk.environment.wheel.clock)
        rules = token_guard(InlineKeys(believed()))
        header = ClaimHeader(b"traceparent", ("sub",))
        client = talk.client(guarded(replace(rules, rules=(replace(rules.rules[0], claim_headers=(header,)),))))
        client.deliver(get(b"authorization: Bearer " + good(time.time())))
        sent = talk.backend().take()
        self.assertRegex(told(sent, b"traceparent"), rb"\A00-[0-9a-f]{32}-[0-9a-f]{16}-01\Z")

    def test_logged(self) -> None:
        """The access log has what the backend was told, and not what the client has said."""
        found: list[tuple[str, list[Field]]] = []

        class Log:
            def request_ended(self, exchange: Ended) -> None:
                record = LogRecord(exchange, exchange.started, 0.0)
                found.append((line(exchange, exchange.started, 0.0), record.request_fields()))

        line = log_line(AccessLogFile("-", text_format("%REQ(traceparent)% %REQ(tracestate)%")))
        self.conversation(more=(Log(),))
        told_first = told(self.asked(get(b"traceparent: 00-%b-%b-01" % (TRACE, SPAN))), b"traceparent")
        told_then = told(self.asked(get()), b"traceparent")
        for (written, fields), value in zip(found, (told_first, told_then), strict=True):
            self.assertEqual(written, f"{value.decode()} -\n")
            self.assertEqual([given for name, given in fields if name == b"traceparent"], [value])

    def test_retries(self) -> None:
        """Each try has a span of its own, which its backend knows; those that came to nothing are errors."""
        policy = RetryPolicy(2, statuses=frozenset((503,)))
        self.conversation(to_web(retries=policy), endpoints=2)
        self.talk.ask(get())
        sent = []
        for answer in (UNAVAILABLE, OK):
            backend = self.talk.backend()
            sent.append(told(backend.sent, b"traceparent"))
            backend.deliver(answer)
            self.talk.retry()
        server, first, second = self.spans
        self.assertEqual([b"00-%b-%b-01" % (server.trace_id, each.span_id) for each in (first, second)], sent)
        self.assertEqual((first.error, second.error, server.error), (True, False, False))
        self.assertEqual([tags(each).get("retry.count") for each in (first, second)], [None, "1"])
        self.assertEqual([tags(each)["http.status_code"] for each in (first, second)], ["503", "200"])
        self.assertLessEqual(first.ended, second.started)

    def test_retry_never_begins(self) -> None:
        """A try that is to be made again has ended with its response, also where the client leaves before the next."""
        policy = RetryPolicy(2, statuses=frozenset((503,)))
        self.conversation(to_web(retries=policy), endpoints=2)
        client = self.talk.ask(get())
        self.talk.backend().deliver(UNAVAILABLE)
        client.reset()
        server, tried = self.spans
        self.assertEqual((tags(server)["response_flags"], tags(tried)["response_flags"]), ("DC", "-"))
        self.assertLessEqual(tried.ended, server.ended)
        self.assertEqual((tags(tried)["http.status_code"], tried.error), ("503", True))

    def test_refused(self) -> None:
        """A backend that can't be reached is an error of the try and of the request, with its flag."""
        self.conversation(to_web(retries=None))
        client = self.talk.ask(get())
        self.talk.connects[-1].failed(CONNECT_REFUSED)
        self.assertIn(b"503", client.sent)
        server, tried = self.spans
        self.assertEqual((server.error, tried.error), (True, True))
        self.assertEqual((tags(server)["response_flags"], tags(tried)["response_flags"]), ("UF", "UF"))
        self.assertEqual((tags(server)["error"], tags(tried)["http.status_code"]), ("true", "0"))
        self.assertEqual(tags(tried)["http.protocol"], "-")

    def test_refused_then(self) -> None:
        """A further try that comes to no connection has no protocol, whatever the try before had."""
        policy = RetryPolicy(1, statuses=frozenset((503,)))
        self.conversation(to_web(retries=policy), endpoints=2)
        self.talk.ask(get())
        self.talk.backend().deliver(UNAVAILABLE)
        self.talk.retry()
        self.talk.connects[-1].failed(CONNECT_REFUSED)
        self.assertEqual([tags(each)["http.protocol"] for each in self.spans], ["HTTP/1.1", "HTTP/1.1", "-"])

    def test_client_gone(self) -> None:
        """A client that leaves before the response ends both spans, once."""
        self.conversation()
        client = self.talk.ask(get())
        self.talk.backend()
        client.reset()
        server, tried = self.spans
        self.assertEqual((tags(server)["response_flags"], tags(tried)["canceled"]), ("DC", "true"))
        self.assertTrue(server.error and tried.error)

    def test_cut(self) -> None:
        """A response that is cut off is an error of its try, too."""
        self.conversation()
        self.talk.ask(get())
        backend = self.talk.backend()
        backend.deliver(OK[:-1])
        backend.finish()
        server, tried = self.spans
        self.assertTrue(tried.error)
        self.assertEqual(tags(tried)["response_flags"], tags(server)["response_flags"])
        self.assertEqual(tags(tried)["http.status_code"], "200")

    def test_local(self) -> None:
        """What no backend answers has one span: redirects, and what has no route, which is named by its host."""
        self.conversation()
        for host, status in ((b"moved.example", "301"), (b"no.example", "404"), (b"void.example", "503")):
            self.talk.ask(get(host=host))
            (span,) = self.spans
            self.spans.clear()
            self.assertEqual((span.server, tags(span)["http.status_code"]), (True, status))
            self.assertEqual(span.error, status == "503")
            name = "coolstore:80/*" if status == "503" else f"egress {host.decode()}"
            self.assertEqual(span.name, name)

    def test_unreadable(self) -> None:
        """What is no request is in no trace."""
        self.conversation()
        self.assertIn(b"400", self.talk.ask(b"GET / HTTP/1.1\r\n\r\n").sent)
        self.assertEqual(self.spans, [])

    def test_mirror(self) -> None:
        """A copy has a span of its own in that of the request, which the mirror knows; it may end later."""
        self.conversation(to_web(mirrors=(Mirror("mirror", 1.0),)))
        self.talk.ask(get(b"traceparent: 00-%b-%b-01" % (TRACE, SPAN)))
        copy = self.talk.connect_to(MIRROR).accept()
        backend: FakeStream = next(each for each in self.talk.connects if each.pending).accept()
        backend.deliver(OK)
        self.assertEqual([each.server for each in self.spans], [True, False])
        copy.deliver(UNAVAILABLE)
        server, tried, shadow = self.spans
        self.assertEqual(
            (shadow.name, shadow.parent_id, shadow.trace_id), ("async mirror egress", server.span_id, TRACE)
        )
        self.assertEqual(told(copy.sent, b"traceparent"), b"00-%b-%b-01" % (TRACE, shadow.span_id))
        self.assertEqual(told(backend.sent, b"traceparent"), b"00-%b-%b-01" % (TRACE, tried.span_id))
        self.assertEqual((tags(shadow)["http.status_code"], shadow.error), ("503", True))
        self.assertEqual(self.talk.left, NOTHING_LEFT)

    def test_upgrade(self) -> None:
        """A request that another protocol follows on ends with that."""
        self.conversation()
        key = base64.b64encode(b"x" * 16)
        lines = [b"connection: upgrade", b"upgrade: websocket"]
        client = self.talk.ask(get(*lines, b"sec-websocket-version: 13", b"sec-websocket-key: " + key))
        backend = self.talk.backend()
        head = [b"HTTP/1.1 101 Switching Protocols", *lines, b"sec-websocket-accept: " + accept(key), b"", b""]
        backend.deliver(b"\r\n".join(head))
        self.assertIn(b"101", client.sent)
        self.assertEqual(self.spans, [])
        backend.finish()
        client.finish()
        server, tried = self.spans
        self.assertEqual([tags(each)["http.status_code"] for each in (server, tried)], ["101", "101"])
        self.assertFalse(server.error or tried.error)

    def test_grpc(self) -> None:
        """A request of gRPC says its status, and is an error where that is a backend's fault."""
        self.conversation(to_web(retries=None))
        for status, error in ((b"5", False), (b"14", True)):
            answer = (
                b"HTTP/1.1 200 OK\r\ncontent-type: application/grpc\r\ngrpc-status: %b\r\ngrpc-message: why\r\n"
                % status
            )
            self.asked(
                get(b"content-type: application/grpc", b"grpc-timeout: 9S"), answer + b"content-length: 0\r\n\r\n"
            )
            server, tried = self.spans
            self.spans.clear()
            seen = tags(server)
            self.assertEqual((seen["grpc.status_code"], seen["grpc.message"]), (status.decode(), "why"))
            self.assertEqual((seen["grpc.path"], seen["grpc.timeout"]), ("/a?b=c", "9S"))
            self.assertEqual((server.error, tried.error), (error, error))

    def test_custom_tags(self) -> None:
        """Tags of the files are there, with their defaults where a header is not."""
        header = TagSource.HEADER
        custom = (
            CustomTag("stage", TagSource.LITERAL, "test"),
            CustomTag("tenant", header, "x-tenant", "nobody"),
            CustomTag("absent", header, "x-absent"),
            CustomTag("env", TagSource.ENVIRONMENT, "NO_SUCH_VARIABLE", "default"),
        )
        self.conversation(custom=custom)
        self.asked(get(b"x-tenant: t1"))
        self.asked(get())
        self.assertEqual([tags(self.spans[at]).get("tenant") for at in (0, 2)], ["t1", "nobody"])
        self.assertEqual((tags(self.spans[1])["stage"], tags(self.spans[0])["env"]), ("test", "default"))
        self.assertNotIn("absent", tags(self.spans[0]))

    def test_long_paths(self) -> None:
        """Of a path that is long the beginning is shown."""
        self.conversation()
        self.asked(get(target=b"/" + b"x" * 1000))
        self.assertEqual(tags(self.spans[0])["http.url"], "http://web.example/" + "x" * 255)

    def test_check(self) -> None:
        """A service that is asked who may pass is told of the trace, by a span of its own."""
        self.conversation(to_web())
        checking = Checking(asking(sent=names(b"traceparent")), talk=self.talk)
        checking.ask(b"GET / HTTP/1.1\r\nHost: web.example\r\n", b"traceparent: 00-%b-%b-01" % (TRACE, SPAN))
        said = told(checking.service.sent, b"traceparent")
        checking.answer(b"200 OK")
        checking.backend.deliver(OK)
        check = next(span for span in self.spans if span.name == "async mirror egress")
        server = next(span for span in self.spans if span.server)
        self.assertEqual(said, b"00-%b-%b-01" % (TRACE, check.span_id))
        self.assertEqual((check.parent_id, check.trace_id), (server.span_id, TRACE))
        self.assertEqual(tags(check)["http.status_code"], "200")
