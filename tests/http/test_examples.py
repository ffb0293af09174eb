"""Tests of L{edgegate.http.examples}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CLIENT_GONE, CONNECT_REFUSED
from edgegate.http.examples import MOST_CHARACTERS, MOST_ROUTES, SLOW, Examples
from edgegate.http.exchange import Exchange
from edgegate.http.request_metrics import RequestMetrics
from edgegate.observe.live.examples import KEPT
from edgegate.observe.metrics.meters import Meters
from edgegate.observe.observers import Observers
from tests.http.conversation import Conversation, to_web

OK = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
BAD = b"HTTP/1.1 500 Oh\r\nconnection: close\r\ncontent-length: 2\r\n\r\nno"


class ExamplesTests(SynchronousTestCase):
    """Requests of conversations."""

    def setUp(self) -> None:
        """Have metrics told of requests, as always."""
        self.examples = Examples()
        self.talk = Conversation(to_web(retries=None))
        self.talk.environment.observer = Observers([self.talk, RequestMetrics(Meters(), self.examples)])

    def ended(self, answer: bytes = OK, path: bytes = b"/cart?secret=1") -> Exchange:
        """Have a request end, and return it."""
        self.talk.ask(b"GET " + path + b" HTTP/1.1\r\nHost: web.example\r\nCookie: c=1\r\n\r\n")
        self.talk.backend().deliver(answer)
        return self.talk.ended[-1]

    def test_failed(self) -> None:
        """A request that failed is kept, without its query and headers; one that went well is not."""
        self.ended()
        self.assertEqual(list(self.examples.told({})), [])
        self.ended(BAD)
        ((name, (found,), slowest),) = self.examples.told({})
        self.assertTrue(name.endswith("|web.example|0"))
        self.assertEqual(slowest, [])
        self.assertEqual((found["status"], found["path"], found["host"]), (500, "/cart", "web.example"))
        self.assertEqual((found["endpoint"], found["flags"], found["attempts"]), ("10.0.0.1:80", [], 1))
        self.assertNotIn("secret", str(found))

    def test_no_route(self) -> None:
        """What no host is there for is kept, with its flag; what a client left is not."""
        self.talk.ask(b"GET / HTTP/1.1\r\nHost: other.example\r\n\r\n")
        ((name, (found,), _),) = self.examples.told({})
        self.assertTrue(name.endswith("||"))
        self.assertEqual((found["flags"], found["reason"]), (["NR"], "no route"))
        exchange = self.ended()
        exchange.fault = CLIENT_GONE
        self.examples.clear()
        self.examples.note(exchange, 1)
        self.assertEqual(list(self.examples.told({})), [])

    def test_flood(self) -> None:
        """Where all fail few are kept, and slow ones still are."""
        exchange = self.ended()
        exchange.fault = CONNECT_REFUSED
        for _ in range(50):
            self.examples.note(exchange, 1)
        for milliseconds in range(SLOW, SLOW + 50):
            self.examples.note(exchange, milliseconds)
        ((_, errors, slowest),) = self.examples.told({})
        self.assertEqual((len(errors), len(slowest)), (1, KEPT))
        self.assertEqual(slowest[0]["milliseconds"], SLOW + 49)

    def test_slow(self) -> None:
        """One that was slow is kept though it went well; a tunnel, which lasts, is not."""
        exchange = self.ended()
        self.examples.note(exchange, SLOW)
        ((_, errors, (found,)),) = self.examples.told({})
        self.assertEqual((errors, found["milliseconds"]), ([], SLOW))
        self.examples.clear()
        exchange.status = 101
        self.examples.note(exchange, SLOW)
        self.assertEqual(list(self.examples.told({})), [])

    def test_told(self) -> None:
        """What was told is told again only when it is another."""
        known: dict[str, int] = {}
        self.ended(BAD)
        self.assertEqual(len(list(self.examples.told(known))), 1)
        self.assertEqual(list(self.examples.told(known)), [])

    def test_bounds(self) -> None:
        """There is a bound for routes and for what a client sends."""
        for number in range(MOST_ROUTES + 7):
            self.examples.of(str(number)).changes = 1
        names = [name for name, _, _ in self.examples.told({})]
        self.assertEqual(names, [str(number) for number in range(7, MOST_ROUTES + 7)])
        self.ended(BAD, b"/" + b"x" * 1000)
        *_, (_, (found,), _) = self.examples.told({})
        self.assertEqual(len(found["path"]), MOST_CHARACTERS + 3)
