"""Tests of L{edgegate.explain.recent_story}: by requests that were."""

from __future__ import annotations

import json

from twisted.trial.unittest import SynchronousTestCase

from edgegate.errors import CONNECT_REFUSED
from edgegate.explain.recent_story import story
from edgegate.http.recent_requests import RecentRequests
from edgegate.model.policies import RetryPolicy
from tests.http.conversation import Conversation, to_web
from tests.http.h1.test_downstream_connection import GET, OK


class RecentStoryTests(SynchronousTestCase):
    """Requests of a conversation, told."""

    def setUp(self) -> None:
        """Keep the requests of a route with retries."""
        self.recent = RecentRequests(10)
        self.talk = Conversation(to_web(retries=RetryPolicy(1)), endpoints=2, observers=(self.recent,))

    def told(self, **changes: object) -> list[str]:
        """Return the lines of the last request, as they come by way of JSON."""
        (listed,) = self.recent.latest(1)
        (kept,) = json.loads(json.dumps(self.recent.found(str(listed["request_id"]))))
        return list(story({**kept, **changes}))

    def test_retried(self) -> None:
        """The way of a request with each try: when, where, and why it ended."""
        self.talk.ask(GET)
        self.talk.connects[-1].failed(CONNECT_REFUSED)
        self.talk.retry()
        self.talk.backend().deliver(OK)
        lines = self.told(worker=1)
        self.assertEqual(lines[0], "GET http://web.example/")
        self.assertRegex(lines[1], r"^  at 20.*Z, id [0-9a-f-]{36}, worker 1$")
        self.assertEqual(lines[2], "  from 192.0.2.7:4711 to 127.0.0.1:8080, HTTP/1.1")
        self.assertEqual(lines[3:6], ["  virtual host web.example", "  route r, coolstore.yaml:1", "  cluster web"])
        first, second = (str(each.address) for each in self.talk.connects)
        began = r"^  try {} after [0-9.]+ ms: {}, on a new connection: "
        ended = r"connect refused \(UF\) after [0-9.]+ ms, which was tried again$"
        self.assertRegex(lines[6], began.format(1, first) + ended)
        self.assertRegex(lines[7], began.format(2, second) + r"answered 200 after [0-9.]+ ms$")
        self.assertRegex(lines[8], r"^  answered 200 after [0-9.]+ ms \(via_upstream\)$")
        self.assertIn("  headers of the response", lines)
        self.assertEqual(lines[-1], "what the files say now: edgegate explain GET http://web.example/")

    def test_no_route(self) -> None:
        """One that no route took tells why, and nothing of what there was not."""
        self.talk.ask(GET.replace(b"web.example", b"other.example"))
        lines = self.told()
        self.assertEqual(lines[3], "  no server of the port has the host")
        self.assertRegex(lines[4], r"^  answered 404 after [0-9.]+ ms, flags NR: no route \(route_not_found\)$")

    def test_client_gone(self) -> None:
        """So does one whose client has left."""
        client = self.talk.ask(GET)
        self.talk.backend()
        client.reset()
        lines = self.told()
        self.assertRegex(lines[6], r": given up after [0-9.]+ ms, as the client had left$")
        self.assertRegex(lines[7], r"^  not answered after [0-9.]+ ms, flags DC")

    def test_url(self) -> None:
        """The URL has the port of the files, where the client has named none, and a shell takes it as it is."""
        self.talk.ask(GET)
        self.talk.backend().deliver(OK)
        for authority, port, scheme, url in (
            ("a.example", 8080, "http", "http://a.example:8080/"),
            ("a.example:81", 8080, "http", "http://a.example:81/"),
            ("a.example", 443, "https", "https://a.example/"),
            ("[::1]", 8080, "http", "http://[::1]:8080/"),
            ("[::1]:80", 8080, "http", "http://[::1]:80/"),
        ):
            lines = self.told(authority=authority, port=port, scheme=scheme)
            self.assertEqual(lines[0], f"GET {url}")
        self.assertIn("'http://web.example/?a=1&b=2'", self.told(target="/?a=1&b=2")[-1])

    def test_harmless(self) -> None:
        """What a client has sent can't control a terminal."""
        self.talk.ask(GET)
        self.talk.backend().deliver(OK)
        lines = self.told(request_headers=[["user-agent", "\x1b]0;mine\x07\u0085"]])
        self.assertIn("    user-agent: \\x1b]0;mine\\x07\\x85", lines)
