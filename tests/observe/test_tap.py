"""Tests of L{edgegate.observe.tap}."""

from __future__ import annotations

import json
from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.model.routes import HTTPRoute
from edgegate.observe.tap import MOST_CHARACTERS, MOST_HEADERS, REDACTED, SENSITIVE, Tap, TapFilter, Tapped
from tests.observe.test_log_lines import ORIGIN, AnyHead, AnyRequest

HEAD = AnyHead()


class TapFilterTests(SynchronousTestCase):
    """Which requests are looked at."""

    def test_all(self) -> None:
        """Without a condition all are."""
        self.assertTrue(TapFilter().wants(AnyRequest()))

    def test_conditions(self) -> None:
        """Each condition can be met or not."""
        request = AnyRequest(fault=CONNECT_REFUSED, flags="DI,URX", status=503)
        for met, missed in (
            (TapFilter(host="shop.example"), TapFilter(host="hop.example")),
            (TapFilter(host="*.example"), TapFilter(host="*.shop.example")),
            (TapFilter(path="/a"), TapFilter(path="/b")),
            (TapFilter(path="/a?b"), TapFilter(path="a")),
            (TapFilter(method="GET"), TapFilter(method="POST")),
            (TapFilter(status="503"), TapFilter(status="50")),
            (TapFilter(status="5xx"), TapFilter(status="2xx")),
            (TapFilter(flag="UF"), TapFilter(flag="U")),
            (TapFilter(flag="URX"), TapFilter(flag="NR")),
        ):
            self.assertTrue(met.wants(request), met)
            self.assertFalse(missed.wants(request), missed)
            self.assertFalse(replace(met, method="PUT").wants(request), met)

    def test_hosts(self) -> None:
        """A port and the case of a host are nothing to it."""
        for authority in (b"Shop.Example", b"shop.example:8080", b"shop.example:"):
            self.assertTrue(TapFilter(host="shop.example").wants(AnyRequest(AnyHead(authority=authority))), authority)
        self.assertTrue(TapFilter(host="[::1]").wants(AnyRequest(AnyHead(authority=b"[::1]:80"))))
        self.assertTrue(TapFilter(host="[::1]").wants(AnyRequest(AnyHead(authority=b"[::1]"))))
        self.assertFalse(TapFilter(host="*.example").wants(AnyRequest(AnyHead(authority=b"example"))))

    def test_no_request(self) -> None:
        """What was no request, and has none of this, is none of those."""
        broken = AnyRequest(AnyHead(method=b"", target=b"", version="", authority=b"", fields=[]), status=0)
        for wanted in (TapFilter(host="a"), TapFilter(path="/"), TapFilter(method="GET"), TapFilter(status="5xx")):
            self.assertFalse(wanted.wants(broken), wanted)
        self.assertTrue(TapFilter(status="0").wants(broken))


class Reader:
    """
    Somebody who looks.

    @ivar reads: Whether it takes what it is shown.
    """

    def __init__(self) -> None:
        self.shown: list[Tapped] = []
        self.reads = True

    def take(self, tapped: Tapped) -> bool:
        """Take it, or not."""
        if self.reads:
            self.shown.append(tapped)
        return self.reads


class TapTests(SynchronousTestCase):
    """What is shown."""

    def show(self, *requests: AnyRequest, wanted: TapFilter = TapFilter()) -> list[Tapped]:  # noqa: B008
        """Have requests end; return what is shown."""
        reader = Reader()
        tap = Tap(wanted, reader.take)
        for each in requests:
            tap.request_ended(each)
        return reader.shown

    def test_request(self) -> None:
        """A request has its heads, times, and what became of it; all of it is JSON."""
        response = AnyHead(fields=[(b"server", b"b\xfc")])
        route = HTTPRoute("all", ORIGIN, ())
        (shown,) = self.show(AnyRequest(fault=CONNECT_REFUSED, route=route, response=response))
        self.assertEqual(json.loads(json.dumps(shown)), shown)
        self.assertGreaterEqual(float(str(shown["duration_ms"])), 0.0)
        self.assertRegex(str(shown["time"]), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        for name, value in (
            ("method", "GET"),
            ("target", "/a?b=c"),
            ("authority", "shop.example"),
            ("protocol", "HTTP/1.1"),
            ("status", 200),
            ("flags", ["UF"]),
            ("reason", "connect refused"),
            ("response_headers", [["server", "b\xfc"]]),
            ("upstream", "10.1.0.1:8080"),
            ("upstream_ms", 7),
            ("route", "all"),
            ("file", str(ORIGIN)),
            ("attempts", 1),
        ):
            self.assertEqual(shown[name], value, name)
        self.assertIn(["user-agent", "curl/8"], shown["request_headers"])

    def test_little(self) -> None:
        """What there is nothing of is null, and a head that never came has no headers."""
        (shown,) = self.show(AnyRequest(upstream=None, upstream_time=-1, request_id=b"", cluster=""))
        for name in ("upstream", "upstream_ms", "request_id", "cluster", "route", "file", "reason"):
            self.assertIsNone(shown[name], name)
        self.assertEqual(shown["response_headers"], [])

    def test_redacted(self) -> None:
        """What secret headers say is not shown, of requests and responses; neither are those that a user names."""
        names = sorted(SENSITIVE | {b"x-key"})
        fields = [*((name, b"s3cret") for name in names), (b"x-other", b"seen")]
        head = AnyHead(fields=fields)
        wanted = TapFilter(redacted=frozenset((b"x-key",)))
        (shown,) = self.show(AnyRequest(head, response=head), wanted=wanted)
        expected = [*([name.decode(), REDACTED] for name in names), ["x-other", "seen"]]
        self.assertEqual((shown["request_headers"], shown["response_headers"]), (expected, expected))
        self.assertNotIn("s3cret", json.dumps(shown))

    def test_bounds(self) -> None:
        """Long values are cut off, and so are heads of very many headers."""
        fields = [(b"a", b"x" * (MOST_CHARACTERS + 1))] * (MOST_HEADERS + 1)
        (shown,) = self.show(AnyRequest(AnyHead(target=b"/" * 9999, fields=fields)))
        headers = shown["request_headers"]
        assert isinstance(headers, list)
        self.assertEqual((len(headers), headers[-1]), (MOST_HEADERS + 1, ["...", ""]))
        self.assertEqual(headers[0][1], "x" * MOST_CHARACTERS + "...")
        self.assertEqual(len(str(shown["target"])), MOST_CHARACTERS + 3)

    def test_enough(self) -> None:
        """No more are shown than were asked for, and those that do not match don't count."""
        missed = AnyRequest(status=404)
        shown = self.show(missed, *[AnyRequest()] * 5, wanted=TapFilter(status="2xx", requests=3))
        self.assertEqual(len(shown), 3)

    def test_not_taken(self) -> None:
        """What could not be shown is none of those that were asked for."""
        reader = Reader()
        tap = Tap(TapFilter(requests=1), reader.take)
        reader.reads = False
        tap.request_ended(AnyRequest())
        reader.reads = True
        for target in (b"/1", b"/2"):
            tap.request_ended(AnyRequest(AnyHead(target=target)))
        self.assertEqual([each["target"] for each in reader.shown], ["/1"])
