"""Tests of L{edgegate.observe.log_tap}."""

from __future__ import annotations

import json

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.model.addresses import TCPAddress
from edgegate.model.routes import HTTPRoute
from edgegate.observe.access_log import line_of
from edgegate.observe.events import RejectedConnection, RelayEnd
from edgegate.observe.log_lines import Line, json_line, text_line
from edgegate.observe.log_tap import LINE, MOST_A_SECOND, LogFilter, LogTap, tap_of
from edgegate.observe.tap import LOST, Tap, TapFilter
from tests.observe.test_log_lines import ORIGIN, AnyConnection, AnyHead, AnyRequest
from tests.observe.test_tap import Reader

CLIENT, HERE = TCPAddress("10.0.0.9", 4000), TCPAddress("10.0.0.1", 443)
RELAY = RelayEnd(AnyConnection(), CONNECT_REFUSED, ORIGIN)
REJECTED = RejectedConnection(CLIENT, HERE, "unknown server name", "other.example", True)


def lines(json: bool) -> Line:
    """Return what makes lines."""
    return line_of(json_line if json else text_line)


class LogFilterTests(SynchronousTestCase):
    """Which lines are shown."""

    def test_all(self) -> None:
        """Without a condition all are."""
        for ended in (AnyRequest(), RELAY, REJECTED):
            self.assertTrue(LogFilter().wants(ended), ended)

    def test_requests(self) -> None:
        """Each condition can be met or not."""
        route = HTTPRoute("all", ORIGIN, ())
        request = AnyRequest(AnyHead(authority=b"Shop.Example:80"), status=503, fault=CONNECT_REFUSED, route=route)
        for met, missed in (
            (LogFilter(host="shop.example"), LogFilter(host="hop.example")),
            (LogFilter(host="*.example"), LogFilter(host="*.shop.example")),
            (LogFilter(route="all"), LogFilter(route="al")),
            (LogFilter(route="shop.yaml:12"), LogFilter(route="shop.yaml:1")),
            (LogFilter(route="shop.yaml"), LogFilter(route="shop.yam")),
            (LogFilter(statuses=(503, 503)), LogFilter(statuses=(504, 599))),
            (LogFilter(statuses=(500, 599)), LogFilter(statuses=(100, 502))),
            (LogFilter(flags=frozenset(("UF", "UH"))), LogFilter(flags=frozenset(("UH",)))),
        ):
            self.assertTrue(met.wants(request), met)
            self.assertFalse(missed.wants(request), missed)
        self.assertFalse(LogFilter(route="all").wants(AnyRequest()))
        self.assertTrue(LogFilter(flags=frozenset(("DI",))).wants(AnyRequest(flags="DI,URX")))

    def test_others(self) -> None:
        """A relay and a connection that came to nothing have an SNI, flags and no status; a relay has a route."""
        for met, missed, ended in (
            (LogFilter(host="shop.example"), LogFilter(host="other.example"), RELAY),
            (LogFilter(flags=frozenset(("UF",))), LogFilter(flags=frozenset(("NR",))), RELAY),
            (LogFilter(route="shop.yaml:12"), LogFilter(route="all"), RELAY),
            (LogFilter(statuses=(0, 0)), LogFilter(statuses=(100, 599)), RELAY),
            (LogFilter(host="*.example"), LogFilter(host="shop.example"), REJECTED),
            (LogFilter(flags=frozenset(("NR",))), LogFilter(route="shop.yaml"), REJECTED),
        ):
            self.assertTrue(met.wants(ended), met)
            self.assertFalse(missed.wants(ended), missed)


class LogTapTests(SynchronousTestCase):
    """What is shown."""

    def test_lines(self) -> None:
        """Whatever ends has the line that the access log has of it."""
        reader = Reader()
        tap = tap_of(LogFilter(), reader.take, lines)
        assert isinstance(tap, LogTap)
        tap.request_ended(AnyRequest())
        tap.relay_ended(RELAY)
        tap.connection_rejected(REJECTED)
        first, second, third = (str(each[LINE]) for each in reader.shown)
        self.assertRegex(first, r'^\[20.*\] "GET /a\?b=c HTTP/1.1" 200 - via_upstream .*\n$')
        self.assertIn('"- - -" 0 UF ', second)
        self.assertIn('"- - -" 0 NR ', third)

    def test_json(self) -> None:
        """Who asks for JSON gets that, and what is not wanted is not made."""
        reader = Reader()
        tap = tap_of(LogFilter(statuses=(404, 404), json=True), reader.take, lines)
        tap.request_ended(AnyRequest())
        tap.request_ended(AnyRequest(status=404))
        (shown,) = reader.shown
        self.assertEqual(json.loads(str(shown[LINE]))["response_code"], 404)

    def test_too_many(self) -> None:
        """What is too much for one second is lost; the next line that is taken says how many those were, once."""
        reader, clock = Reader(), Clock()
        tap = LogTap(LogFilter(), reader.take, lambda ended, at, ahead: "line\n", clock.seconds)
        for _ in range(MOST_A_SECOND + 3):
            tap.request_ended(AnyRequest())
        self.assertEqual(reader.shown, [{LINE: "line\n"}] * MOST_A_SECOND)
        clock.advance(1)
        reader.reads = False
        tap.request_ended(AnyRequest())
        reader.reads = True
        tap.request_ended(AnyRequest())
        tap.request_ended(AnyRequest())
        # whoever did not take one counts that
        self.assertEqual(reader.shown[MOST_A_SECOND:], [{LINE: "line\n", LOST: 3}, {LINE: "line\n"}])

    def test_tap(self) -> None:
        """Who wants to see requests gets a tap."""
        self.assertIsInstance(tap_of(TapFilter(), Reader().take, lines), Tap)
