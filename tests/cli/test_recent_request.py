"""Tests of L{edgegate.cli.recent_request}; a gateway is asked in L{tests.acceptance.test_debugging}."""

from __future__ import annotations

import json

import click
from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli import recent_request
from edgegate.cli.admin_client import Admin, Answer
from edgegate.cli.recent_request import tell_request
from edgegate.http.recent_requests import RecentRequests
from edgegate.model.addresses import TCPAddress
from tests.http.conversation import Conversation, to_web
from tests.http.h1.test_downstream_connection import GET, OK


class TellTests(SynchronousTestCase):
    """What is asked for and printed."""

    def setUp(self) -> None:
        """Keep two requests."""
        recent = RecentRequests(10)
        for _ in range(2):
            talk = Conversation(to_web(), observers=(recent,))
            talk.ask(GET)
            talk.backend().deliver(OK)
        self.kept = [recent.found(str(each["request_id"]))[0] for each in recent.latest(2)]

    def tell(self, code: int, text: str, request_id: str = "an-id", as_json: bool = False) -> tuple[str, int]:
        """Return what is printed where the gateway answers this, and the exit status."""
        self.asked: list[tuple[str, str]] = []

        def answer(admin: Admin, method: str, path: str) -> Answer:
            self.asked.append((method, path))
            return Answer(code, text, "a gateway")

        self.patch(recent_request, "ask", answer)

        @click.command()
        def command() -> None:
            tell_request(Admin(TCPAddress("127.0.0.1", 1)), request_id, as_json)

        result = CliRunner().invoke(command)
        return result.output, result.exit_code

    def test_stories(self) -> None:
        """Each request of the id has its story, apart from the next."""
        output, status = self.tell(200, json.dumps(self.kept))
        self.assertEqual(status, 0, output)
        first, second = output.split("\n\n")
        for story in (first, second):
            self.assertTrue(story.startswith("GET http://web.example/\n  at "), story)
            self.assertIn("  answered 200", story)

    def test_json(self) -> None:
        """For programs it is what the gateway says."""
        text = json.dumps(self.kept) + "\n"
        self.assertEqual(self.tell(200, text, as_json=True), (text, 0))

    def test_id(self) -> None:
        """An id is one part of the path, whatever is in it."""
        self.tell(200, "[]", "../x y?z/\u00dc")
        self.assertEqual(self.asked, [("GET", "/requests/..%2Fx%20y%3Fz%2F%C3%9C")])

    def test_unknown(self) -> None:
        """What the gateway says against it is the error."""
        output, status = self.tell(404, "no request of this id is kept\n")
        self.assertEqual((output, status), ("Error: no request of this id is kept\n", 1))
