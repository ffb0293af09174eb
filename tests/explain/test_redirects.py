"""Tests of L{edgegate.explain.redirects}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.explanation import Explainer
from edgegate.explain.question import question_of
from edgegate.explain.redirects import MOST
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

    def test_relative(self) -> None:
        """A location of a route's own answer may be a relative one; what stands behind C{#} is asked of nobody."""
        answer = "directResponse: {status: 302}, headers: {response: {set: {location: '../a/b#c'}}}"
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", f"{{{answer}}}")
        url = "http://a.example/a/b"
        self.assertEqual(len(self.advice(text, url)), 1)
        self.assertIn(f"a loop of redirects, {url} to {url}", self.advice(text, url)[0])

    def test_growing(self) -> None:
        """A way on which each URL is longer than the one before is told as far as browsers go."""
        redirect = "{match: [{uri: {prefix: /a}}], redirect: {prefixRewrite: /a/b}}"
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", redirect)
        (told,) = self.advice(text, "http://a.example/a")
        self.assertIn(f"is sent on {MOST} times", told)
        self.assertTrue(told.endswith("http://a.example/a to http://a.example/a/b to http://a.example/a/b/b to "
                                      "http://a.example/a/b/b/b, and so on"), told)  # fmt: skip

    def test_long(self) -> None:
        """A circle of more than ten redirects is one."""
        items = [f"{{match: [{{uri: {{exact: /{n}}}}}], redirect: {{uri: /{(n + 1) % 15}}}}}" for n in range(15)]
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", *items)
        (told,) = self.advice(text, "http://a.example/0")
        self.assertIn("round in a circle", told)

    def test_ends(self) -> None:
        """Redirects that end, here or elsewhere."""
        items = ("{match: [{uri: {exact: /a}}], redirect: {uri: /b}}", "{directResponse: {status: 200}}")
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", *items)
        self.assertEqual(self.advice(text, "http://a.example/a"), [])
        text = gateway("gw", "80 HTTP *") + service("a", "a.example", "{redirect: {authority: other.test, port: 81}}")
        self.assertEqual(self.advice(text, "http://a.example/a"), [])

    def test_no_url(self) -> None:
        """A redirect to what is no URL leads nowhere."""
        for authority in ("'[a.example'", "'a.example:99999'", "'a]b'"):
            text = gateway("gw", "80 HTTP *") + service("a", "a.example", f"{{redirect: {{authority: {authority}}}}}")
            self.assertEqual(self.advice(text, "http://a.example/a"), [], authority)

    def test_nobody(self) -> None:
        """A server that sends clients to https, where no port is open for that."""
        text = gateway("gw", "80 HTTP * {httpsRedirect: true}") + service("a", "a.example", "{redirect: {uri: /x}}")
        said = ["clients are sent to https://a.example/, but no server is opened there"]
        self.assertEqual(self.advice(text, "http://a.example/"), said)
