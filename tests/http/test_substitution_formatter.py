"""Tests for L{edgegate.http.substitution_formatter}: what the command operators in headers' values stand for."""

from __future__ import annotations

import os

from edgegate import errors
from edgegate.errors import CONNECT_REFUSED, UPSTREAM_CLOSED
from edgegate.http.field_block import FieldBlock
from edgegate.http.response import ResponseHead
from edgegate.http.substitution_formatter import MEANINGS, Message
from edgegate.model.guards.guard import Guard
from edgegate.model.operators import EMPTY, OPERATORS
from edgegate.model.origin import Origin
from tests.http.formatting import BACKEND, FormatterCase


class OperatorsTests(FormatterCase):
    """Values of an exchange."""

    def test_all(self) -> None:
        """Each operator that has no others within has a meaning; those that stand for nothing are empty."""
        self.assertEqual(set(OPERATORS) - set(MEANINGS), {"COALESCE"})
        answer = ResponseHead(200, b"", [])
        for name in EMPTY:
            self.assertEqual(MEANINGS[name](self.exchange, Message([], answer, BACKEND), "a"), b"", name)

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
            ("%BYTES_RETRANSMITTED%", b""),
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

    def test_metadata(self) -> None:
        """What guards have found out: texts as they are, anything else as JSON, and nothing where there is none."""
        self.assertEqual(self.value("%DYNAMIC_METADATA(a:b)%"), b"")
        claims = {"sub": "me\r\nx-a: b", "groups": ["a", "b"], "deep": {"n": 1}, "kept": object()}
        self.exchange.note("jwt", {"payload": claims})
        for argument, value in (
            ("jwt:payload:sub", b"mex-a: b"),
            ("jwt:payload:groups", b'["a","b"]'),
            ("jwt:payload:deep:n", b"1"),
            ("jwt:payload:deep:n:m", b""),
            ("jwt:payload:none", b""),
            ("jwt:payload:kept", b""),
            ("none:payload", b""),
        ):
            self.assertEqual(self.value(f"%DYNAMIC_METADATA({argument})%"), value, argument)

    def test_policy(self) -> None:
        """The policy that has refused a request, with its place."""
        self.assertEqual(self.value("%POLICY%%POLICY_ORIGIN%"), b"")
        self.exchange.guard = Guard("n/a", Origin("p.yaml", 3, "AddressListPolicy n/a"))
        self.assertEqual(self.value("%POLICY% at %POLICY_ORIGIN%"), b"AddressListPolicy n/a at p.yaml:3")

    def test_environment(self) -> None:
        """Variables of the gateway's environment."""
        os.environ["EDGEGATE_TEST"] = "here"
        self.addCleanup(os.environ.pop, "EDGEGATE_TEST")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST)%"), b"here")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST):2%"), b"he")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST_NOT)%"), b"-")

    def test_no_line_ends(self) -> None:
        """Whatever a value comes from, no line can end in it, and no blank stands at its ends."""
        os.environ["EDGEGATE_TEST"] = " a\r\nset-cookie: b\x7f\t"
        self.addCleanup(os.environ.pop, "EDGEGATE_TEST")
        self.assertEqual(self.value("%ENVIRONMENT(EDGEGATE_TEST)%"), b"aset-cookie: b")
