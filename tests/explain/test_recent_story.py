"""Tests of L{edgegate.explain.recent_story}: by requests that were."""

from __future__ import annotations

import json
from shlex import split

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
        self.assertEqual(
            lines[-1], "what the files say now: edgegate explain GET http://web.example/ --source 192.0.2.7"
        )

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
            lines = self.told(authority=authority, port=port, scheme=scheme, tls=scheme == "https")
            self.assertEqual(lines[0], f"GET {url}")
        self.assertIn("'http://web.example/?a=1&b=2'", self.told(target="/?a=1&b=2")[-1])

    def command(self, **changes: object) -> list[str]:
        """Return the command that asks for the same once more, as a shell takes it; none: there is none."""
        before, _, command = self.told(**changes)[-1].partition("what the files say now: ")
        return split(command) if not before else []

    def test_command(self) -> None:
        """The last line asks for the same: with headers, the client's address, port, SNI and ALPN."""
        self.talk.ask(GET)
        self.talk.backend().deliver(OK)
        begin = ["edgegate", "explain", "GET"]
        headers = [["x-user", "it's $HOME"], ["authorization", "[redacted]"], ["x-long", "a..."], ["x-b", "\x1b"],
                   ["x-c", ""], ["...", ""]]  # fmt: skip
        self.assertEqual(
            self.command(request_headers=headers),
            [*begin, "http://web.example/", "-H", "x-user: it's $HOME", "-H", "x-c: ", "--source", "192.0.2.7"],
        )
        secure = {"tls": True, "scheme": "https", "port": 443, "protocol": "HTTP/2", "client": "[2001:db8::1]:99"}
        source, alpn = ["--source", "2001:db8::1"], ["--alpn", "h2"]
        for changes, expected in (
            ({"sni": "web.example"}, []),
            ({"sni": "other.example"}, ["--sni", "other.example"]),
            ({"sni": None}, ["--sni", ""]),
        ):
            found = self.command(**secure, **changes)
            self.assertEqual(found, [*begin, "https://web.example/", *source, *expected, *alpn])
        found = self.command(authority="web.example:81", client="unix:///run/client", scheme="https")
        self.assertEqual(
            found, [*begin, "http://web.example:81/", "-H", "x-forwarded-proto: https", "--port", "80"], "by a proxy"
        )

    def test_no_command(self) -> None:
        """Of what is not kept whole, or is no URL, there is no command."""
        self.talk.ask(GET)
        self.talk.backend().deliver(OK)
        for changes in (
            {"target": "*"},
            {"target": "/" + "a" * 1024 + "..."},
            {"target": "/\u00fc"},
            {"authority": "a" * 1024 + "..."},
            {"authority": ""},
            {"method": ""},
        ):
            self.assertEqual(self.command(**changes), [], changes)

    def test_harmless(self) -> None:
        """What a client has sent can't control a terminal."""
        self.talk.ask(GET)
        self.talk.backend().deliver(OK)
        lines = self.told(request_headers=[["user-agent", "\x1b]0;mine\x07\u0085"]])
        self.assertIn("    user-agent: \\x1b]0;mine\\x07\\x85", lines)
