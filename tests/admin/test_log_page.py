"""Tests of L{edgegate.admin.log_page}, asked as a client asks it."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from edgegate.admin.log_page import MOST_FOLLOWERS, MOST_LINES, BadFilter, Follower, parse_log, parse_statuses
from edgegate.admin.site import admin_site
from edgegate.observe.log_tap import LogFilter
from tests.admin.asking import Answer, asked, connected
from tests.admin.served import PretendedGateway


class ParseTests(SynchronousTestCase):
    """What can be asked for."""

    def parse(self, **given: str) -> tuple[LogFilter, int]:
        """Read a query."""
        return parse_log({name.encode(): [value.encode()] for name, value in given.items()})

    def test_conditions(self) -> None:
        """All conditions together; without any it is text of everything, without an end."""
        self.assertEqual(self.parse(), (LogFilter(), 0))
        found = self.parse(host="Shop.Example", route="Cart", status="5XX", flag="uf, UH,", lines="7", format="json")
        expected = LogFilter("shop.example", "Cart", (500, 599), frozenset(("UF", "UH")), json=True)
        self.assertEqual(found, (expected, 7))

    def test_statuses(self) -> None:
        """A status, all of a hundred, or those from one on or up to one."""
        for text, expected in (
            ("", None),
            ("0", (0, 0)),
            ("404", (404, 404)),
            ("5xx", (500, 599)),
            (">=500", (500, 599)),
            (">499", (500, 599)),
            ("<400", (100, 399)),
            ("<=404", (100, 404)),
        ):
            self.assertEqual(parse_statuses(text), expected, text)

    def test_bad(self) -> None:
        """What can't be meant is refused by its name, with what could be."""
        for name, values, words in (
            ("status", ("6xx", "99", "5x", "abc", ">=", "=500", ">599", "<100", "\u0665xx"), ">=500"),
            ("flag", ("XX", "UF;UH"), "UF"),
            ("lines", ("-1", "1.5", "", str(MOST_LINES + 1), "9" * 5000), str(MOST_LINES)),
            ("format", ("yaml",), "json"),
            ("hosts", ("a",), "host"),
        ):
            for value in values:
                error = self.assertRaises(BadFilter, self.parse, **{name: value})
                self.assertIn(name, str(error))
                self.assertIn(words, str(error))
        self.assertRaises(BadFilter, parse_log, {b"host": [b"\xff"]})


class LogPageTests(SynchronousTestCase):
    """A client that follows over a UNIX socket."""

    def setUp(self) -> None:
        """Make the site of a gateway."""
        verifyClass(IPushProducer, Follower)
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.site = admin_site(self.clock, self.gateway, True)

    def follow(self, query: str = "") -> tuple[StringTransport, object]:
        """Begin."""
        transport, channel = connected(self.site)
        head = f"POST /log?{query} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        channel.dataReceived(head.encode())  # type: ignore[attr-defined]
        return transport, channel

    def lines(self, transport: StringTransport) -> list[str]:
        """Return the lines that have come, out of their chunks."""
        pieces = Answer(transport.value()).body.split(b"\r\n")
        return b"".join(piece for piece in pieces if piece.endswith(b"\n")).decode().splitlines()

    def test_lines(self) -> None:
        """Lines come as they are made, until there were enough."""
        transport, _ = self.follow("lines=2&host=shop.example")
        found = Answer(transport.value())
        self.assertEqual((found.status, found.fields[b"content-type"]), (200, b"text/plain; charset=utf-8"))
        ((wanted, show),) = self.gateway.taps
        self.assertEqual(wanted, LogFilter("shop.example"))
        show({"line": "one\n"})
        self.assertEqual(self.lines(transport), ["one"])
        show({"worker": 1, "line": "two\n"})
        # another worker may have been faster than its end
        show({"line": "three\n"})
        self.assertEqual(self.lines(transport), ["one", "two"])
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.gateway.taps, [])

    def test_no_end(self) -> None:
        """Who does not say how many follows until gone, and nothing is left of it."""
        transport, channel = self.follow()
        ((_, show),) = self.gateway.taps
        self.clock.advance(3600)
        for _ in range(2000):
            show({"line": "one\n"})
        self.assertEqual(len(self.lines(transport)), 2000)
        self.assertEqual(asked(self.site, "GET /log").text, f"1 of {MOST_FOLLOWERS} follow\n")
        channel.connectionLost(Failure(ConnectionDone()))  # type: ignore[attr-defined]
        self.assertEqual(self.gateway.taps, [])
        self.assertEqual(asked(self.site, "GET /log").text, f"0 of {MOST_FOLLOWERS} follow\n")

    def test_slow(self) -> None:
        """Who does not read misses lines, and is told how many; so is it told of those that a worker has lost."""
        for form, missing in (("text", "# 5 lines are missing here"), ("json", '{"missed": 5}')):
            transport, _ = self.follow(f"lines=7&format={form}")
            ((_, show),) = self.gateway.taps
            show({"line": "one\n"})
            assert transport.producer is not None
            transport.producer.pauseProducing()
            for _ in range(2):
                show({"line": "missed\n"})
            transport.producer.resumeProducing()
            show({"line": "two\n", "lost_before": 3})
            self.assertEqual(self.lines(transport), ["one", missing, "two"])
            self.assertEqual(self.gateway.taps, [])

    def test_slow_at_the_end(self) -> None:
        """One that has missed the last lines is told so as it ends."""
        transport, _ = self.follow("lines=2")
        ((_, show),) = self.gateway.taps
        assert transport.producer is not None
        transport.producer.pauseProducing()
        for _ in range(2):
            show({"line": "missed\n"})
        self.assertEqual(self.lines(transport), ["# 2 lines are missing here"])
        self.assertTrue(transport.disconnecting)

    def test_many(self) -> None:
        """There are few at once."""
        for _ in range(MOST_FOLLOWERS):
            self.follow()
        found = asked(self.site, "POST /log")
        self.assertEqual((found.status, found.fields[b"retry-after"]), (429, b"10"))

    def test_bad(self) -> None:
        """What can't be meant, and what another origin asks, begins none."""
        found = asked(self.site, "POST /log?status=x")
        self.assertEqual(found.status, 400)
        self.assertIn("status: expected 404", found.text)
        self.assertEqual(asked(self.site, "POST /log", "Origin: http://evil.example").status, 403)
        self.assertEqual(self.gateway.taps, [])

    def test_unauthorised(self) -> None:
        """Over TCP without a token everyone on the machine could look: nobody may."""
        site = admin_site(self.clock, self.gateway, False)
        found = asked(site, "POST /log")
        self.assertEqual((found.status, self.gateway.taps), (403, []))
        self.assertIn("--admin-token-file", found.text)
        self.assertIn("--admin-token-file", asked(site, "GET /log").text)
