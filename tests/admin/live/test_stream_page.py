"""Tests of L{edgegate.admin.live.stream_page}, asked as a client asks it."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyClass

from edgegate.admin.live.parts import NowPart
from edgegate.admin.live.stream_page import (
    INTERVAL,
    LONGEST_FILTER,
    MOST_ROWS,
    MOST_WATCHERS,
    OFFSET,
    BadParameter,
    Watcher,
    parse_asked,
)
from edgegate.admin.live.view import Asked
from edgegate.admin.site import admin_site
from tests.admin.asking import Answer, connected
from tests.admin.live.test_board import process
from tests.admin.served import PretendedGateway


class ParseTests(SynchronousTestCase):
    """What can be asked for."""

    def parse(self, **given: str) -> Asked:
        """Read a query."""
        return parse_asked({name.encode(): [value.encode()] for name, value in given.items()})

    def test_asked(self) -> None:
        """Nothing needs to be said; a filter is looked for in lower case."""
        self.assertEqual(self.parse(), Asked(50, "", "rps", False))
        self.assertEqual(
            self.parse(top="7", filter=" Sh\u00f6p ", sort="p99", once="1"), Asked(7, "sh\u00f6p", "p99", True)
        )

    def test_bad(self) -> None:
        """What can't be meant is refused by its name."""
        for name, values in (
            ("top", ("0", "-1", str(MOST_ROWS + 1), "1.5", "9" * 5000, "\u0661")),
            ("sort", ("best", "RPS")),
            ("once", ("yes", "2")),
            ("filter", ("x" * (LONGEST_FILTER + 1),)),
            ("body", ("1",)),
        ):
            for value in values:
                error = self.assertRaises(BadParameter, self.parse, **{name: value})
                self.assertIn(name, str(error))


class StreamTests(SynchronousTestCase):
    """Watchers of a gateway."""

    def setUp(self) -> None:
        """Make the site of a gateway."""
        verifyClass(IPushProducer, Watcher)
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.site = admin_site(self.clock, self.gateway, False)

    def watch(self, query: str = "", method: str = "GET", fields: str = "") -> tuple[StringTransport, Any]:
        """Begin to look."""
        transport, channel = connected(self.site)
        channel.dataReceived(f"{method} /stream?{query} HTTP/1.0\r\nHost: localhost\r\n{fields}\r\n".encode())  # type: ignore[attr-defined]
        self.clock.advance(0)
        return transport, channel

    def leave(self, channel: Any) -> None:
        """Look no more."""
        channel.connectionLost(Failure(ConnectionDone()))

    def events(self, transport: StringTransport) -> list[tuple[str, dict[str, Any]]]:
        """Return the events that have come."""
        found = []
        for event in Answer(transport.value()).body.decode().split("\n\n")[1:-1]:
            name, number, data = event.split("\n")
            content = json.loads(data.removeprefix("data: "))
            self.assertEqual(number, f"id: {content['sequence']}")
            found.append((name.removeprefix("event: "), content))
        return found

    def names(self, transport: StringTransport) -> list[str]:
        """Return their names."""
        return [name for name, _ in self.events(transport)]

    def tick(self) -> None:
        """Let the next second pass."""
        self.gateway.watching[0][0](0, process())
        self.clock.advance(INTERVAL)
        self.clock.advance(0)

    def test_events(self) -> None:
        """Everything comes at once, and each second what is different, until the watcher leaves."""
        transport, channel = self.watch("top=1&filter=shop")
        answer = Answer(transport.value())
        self.assertEqual((answer.status, answer.fields[b"content-type"]), (200, b"text/event-stream; charset=utf-8"))
        self.assertTrue(answer.body.startswith(b"retry: 2000\n\n"))
        ((name, content),) = self.events(transport)
        self.assertEqual((name, content["top"], content["filter"]), ("full", 1, "shop"))
        self.assertEqual((len(content["routes"]["rows"]), content["routes"]["rest"]), (1, 2))
        self.clock.advance(OFFSET)
        self.tick()
        self.tick()
        self.assertEqual(self.names(transport), ["full", "change", "change"])
        self.leave(channel)
        self.assertEqual(self.gateway.watching, [])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_once(self) -> None:
        """One look has figures of a second, and ends."""
        transport, _ = self.watch("once=1")
        self.clock.advance(OFFSET)
        self.tick()
        self.assertEqual(self.names(transport), ["full", "change"])
        self.assertTrue(transport.disconnecting)
        self.assertEqual(self.gateway.watching, [])

    def test_several(self) -> None:
        """All look at the same; who comes later gets everything first; more than there may be are refused."""
        first, _ = self.watch()
        second, channel = self.watch("sort=name")
        self.assertEqual((len(self.gateway.watching), self.names(second)), (1, ["full"]))
        for _ in range(MOST_WATCHERS - 2):
            self.watch()
        refused = Answer(self.watch()[0].value())
        self.assertEqual((refused.status, refused.fields[b"retry-after"]), (503, b"5"))
        self.leave(channel)
        self.assertEqual(Answer(self.watch()[0].value()).status, 200)
        self.assertEqual(self.names(first), ["full"])

    def test_bad(self) -> None:
        """What can't be meant is 400, and nobody looks for it."""
        answer = Answer(self.watch("sort=best")[0].value())
        self.assertEqual((answer.status, self.gateway.watching), (400, []))
        self.assertIn("rps, errors, p99, name", answer.text)

    def test_origin(self) -> None:
        """A page of another origin has no stream made; one that came from here has."""
        answer = Answer(self.watch(fields="Origin: http://evil.example\r\n")[0].value())
        self.assertEqual((answer.status, self.gateway.watching), (403, []))
        self.assertEqual(Answer(self.watch(fields="Origin: http://localhost\r\n")[0].value()).status, 200)

    def test_methods(self) -> None:
        """HEAD has no body; there is nothing to POST."""
        answer = Answer(self.watch(method="HEAD")[0].value())
        self.assertEqual((answer.status, answer.body, self.gateway.watching), (200, b"", []))
        self.assertEqual(Answer(self.watch(method="POST")[0].value()).status, 405)

    def test_slow_reader(self) -> None:
        """Nothing is made for who does not read; when it reads again it gets everything."""
        transport, _ = self.watch()
        transport.producer.pauseProducing()
        self.clock.advance(OFFSET)
        self.tick()
        self.tick()
        self.assertEqual(self.names(transport), ["full"])
        transport.producer.resumeProducing()
        self.tick()
        self.tick()
        self.assertEqual(self.names(transport), ["full", "full", "change"])

    def test_lost(self) -> None:
        """A process that is gone is shown no more."""
        transport, _ = self.watch()
        take, lost = self.gateway.watching[0]
        take(1, process(1))
        self.clock.advance(OFFSET)
        self.tick()
        lost(1)
        self.tick()
        shown = [len(content["workers"]["rows"]) for _, content in self.events(transport) if "workers" in content]
        self.assertEqual(shown, [1, 2, 1])

    def test_waits(self) -> None:
        """As long as nothing was told nothing is sent; what comes first is sent at once."""
        self.gateway.tells = False
        transport, _ = self.watch()
        self.assertEqual(self.events(transport), [])
        self.gateway.watching[0][0](0, NowPart())
        self.assertEqual(self.events(transport), [])
        self.gateway.tell(self.gateway.watching[0][0])
        self.clock.advance(0)
        self.assertEqual(self.names(transport), ["full"])
