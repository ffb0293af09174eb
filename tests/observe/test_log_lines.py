"""Tests of L{edgegate.observe.log_lines}."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, CONNECT_REFUSED, INTERNAL, NO_ROUTE, UPSTREAM_CUT_SHORT, Fault
from edgegate.http.fields import Field
from edgegate.model.addresses import TCPAddress
from edgegate.model.origin import Origin
from edgegate.model.routes import HTTPRoute
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.log_lines import (
    NAMES,
    json_line,
    moment,
    rejected_values,
    relay_values,
    request_values,
    shown,
    text_line,
)

BEGAN = 1772366400.0825
ORIGIN = Origin("shop.yaml", 12, "VirtualService default/shop")
CLUSTER = "outbound|80||web.default.svc.cluster.local"


@dataclass
class AnyConnection:
    """A client's connection."""

    peer: object = TCPAddress("10.0.0.9", 4000)
    local: object = TCPAddress("10.0.0.1", 443)
    server_name: str = "shop.example"
    since: float = 1.0


@dataclass
class AnyHead:
    """A request's head."""

    method: bytes = b"GET"
    target: bytes = b"/a?b=c"
    version: str = "1.1"
    authority: bytes = b"shop.example"
    fields: list[Field] = field(default_factory=lambda: [(b"accept", b"*/*"), (b"user-agent", b"curl/8")])


@dataclass
class AnyRequest:
    """A request that was answered by a backend."""

    head: AnyHead = field(default_factory=AnyHead)
    started: float = 1.0
    status: int = 200
    sent: int = 1234
    received: int = 56
    fault: Fault | None = None
    flags: str = ""
    route: HTTPRoute | None = None
    cluster: str = CLUSTER
    upstream: object | None = TCPAddress("10.1.0.1", 8080)
    upstream_local: object | None = TCPAddress("10.1.0.254", 33000)
    upstream_time: int = 7
    forwarded_for: bytes = b"10.0.0.9"
    request_id: bytes = b"1-2-3"
    details: str = ""
    attempts: int = 1
    response: AnyHead | None = None
    policy: Origin | None = None
    connection: AnyConnection = field(default_factory=AnyConnection)


def text(request: AnyRequest) -> str:
    """Return a request's line."""
    return text_line(request_values(request, 0.0089, BEGAN))


class RequestTests(SynchronousTestCase):
    """Requests."""

    def test_text(self) -> None:
        """The line has all of Istio's fields in Istio's order."""
        self.assertEqual(
            text(AnyRequest(route=HTTPRoute("all", ORIGIN, ()))),
            '[2026-03-01T12:00:00.082Z] "GET /a?b=c HTTP/1.1" 200 - via_upstream - "-" 56 1234 8 7 "10.0.0.9" "curl/8"'
            f' "1-2-3" "shop.example" "10.1.0.1:8080" {CLUSTER} 10.1.0.254:33000 10.0.0.1:443 10.0.0.9:4000'
            " shop.example all\n",
        )

    def test_json(self) -> None:
        """JSON has Istio's names; numbers are numbers, and what there is none of is null."""
        line = json_line(request_values(AnyRequest(head=AnyHead(fields=[])), 0.0089, BEGAN))
        self.assertTrue(line.endswith("}\n"))
        found = json.loads(line)
        self.assertEqual(tuple(found), NAMES)
        self.assertEqual((found["response_code"], found["bytes_sent"], found["duration"]), (200, 1234, 8))
        self.assertIsNone(found["user_agent"])
        self.assertEqual(found["requested_server_name"], "shop.example")
        named = request_values(AnyRequest(route=HTTPRoute("all", ORIGIN, ())), 0.0, BEGAN)
        found = json.loads(json_line(named))
        self.assertEqual((found["route_name"], found["route_origin"]), ("all", "shop.yaml:12"))
        self.assertEqual((found["policy"], found["policy_origin"]), (None, None))

    def test_route_without_a_name(self) -> None:
        """A route that has no name is called by its place in the files."""
        self.assertTrue(text(AnyRequest(route=HTTPRoute("", ORIGIN, ()))).endswith(" shop.yaml:12\n"))

    def test_nobody_asked(self) -> None:
        """A request that no route takes has neither backend nor identity."""
        line = text(
            AnyRequest(
                status=404,
                fault=NO_ROUTE,
                upstream=None,
                upstream_local=None,
                cluster="",
                forwarded_for=b"",
                request_id=b"",
                upstream_time=-1,
                connection=AnyConnection(server_name=""),
            )
        )
        self.assertIn('" 404 NR route_not_found - "-" 56 1234 8 - "-" "curl/8" "-" "shop.example" "-" - - ', line)
        self.assertTrue(line.endswith(" 10.0.0.9:4000 - -\n"))

    def test_filters(self) -> None:
        """A response that a filter gave says which; that of a fault says why."""
        answered = AnyRequest(status=403, upstream=None, details="api-key")
        self.assertIn('" 403 - api-key - "-" ', text(answered))
        answered.fault = NO_ROUTE
        self.assertIn('" 403 NR route_not_found - "-" ', text(answered))

    def test_faults(self) -> None:
        """Flags are Envoy's letters, and a connect that failed says why."""
        for fault, words in (
            (CONNECT_REFUSED, '503 UF upstream_reset_before_response_started{connection_failure} - "connect_refused"'),
            (CLIENT_GONE, '503 DC downstream_remote_disconnect - "-"'),
            (INTERNAL, '503 - internal_error - "-"'),
        ):
            self.assertIn(f'HTTP/1.1" {words} 56', text(AnyRequest(status=503, fault=fault)))

    def test_local_answer(self) -> None:
        """An answer that is no backend's says so."""
        self.assertIn('" 301 - direct_response ', text(AnyRequest(status=301, upstream=None)))

    def test_refused_head(self) -> None:
        """What was no request has no method."""
        self.assertIn(
            '"- - HTTP/1.1" 400', text(AnyRequest(status=400, head=AnyHead(b"", b"", authority=b"", fields=[])))
        )

    def test_nobody_writes_lines(self) -> None:
        """Quotes, line ends and bytes beyond ASCII are escaped."""
        agent = b'x"\r\n[2026] "\x00\xff\\'
        line = text(AnyRequest(head=AnyHead(fields=[(b"user-agent", agent)])))
        self.assertEqual(line.count("\n"), 1)
        self.assertIn(r'"x\"\x0d\x0a[2026] \"\x00\xff\\"', line)
        route = HTTPRoute("two\nlines", ORIGIN, ())
        self.assertEqual(text(AnyRequest(route=route)).count("\n"), 1)


class StreamTests(SynchronousTestCase):
    """Relays, and connections that came to nothing."""

    def test_relay(self) -> None:
        """A relay is a line without a request in it."""
        relay = RelayEnd(
            AnyConnection(), None, ORIGIN, CLUSTER, TCPAddress("::1", 9), TCPAddress("::1", 10), sent=3, received=4
        )
        self.assertEqual(
            text_line(relay_values(relay, 1.5, BEGAN)),
            '[2026-03-01T12:00:00.082Z] "- - -" 0 - - - "-" 4 3 1500 - "-" "-" "-" "-" "[::1]:9" '
            f"{CLUSTER} [::1]:10 10.0.0.1:443 10.0.0.9:4000 shop.example shop.yaml:12\n",
        )

    def test_relay_with_a_fault(self) -> None:
        """What ended it stands where Envoy says it."""
        line = text_line(relay_values(RelayEnd(AnyConnection(), UPSTREAM_CUT_SHORT), 0.0, BEGAN))
        self.assertIn('"- - -" 0 UC - upstream_reset_after_response_started{connection_termination} "-" 0 0 0', line)

    def test_misfit(self) -> None:
        """An unknown name is Envoy's C{NR}; other reasons are words."""
        here = TCPAddress("10.0.0.9", 1), TCPAddress("10.0.0.1", 443)
        line = text_line(
            rejected_values(RejectedConnection(*here, "unknown server name", "x.example", unknown=True), 0.0, BEGAN)
        )
        self.assertIn('"- - -" 0 NR - filter_chain_not_found "-" 0 0 0 - ', line)
        self.assertTrue(line.endswith(" 10.0.0.1:443 10.0.0.9:1 x.example -\n"))
        line = text_line(rejected_values(RejectedConnection(*here, "no shared cipher"), 0.0, BEGAN))
        self.assertIn('"- - -" 0 - - no_shared_cipher "-" ', line)


class PiecesTests(SynchronousTestCase):
    """Times and texts."""

    def test_moment(self) -> None:
        """Times are UTC, cut to milliseconds."""
        self.assertEqual(moment(0.9999), "1970-01-01T00:00:00.999Z")

    def test_shown(self) -> None:
        """Plain text stays what it is."""
        self.assertEqual(shown(b"/plain path?x=1"), "/plain path?x=1")
        self.assertEqual(shown(b"\x7f"), r"\x7f")
