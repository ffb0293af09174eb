"""Tests for L{edgegate.http.recent_requests}."""

from __future__ import annotations

from typing import Any, cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.http.recent_requests import FIELD, MOST_BYTES, MOST_FOUND, RecentRequests, kept_fields
from edgegate.model.policies import RetryPolicy
from edgegate.observe.tap import REDACTED, Tapped
from tests.http.conversation import Conversation, FakeStream, to_web
from tests.http.h1.test_downstream_connection import GET, OK
from tests.http.h2.clients import HTTP2Client

UNAVAILABLE = b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\n\r\n"


class RecentRequestsTests(SynchronousTestCase):
    """Requests of a conversation, looked for when they have ended."""

    def talk(self, *routes: Any, most: int = 10, redacted: frozenset[bytes] = frozenset(), **more: Any) -> Conversation:
        """Begin a conversation whose requests are kept."""
        self.recent = RecentRequests(most, redacted)
        return Conversation(*routes, observers=(self.recent,), **more)

    def only(self) -> Tapped:
        """Return the story of the only request that is kept, which is found by its id."""
        (listed,) = self.recent.latest(10)
        (story,) = self.recent.found(str(listed["request_id"]))
        return story

    def tries(self, story: Tapped) -> list[dict[str, object]]:
        """Return the tries of a story, without their times, which are not below zero."""
        found = cast("list[dict[str, object]]", story["tries"])
        for each in found:
            for name in ("after_ms", "ms"):
                self.assertGreaterEqual(cast(float, each.pop(name)), 0.0)
        return found

    def test_answered(self) -> None:
        """What a client asked, which way it went, and what it got; its backend has got the same id."""
        talk = self.talk()
        client = talk.client()
        client.deliver(b"GET /a?b=c HTTP/1.1\r\nhost: web.example\r\nx-b: 1\r\n\r\n")
        backend = talk.backend()
        backend.deliver(OK)
        story = self.only()
        self.assertIn(f"x-request-id: {story['request_id']}\r\n".encode(), backend.sent)
        self.assertEqual(
            (story["method"], story["authority"], story["target"], story["protocol"], story["scheme"]),
            ("GET", "web.example", "/a?b=c", "HTTP/1.1", "http"),
        )
        self.assertEqual((story["client"], story["port"]), ("192.0.2.7:4711", 80))
        self.assertEqual(story["request_headers"], [["x-b", "1"]])
        self.assertEqual(
            (story["virtual_host"], story["route"], story["file"], story["cluster"], story["endpoint"]),
            ("web.example", "r", "coolstore.yaml:1", "web", "10.0.0.1:80"),
        )
        self.assertEqual((story["status"], story["flags"], story["details"]), (200, [], "via_upstream"))
        answer = {"number": 1, "endpoint": "10.0.0.1:80", "status": 200, "flag": None, "reason": None}
        self.assertEqual(self.tries(story), [{**answer, "connection": "new"}])
        self.assertIn("x-envoy-upstream-service-time", dict(cast("list[list[str]]", story["response_headers"])))

    def test_retries(self) -> None:
        """Each try is told with its endpoint and why it ended."""
        talk = self.talk(to_web(retries=RetryPolicy(2, statuses=frozenset((503,)))), endpoints=3)
        talk.ask(GET)
        first = talk.connects[-1]
        first.failed(CONNECT_REFUSED)
        talk.retry()
        second = talk.connects[-1]
        second.accept().deliver(UNAVAILABLE)
        talk.retry()
        third = talk.connects[-1]
        third.accept().deliver(OK)
        story = self.only()
        found = [(each["number"], each["endpoint"], each["status"], each["reason"]) for each in self.tries(story)]
        self.assertEqual(
            found,
            [
                (1, str(first.address), 0, "connect refused"),
                (2, str(second.address), 503, None),
                (3, str(third.address), 200, None),
            ],
        )

    def test_own_answer(self) -> None:
        """A request that no backend was asked for has an id, too."""
        talk = self.talk()
        talk.ask(GET.replace(b"web.example", b"other.example"))
        story = self.only()
        self.assertEqual((story["status"], story["flags"], story["reason"]), (404, ["NR"], "no route"))
        self.assertEqual((story["tries"], story["virtual_host"], story["file"]), ([], None, None))
        self.assertEqual(talk.ended[0].request_id.decode(), story["request_id"])

    def test_unreadable(self) -> None:
        """So has what could not be read."""
        talk = self.talk()
        talk.ask(b"NO\r\n\r\n")
        self.assertEqual(self.only()["status"], 400)

    def test_client_gone(self) -> None:
        """One whose client left tells of the try that was given up."""
        talk = self.talk()
        client = talk.client()
        client.deliver(GET)
        talk.backend()
        client.reset()
        story = self.only()
        self.assertEqual((story["status"], story["flags"]), (0, ["DC"]))
        self.assertEqual([(each["status"], each["reason"]) for each in self.tries(story)], [(0, None)])

    def test_http2(self) -> None:
        """Streams of one connection are told apart."""
        talk = self.talk()
        client = HTTP2Client(talk)
        client.head(b"/first")
        first = talk.connects[-1]
        client.head(b"/second")
        second = talk.connects[-1]
        second.accept().deliver(UNAVAILABLE)
        first.accept().deliver(OK)
        client.read()
        listed = [(each["target"], each["status"], each["tries"]) for each in self.recent.latest(10)]
        self.assertEqual(listed, [("/first", 200, 1), ("/second", 503, 1)])

    def test_secrets(self) -> None:
        """What secret headers say is not kept, were it in an answer or named by an option."""
        talk = self.talk(redacted=frozenset((b"x-key",)))
        talk.ask(b"GET / HTTP/1.1\r\nhost: web.example\r\nauthorization: a-secret\r\nx-key: a-secret\r\nx-b: b\r\n\r\n")
        talk.backend().deliver(OK.replace(b"\r\n\r\n", b"\r\nset-cookie: a-secret\r\n\r\n"))
        story = self.only()
        self.assertEqual(story["request_headers"], [["authorization", REDACTED], ["x-key", REDACTED], ["x-b", "b"]])
        self.assertIn(["set-cookie", REDACTED], cast("list[list[str]]", story["response_headers"]))
        self.assertNotIn("a-secret", str(story))

    def test_bounded(self) -> None:
        """The oldest is forgotten, of a long head not all is kept, and nothing of one that is under way is left."""
        talk = self.talk(most=2)
        client = talk.client()
        backend: FakeStream | None = None
        for path in (b"/1", b"/2", b"/3"):
            client.deliver(GET.replace(b"GET /", b"GET " + path))
            backend = backend or talk.backend()
            backend.deliver(OK)
        self.assertEqual([str(each["target"])[:2] for each in self.recent.latest(10)], ["/3", "/2"])
        self.assertEqual(len(self.recent.latest(1)), 1)
        self.assertEqual(self.recent._under_way, {})
        fields = [(b"x-%d" % number, b"v" * 1000) for number in range(10)]
        kept = kept_fields(fields, frozenset())
        self.assertEqual(kept[-1], (b"...", b""))
        self.assertLess(sum(len(value) for _, value in kept), MOST_BYTES)

    def test_many_small_fields(self) -> None:
        """Each field counts for what it takes of memory, so that many small ones are no way around the bound."""
        kept = kept_fields([(b"x", b"")] * 10_000, frozenset())
        self.assertEqual(kept[-1], (b"...", b""))
        self.assertEqual(len(kept) - 1, MOST_BYTES // (FIELD + 1))

    def test_same_id(self) -> None:
        """Of requests with one id, which trusted proxies may choose, some of the last are found."""
        talk = self.talk(most=100, hops=1)
        client = talk.client()
        backend: FakeStream | None = None
        for _ in range(MOST_FOUND + 1):
            client.deliver(GET.replace(b"\r\n\r\n", b"\r\nx-request-id: same\r\n\r\n"))
            backend = backend or talk.backend()
            backend.deliver(OK)
        self.assertEqual(len(self.recent.found("same")), MOST_FOUND)
        self.assertEqual(self.recent.found("other"), [])
        self.assertEqual(self.recent.found("\u20ac"), [])
