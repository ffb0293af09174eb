"""Tests of L{edgegate.admin.tap_page}, asked as a client asks it."""

from __future__ import annotations

import json
from collections.abc import Callable

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from edgegate.admin.options import AdminOptions
from edgegate.admin.site import admin_site
from edgegate.admin.tap_page import MOST_REQUESTS, MOST_SECONDS, MOST_TAPS, SECONDS, BadTap, TapView, parse_tap
from edgegate.observe.log_tap import Wanted
from edgegate.observe.tap import TapFilter, Tapped
from tests.admin.asking import Answer, asked, connected
from tests.admin.served import PretendedGateway


class ParseTests(SynchronousTestCase):
    """What can be asked for."""

    def parse(self, **given: str) -> TapFilter:
        """Read a query."""
        return parse_tap({name.encode(): [value.encode()] for name, value in given.items()}, frozenset()).wanted

    def test_conditions(self) -> None:
        """All conditions together; without any it is ten requests of all."""
        self.assertEqual(self.parse(), TapFilter(requests=10))
        found = self.parse(host="Shop.Example", path="/Cart", method="get", status="5XX", flag="uf", requests="7")
        self.assertEqual(found, TapFilter("shop.example", "/Cart", "GET", "5xx", "UF", 7))
        redacted = frozenset((b"x-key",))
        self.assertEqual(parse_tap({}, redacted).wanted.redacted, redacted)
        self.assertEqual(parse_tap({b"seconds": [b"1", b"300"]}, redacted).seconds, MOST_SECONDS)

    def test_bad(self) -> None:
        """What can't be meant is refused by its name."""
        for name, values in (
            ("status", ("6xx", "99", "5x", "1000", "-1", "xx")),
            ("requests", ("0", "-1", str(MOST_REQUESTS + 1), "1.5", "", "9" * 5000, "\u0661")),
            ("seconds", ("0", str(MOST_SECONDS + 1))),
            ("body", ("1",)),
            ("method", ("\u00ff",)),
            ("path", ("/\u00e9",)),
        ):
            for value in values:
                error = self.assertRaises(BadTap, self.parse, **{name: value})
                self.assertIn(name, str(error))


class TapPageTests(SynchronousTestCase):
    """A client that taps over a UNIX socket."""

    def setUp(self) -> None:
        """Make the site of a gateway."""
        verifyClass(IPushProducer, TapView)
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.site = admin_site(self.clock, self.gateway, True, AdminOptions(redacted=frozenset((b"x-key",))))

    def tap(self, query: str = "") -> tuple[StringTransport, object]:
        """Begin one."""
        transport, channel = connected(self.site)
        head = f"POST /tap?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        channel.dataReceived(head.encode())  # type: ignore[attr-defined]
        return transport, channel

    def lines(self, transport: StringTransport) -> list[object]:
        """Return the lines that have come, out of their chunks."""
        body = Answer(transport.value()).body
        return [json.loads(line) for line in body.split(b"\r\n") if line.startswith(b"{")]

    def test_requests(self) -> None:
        """It shows requests as they end, and ends with the last that was asked for."""
        transport, _ = self.tap("requests=2&host=shop.example")
        found = Answer(transport.value())
        self.assertEqual((found.status, found.fields[b"content-type"]), (200, b"application/x-ndjson"))
        ((wanted, show),) = self.gateway.taps
        self.assertEqual(wanted, TapFilter("shop.example", requests=2, redacted=frozenset((b"x-key",))))
        show({"target": "/1"})
        self.assertEqual(self.lines(transport), [{"target": "/1"}])
        show({"target": "/2"})
        # another worker may have been faster than its end
        show({"target": "/3"})
        end = {"end": "requests", "requests": 2, "missed": 0}
        self.assertEqual(self.lines(transport), [{"target": "/1"}, {"target": "/2"}, end])
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.gateway.taps, [])

    def test_seconds(self) -> None:
        """It ends after its time, too."""
        transport, _ = self.tap("seconds=5")
        self.clock.advance(4)
        self.assertEqual(self.lines(transport), [])
        self.clock.advance(1)
        self.assertEqual(self.lines(transport), [{"end": "seconds", "requests": 0, "missed": 0}])
        self.assertEqual(self.gateway.taps, [])

    def test_gone(self) -> None:
        """Nothing is left of one whose reader is gone."""
        _, channel = self.tap()
        channel.connectionLost(Failure(ConnectionDone()))  # type: ignore[attr-defined]
        self.assertEqual(self.gateway.taps, [])
        self.clock.advance(SECONDS)
        self.assertEqual(asked(self.site, "GET /tap").text, f"0 of {MOST_TAPS} taps\n")

    def test_slow(self) -> None:
        """A reader that does not read misses requests, whose number it is told."""
        transport, _ = self.tap("requests=5")
        ((_, show),) = self.gateway.taps
        assert transport.producer is not None
        transport.producer.pauseProducing()
        for _ in range(3):
            show({"target": "/missed"})
        transport.producer.resumeProducing()
        show({"target": "/1"})
        show({"target": "/2"})
        self.assertEqual(self.lines(transport)[-1], {"end": "requests", "requests": 2, "missed": 3})
        self.assertNotIn({"target": "/missed"}, self.lines(transport))
        self.assertEqual(self.gateway.taps, [])

    def test_lost(self) -> None:
        """What a worker could not show is missed, too, whether the reader reads or not."""
        transport, _ = self.tap("requests=6")
        ((_, show),) = self.gateway.taps
        show({"target": "/1", "lost_before": 2})
        assert transport.producer is not None
        transport.producer.pauseProducing()
        show({"target": "/missed", "lost_before": 9})
        self.assertEqual(self.lines(transport)[-1], {"end": "requests", "requests": 1, "missed": 12})
        self.assertEqual(self.gateway.taps, [])

    def test_at_once(self) -> None:
        """One that has shown enough as it began is ended."""
        stopped: list[bool] = []

        def tap(wanted: Wanted, show: Callable[[Tapped], None]) -> Callable[[], None]:
            show({"target": "/1"})
            return lambda: stopped.append(True)

        self.gateway.tap = tap  # type: ignore[method-assign]
        transport, _ = self.tap("requests=1")
        self.assertEqual(self.lines(transport)[-1], {"end": "requests", "requests": 1, "missed": 0})
        self.assertEqual(stopped, [True])

    def test_many(self) -> None:
        """There are few at once."""
        for _ in range(MOST_TAPS):
            self.tap()
        found = asked(self.site, "POST /tap")
        self.assertEqual((found.status, found.fields[b"retry-after"]), (429, b"30"))
        self.assertEqual(asked(self.site, "GET /tap").text, f"{MOST_TAPS} of {MOST_TAPS} taps\n")
        self.clock.advance(SECONDS)
        self.assertEqual(asked(self.site, "GET /tap").text, f"0 of {MOST_TAPS} taps\n")

    def test_bad(self) -> None:
        """What can't be meant, and what another origin asks, begins none."""
        self.assertEqual(asked(self.site, "POST /tap?status=x").status, 400)
        self.assertEqual(asked(self.site, "POST /tap", "Origin: http://evil.example").status, 403)
        self.assertEqual(asked(self.site, "HEAD /tap").status, 200)
        self.assertEqual(self.gateway.taps, [])

    def test_forbidden(self) -> None:
        """Over TCP without a token everyone on the machine could look: nobody may."""
        site = admin_site(self.clock, self.gateway)
        found = asked(site, "POST /tap")
        self.assertEqual((found.status, self.gateway.taps), (403, []))
        self.assertIn("--admin-token-file", found.text)
        self.assertIn("--admin-token-file", asked(site, "GET /tap").text)
