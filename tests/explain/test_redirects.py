"""Tests of L{edgegate.explain.redirects}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.explanation import Explainer
from edgegate.explain.question import question_of
from tests.explain.explaining import Explained
from tests.explain.test_advice import service
from tests.istio.translate.compiling import gateway


class RedirectsTests(SynchronousTestCase):
    """Where redirects lead."""

    def advice(self, text: str, url: str) -> list[str]:
        """Return what is told of a request that is redirected."""
        explained = Explained.of(text)
        found = Explainer(Decider(explained.snapshot), explained.endpoints, explained.notes).explain(
            question_of("GET", url)
        )
        self.assertTrue(found.served)
        return [each.text for each in found.advice]

    def test_circle(self) -> None:
        """A redirect to itself, and two to each other."""
        what = "the client is sent round in a circle, for ever: a loop of redirects"
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", "{redirect: {uri: /x}}")
        url = "http://a.example/x"
        self.assertEqual(self.advice(text, url), [f"{what}, {url} to {url}"])
        items = ("{redirect: {authority: b.example}}", "{redirect: {authority: a.example}}")
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", items[0]) + service("b", "b.example", items[1])
        way = "http://a.example/ to http://b.example/ to http://a.example/"
        self.assertEqual(self.advice(text, "http://a.example/"), [f"{what}, {way}"])

    def test_ends(self) -> None:
        """Redirects that end, here or elsewhere."""
        items = ("{match: [{uri: {exact: /a}}], redirect: {uri: /b}}", "{directResponse: {status: 200}}")
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", *items)
        self.assertEqual(self.advice(text, "http://a.example/a"), [])
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", "{redirect: {authority: other.test, port: 81}}")
        self.assertEqual(self.advice(text, "http://a.example/a"), [])

    def test_nobody(self) -> None:
        """A server that sends clients to https, where no port is open for that."""
        text = gateway("gw", "80 HTTP * {httpsRedirect: true}") + service("a", "a.example", "{redirect: {uri: /x}}")
        said = ["clients are sent to https://a.example/, but no server is opened there"]
        self.assertEqual(self.advice(text, "http://a.example/"), said)
