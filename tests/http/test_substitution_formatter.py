"""Tests for L{edgegate.http.substitution_formatter}: what the command operators in headers' values stand for."""

from __future__ import annotations

import os
import platform
from types import SimpleNamespace
from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate import errors
from edgegate.errors import CONNECT_REFUSED, UPSTREAM_CLOSED
from edgegate.http.exchange import Exchange
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.request import refused_head
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import MEANINGS, Message, rendered
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.headers import Template
from edgegate.model.operators import EMPTY, OPERATORS
from edgegate.net.addresses import ConnectionInfo
from tests.http.conversation import plain, to_web
from tests.http.test_exchange import FakeDownstream

BACKEND = cast(Any, object())
"""Stands for the connection that a response came on."""


class OperatorsTests(SynchronousTestCase):
    """Values of an exchange."""

    def setUp(self) -> None:
        """Make an exchange that has asked a backend."""
        self.stream = FakeDownstream()
        self.stream.client = Client(self.stream.downstream, 0)
        head = refused_head()
        head.method, head.target, head.path, head.authority = b"GET", b"/a?b=c", b"/a", b"web.example:80"
        head.fields = [(b"x-a", b"1"), (b"x-a", b"2"), (b"x-long", b"0123456789"), (b"x-empty", b"")]
        self.exchange = Exchange(cast(Any, self.stream), head, {})
        self.exchange.identity_fields()
        self.exchange.route = to_web()
        self.exchange.cluster = "outbound|80||web"
        self.exchange.upstream = TCPAddress("10.0.0.1", 80)
        self.exchange.upstream_local = TCPAddress("10.0.0.254", 40000)

    def value(self, text: str, answer: ResponseHead | None = None, backend: Any = BACKEND) -> bytes:
        """Return what a text stands for in the request, or in the response of a backend or of nobody."""
        fields: list[Field] = [*self.exchange.head.fields, *self.exchange.identity_fields()]
        message = Message(fields) if answer is None else Message(answer.fields, answer, backend)
        return rendered(Template.parse(text), self.exchange, message)

    def test_all(self) -> None:
        """Each operator that has no others within has a meaning; those that stand for nothing are empty."""
        self.assertEqual(set(OPERATORS) - set(MEANINGS), {"COALESCE"})
        answer = ResponseHead(200, b"", [])
        for name in EMPTY:
            self.assertEqual(MEANINGS[name](self.exchange, Message([], answer, BACKEND), "a"), b"", name)

    def test_connection(self) -> None:
        """Addresses of both sides of the connection."""
        for text, value in (
            ("%DOWNSTREAM_REMOTE_ADDRESS%", b"192.0.2.7:4711"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%", b"192.0.2.7"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(24)%", b"192.0.2.0/24"),
            ("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(64)%", b""),
            ("%DOWNSTREAM_REMOTE_PORT%", b"4711"),
            ("%DOWNSTREAM_DIRECT_REMOTE_PORT%", b"4711"),
            ("%DOWNSTREAM_DIRECT_LOCAL_ADDRESS%", b"127.0.0.1:8080"),
            ("%DOWNSTREAM_DETECTED_CLOSE_TYPE%", b"Normal"),
            ("%FILTER_CHAIN_NAME%", b""),
            ("%REQUESTED_SERVER_NAME(SNI_ONLY)%", b""),
            ("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%", b"192.0.2.7"),
            ("%DOWNSTREAM_LOCAL_ADDRESS%", b"127.0.0.1:8080"),
            ("%DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT%", b"127.0.0.1"),
            ("%DOWNSTREAM_LOCAL_PORT%", b"80"),
            ("%PROTOCOL%", b"HTTP/1.1"),
            ("%REQUESTED_SERVER_NAME%", b""),
            ("%HOSTNAME%", platform.node().encode()),
        ):
            self.assertEqual(self.value(text), value, text)

    def test_client_behind_proxies(self) -> None:
        """The client is who trusted proxies say it is."""
        self.exchange.head.forwarded_for = [b"198.51.100.1, 203.0.113.9"]
        self.exchange.identity = None
        self.stream.client = Client(self.stream.downstream, 2)
        self.assertEqual(self.value("%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%"), b"198.51.100.1")
        self.assertEqual(self.value("%DOWNSTREAM_REMOTE_ADDRESS%|%DOWNSTREAM_REMOTE_PORT%"), b"198.51.100.1:0|0")
        self.assertEqual(self.value("%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%"), b"192.0.2.7")

    def test_request(self) -> None:
        """Fields of the request, the first of several, and its line."""
        for text, value in (
            ("%REQ(X-A)%", b"1"),
            ("%REQ(x-no?X-A)%", b"1"),
            ("%REQ(x-empty?X-A)%", b""),
            ("%REQ(x-no?:method)%", b"GET"),
            ("%REQ(x-no)%", b""),
            ("%REQ(:path)%", b"/a?b=c"),
            ("%REQ(:METHOD)%", b"GET"),
            ("%REQ(:authority)%", b"web.example:80"),
            ("%REQ(host)%", b"web.example:80"),
            ("%REQ(:scheme)%", b"http"),
            ("%REQ(x-forwarded-for)%", b"192.0.2.7"),
            ("%REQ(x-long):4%", b"0123"),
            ("<%REQ(x-a)%|%REQ(x-long):2%> 5%%", b"<1|01> 5%"),
        ):
            self.assertEqual(self.value(text), value, text)
        self.assertRegex(self.value("%STREAM_ID%"), rb"^[0-9a-f-]{36}$")
        self.assertEqual(self.value("%STREAM_ID%"), self.value("%REQ(x-request-id)%"))
        self.assertRegex(self.value("%UNIQUE_ID%"), rb"^[0-9a-f-]{36}$")
        self.assertNotEqual(self.value("%UNIQUE_ID%"), self.value("%UNIQUE_ID%"))

    def test_target(self) -> None:
        """The path, the query and its parameters, unescaped; the host where there is no SNI."""
        self.exchange.head.target = b"/a%20b?q=1%202+3&q=4&e&%66=g"
        self.exchange.head.host = "web.example"
        for text, value in (
            ("%PATH%", b"/a%20b?q=1%202+3&q=4&e&%66=g"),
            ("%PATH(NQ)%", b"/a%20b"),
            ("%PATH(NQ:ORIG)%", b""),
            ("%PATH(NQ:ORIG_OR_PATH):3%", b"/a%"),
            ("%QUERY_PARAMS%", b"q=1%202+3&q=4&e&%66=g"),
            ("%QUERY_PARAM(q)%", b"1 2+3"),
            ("%QUERY_PARAM(q):1%", b"1"),
            ("%QUERY_PARAM(e)%", b""),
            ("%QUERY_PARAM(f)%", b"g"),
            ("%QUERY_PARAM(no)%", b""),
            ("%REQUESTED_SERVER_NAME(SNI_FIRST)%", b"web.example"),
            ("%REQUESTED_SERVER_NAME(HOST_FIRST)%", b"web.example"),
        ):
            self.assertEqual(self.value(text), value, text)

    def test_choices(self) -> None:
        """The first operator counts that stands for something."""
        for operators, value in (
            ('{"command": "REQ", "param": "x-no"}, {"command": "REQ", "param": "x-long", "max_length": 3}', b"012"),
            ('{"command": "REQ", "param": "x-no"}, "PROTOCOL"', b"HTTP/1.1"),
            ('{"command": "REQ", "param": "x-no"}', b""),
        ):
            self.assertEqual(self.value(f'%COALESCE({{"operators": [{operators}]}})%'), value, operators)

    def test_upstream(self) -> None:
        """The cluster is known from the first, the backend when it has answered, or has failed to (Envoy)."""
        answer = ResponseHead(200, b"", [])
        self.exchange.attempts = 2
        for text, before, answered, failed in (
            ("%ROUTE_NAME%", b"r", b"r", b"r"),
            ("%UPSTREAM_CLUSTER%", b"outbound|80||web", b"outbound|80||web", b"outbound|80||web"),
            ("%UPSTREAM_CLUSTER_RAW%", b"outbound|80||web", b"outbound|80||web", b"outbound|80||web"),
            ("%UPSTREAM_HOST%", b"", b"10.0.0.1:80", b"10.0.0.1:80"),
            ("%UPSTREAM_HOST_NAME%", b"", b"10.0.0.1:80", b"10.0.0.1:80"),
            ("%UPSTREAM_HOST_NAME_WITHOUT_PORT%", b"", b"10.0.0.1", b"10.0.0.1"),
            ("%UPSTREAM_DETECTED_CLOSE_TYPE%", b"", b"Normal", b"Normal"),
            ("%UPSTREAM_REMOTE_ADDRESS%", b"", b"10.0.0.1:80", b""),
            ("%UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT(8)%", b"", b"10.0.0.0/8", b""),
            ("%UPSTREAM_REMOTE_PORT%", b"", b"80", b""),
            ("%UPSTREAM_LOCAL_ADDRESS%", b"", b"10.0.0.254:40000", b""),
            ("%UPSTREAM_LOCAL_PORT%", b"", b"40000", b""),
            ("%UPSTREAM_PROTOCOL%", b"", b"HTTP/1.1", b""),
            ("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", b"2", b"2", b"2"),
            ("%UPSTREAM_TLS_VERSION%", b"", b"", b""),
        ):
            backend = cast(Any, SimpleNamespace(secured=None, shared=False))
            self.assertEqual(self.value(text), before, text)
            self.assertEqual(self.value(text, answer, backend), answered, text)
            self.assertEqual(self.value(text, answer, None), failed, text)
        shared = cast(Any, SimpleNamespace(secured=None, shared=True))
        self.assertEqual(self.value("%UPSTREAM_PROTOCOL%", answer, shared), b"HTTP/2")
        self.exchange.upstream = self.exchange.upstream_local = self.exchange.route = None
        self.assertEqual(self.value("%UPSTREAM_HOST%%ROUTE_NAME%", answer, None), b"")
        self.exchange.attempts = 0
        self.assertEqual(self.value("%UPSTREAM_REQUEST_ATTEMPT_COUNT%"), b"1")
        self.assertEqual(self.value("%UPSTREAM_REQUEST_ATTEMPT_COUNT%", answer, None), b"0")

    def test_failures(self) -> None:
        """What went wrong, in short, at length and in Envoy's words of details; a dash where nothing did."""
        own = ResponseHead(503, b"", [])
        for flags, fault, text, value in (
            ("", None, "%RESPONSE_FLAGS%|%RESPONSE_FLAGS_LONG%", b"-|-"),
            ("URX", CONNECT_REFUSED, "%RESPONSE_FLAGS%", b"URX,UF"),
            ("", CONNECT_REFUSED, "%RESPONSE_FLAGS_LONG%", b"UpstreamConnectionFailure"),
            ("", CONNECT_REFUSED, "%UPSTREAM_TRANSPORT_FAILURE_REASON%", b"connect_refused"),
            ("", UPSTREAM_CLOSED, "%UPSTREAM_TRANSPORT_FAILURE_REASON%", b""),
            (
                "",
                UPSTREAM_CLOSED,
                "%RESPONSE_CODE_DETAILS%",
                b"upstream_reset_before_response_started{connection_termination}",
            ),
            ("", None, "%RESPONSE_CODE_DETAILS%", b"direct_response"),
        ):
            self.exchange.flags, self.exchange.fault = flags, fault
            self.assertEqual(self.value(text, own, None), value, text)
        self.assertEqual(self.value("%RESPONSE_CODE_DETAILS%"), b"")
        self.assertEqual(self.value("%RESPONSE_CODE_DETAILS(ALLOW_WHITESPACES)%", own), b"via_upstream")
        self.exchange.details = "cors_response"
        self.assertEqual(self.value("%RESPONSE_CODE_DETAILS%", own, None), b"cors_response")

    def test_every_flag_at_length(self) -> None:
        """Each flag of a failure has its long name."""
        faults = [each for each in vars(errors).values() if isinstance(each, errors.Fault) and each.flag != "-"]
        for fault in faults:
            self.exchange.fault = fault
            self.assertNotEqual(self.value("%RESPONSE_FLAGS_LONG%").decode(), fault.flag)

    def test_sizes(self) -> None:
        """Bytes of bodies so far, and of names and values of headers."""
        self.exchange.received, self.exchange.sent = 7, 0
        answer = ResponseHead(200, b"", [(b"x-a", b"12")])
        for text, value in (
            ("%BYTES_RECEIVED%", b"7"),
            ("%BYTES_SENT%", b"0"),
            ("%RESPONSE_HEADERS_BYTES%", b"%d" % len(b":status200x-a12")),
            ("%RESPONSE_TRAILERS_BYTES%", b"0"),
            ("%DOWNSTREAM_WIRE_BYTES_SENT%", b"0"),
            ("%BYTES_RETRANSMITTED%", b"0"),
        ):
            self.assertEqual(self.value(text, answer), value, text)
        self.exchange.head.fields = []
        self.exchange.identity, self.exchange.request_id = FieldBlock((b"a", b"b")), b""
        line = b":authorityweb.example:80:methodGET:path/a?b=c:schemehttp"
        self.assertEqual(self.value("%REQUEST_HEADERS_BYTES%"), b"%d" % len(line + b"abx-request-id"))
        self.assertEqual(self.value("%RESPONSE_HEADERS_BYTES%"), b"0")

    def test_grpc_status(self) -> None:
        """The status of a gRPC response, by name or number, where its client asks by gRPC."""
        answer = ResponseHead(200, b"", [])
        answer.grpc_status = b"14"
        self.assertEqual(self.value("%GRPC_STATUS%", answer), b"")
        self.exchange.head.fields = [(b"content-type", b"application/grpc")]
        for status, camel, snake in (
            (b"14", b"Unavailable", b"UNAVAILABLE"),
            (b"4", b"DeadlineExceeded", b"DEADLINE_EXCEEDED"),
            (b"0", b"OK", b"OK"),
            (b"1", b"Canceled", b"CANCELLED"),
            (b"77", b"77", b"77"),
            (b"1" * 5000, b"1" * 5000, b"1" * 5000),
            (b"", b"", b""),
        ):
            answer.grpc_status = status
            self.assertEqual(self.value("%GRPC_STATUS%", answer), camel)
            self.assertEqual(self.value("%GRPC_STATUS(CAMEL_STRING)%", answer), camel)
            self.assertEqual(self.value("%GRPC_STATUS(SNAKE_STRING)%", answer), snake)
            self.assertEqual(self.value("%GRPC_STATUS(NUMBER)%", answer), status)
            self.assertEqual(self.value("%GRPC_STATUS_NUMBER%", answer), status)
        self.assertEqual(self.value("%GRPC_STATUS%"), b"")

    def test_before_a_backend(self) -> None:
        """Where no backend was asked, who asks is known all the same."""
        self.exchange.identity = None
        own = ResponseHead(200, b"", [])
        self.assertEqual(self.value("%REQ(x-forwarded-for)%", own, None), b"192.0.2.7")
        self.assertEqual(self.value("%STREAM_ID%", own, None), self.value("%REQ(x-request-id)%", own, None))

    def test_answer(self) -> None:
        """Fields and status of a response; in a request there is none."""
        answer = ResponseHead(404, b"", [(b"x-b", b"b"), (b"x-a", b"of the answer")])
        self.exchange.mark("DI")
        for text, value, before in (
            ("%RESPONSE_CODE%", b"404", b"0"),
            ("%RESP(:status)%", b"404", b""),
            ("%RESP(X-No?X-B)%", b"b", b""),
            ("%REQ(x-a)%", b"1", b"1"),
            ("%RESPONSE_FLAGS%", b"DI", b"DI"),
        ):
            self.assertEqual(self.value(text, answer), value, text)
            self.assertEqual(self.value(text), before, text)

    def test_environment(self) -> None:
        """Variables of the gateway's environment."""
        os.environ["EDGEGATE_TEST"] = "here"
        self.addCleanup(os.environ.pop, "EDGEGATE_TEST")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST)%"), b"here")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST):2%"), b"he")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST_NOT)%"), b"-")

    def test_unix_socket(self) -> None:
        """A client on a UNIX socket has a path for an address."""
        told = plain()
        self.exchange.connection = ConnectionInfo(told.listener, told.chain, UNIXAddress("/run/a"), told.local)
        self.assertIn(b"/run/a", self.value("%DOWNSTREAM_REMOTE_ADDRESS%"))

    def test_no_line_ends(self) -> None:
        """Whatever a value comes from, no line can end in it, and no blank stands at its ends."""
        os.environ["EDGEGATE_TEST"] = " a\r\nset-cookie: b\x7f\t"
        self.addCleanup(os.environ.pop, "EDGEGATE_TEST")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST)%"), b"aset-cookie: b")
