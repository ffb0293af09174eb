"""Tests of L{edgegate.admin.explain_page}, asked as a client asks it."""

from __future__ import annotations

import json
from urllib.parse import urlencode

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from edgegate.admin.explain_page import MOST
from edgegate.admin.site import MAX_BODY, admin_site
from tests.admin.asking import Answer, asked
from tests.admin.served import PretendedGateway

FORM = "Content-Type: application/x-www-form-urlencoded"


class ExplainPageTests(SynchronousTestCase):
    """A client of the admin listener."""

    def setUp(self) -> None:
        """Make the site."""
        self.clock = Clock()
        self.gateway = PretendedGateway()
        self.gateway.explained = {"served": True, "tree": None}
        self.site = admin_site(self.clock, self.gateway)

    def ask(self, *fields: str, **given: str) -> Answer:
        """Ask for an explanation."""
        return asked(self.site, "POST /explain", FORM, *fields, body=urlencode(given).encode())

    def test_explained(self) -> None:
        """What is given goes to the gateway, whose answer is shown as JSON."""
        answer = self.ask(method="GET", url="http://a.example/", headers="x-b: \u00fc", source="192.0.2.1")
        self.assertEqual((answer.status, json.loads(answer.text)), (200, {"served": True, "tree": None}))
        told = {"method": "GET", "url": "http://a.example/", "headers": "x-b: \u00fc", "source": "192.0.2.1"}
        self.assertEqual(json.loads(self.gateway.questions[0]), told)

    def test_bad(self) -> None:
        """What can't be asked is refused, with why."""
        self.assertEqual(self.ask(method="GET").status, 400)
        self.assertIn("'verb' is none of method, url", self.ask(url="http://a.example/", verb="GET").text)
        answer = asked(self.site, "POST /explain", FORM, body=b"url=%ff")
        self.assertEqual((answer.status, "no UTF-8" in answer.text), (400, True))
        self.gateway.explained = {"error": "the URL names no host"}
        answer = self.ask(url="http:///")
        self.assertEqual((answer.status, answer.text), (400, "the URL names no host\n"))
        self.gateway.explained = None
        self.assertEqual(self.ask(url="http://a.example/").status, 503)

    def test_rate(self) -> None:
        """Some are explained in a second, not more, and others in the next."""
        for _ in range(MOST):
            self.assertEqual(self.ask(url="http://a.example/").status, 200)
        answer = self.ask(url="http://a.example/")
        self.assertEqual((answer.status, answer.fields[b"retry-after"]), (429, b"1"))
        self.assertEqual(len(self.gateway.questions), MOST)
        self.clock.advance(1.0)
        self.assertEqual(self.ask(url="http://a.example/").status, 200)

    def test_size(self) -> None:
        """A question is as long as a body may be."""
        self.assertEqual(self.ask(url="http://a.example/" + "x" * MAX_BODY).status, 0)
        self.assertEqual(self.gateway.questions, [])

    def test_address(self) -> None:
        """What stands in the address is refused, be it all of the question or a part."""
        for query in ("?url=http://a.example/", "?headers=authorization:+a", "?"):
            answer = asked(self.site, f"POST /explain{query}", FORM, body=b"url=http://a.example/")
            self.assertEqual((answer.status, "nothing for an address" in answer.text), (400, True))
        self.assertEqual(self.gateway.questions, [])

    def test_others(self) -> None:
        """A page of another origin can't ask, and a question is nothing for an address."""
        self.assertEqual(self.ask("Origin: http://evil.example", url="http://a.example/").status, 403)
        self.assertIn("POST explains", asked(self.site, "GET /explain").text)
        self.assertEqual(self.gateway.questions, [])
