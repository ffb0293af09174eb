"""Tests for L{edgegate.explain.external_authorization}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.judgement import Judgement, Verdict
from tests.explain.explaining import Explained
from tests.istio.translate.compiling import gateway, route, virtual_service
from tests.istio.translate.guards.test_external_authorizations import HTTP, MESH, custom, entry

FILES = (
    gateway("gw", "80 HTTP a.example", "9000 TCP *")
    + virtual_service("vs", "a.example", f"http: [{route(match='[{uri: {prefix: /x}}]')}]")
    + virtual_service("tcp", "*", f"tcp: [{route()}]")
)
RULES = '[{to: [{operation: {notPaths: ["/x/open"]}}]}]'
GRPC = "envoyExtAuthzGrpc: {service: auth.example, port: 8000, timeout: 1s, failOpen: true}"


class ExternalAuthorizationTests(SynchronousTestCase):
    """What a policy with the action CUSTOM makes of questions."""

    def judged(self, url: str, said: str = HTTP % "") -> Judgement:
        """Return what it makes of one."""
        explained = Explained.of(FILES + MESH % ("login", said) + entry() + custom(rules=RULES))
        decision = explained.decide("" if url.startswith("tcp:") else "GET", url)
        self.assertIsNone(decision.denied)
        (found,) = decision.guards
        return found

    def test_asked(self) -> None:
        """Who is asked is told with its place, and what happens where it says nothing; the way goes on."""
        found = self.judged("http://a.example/x")
        self.assertEqual((found.verdict, found.guard.name), (Verdict.UNKNOWN, "istio-system/ask"))
        for words in (
            *("by ns[istio-system]-policy[ask]-rule[0]: login at in.yaml:", " is asked over HTTP at auth.example;"),
            "nothing within 1 s it gets 403",
        ):
            self.assertIn(words, found.words)
        self.assertIn("over gRPC", self.judged("http://a.example/x", GRPC).words)
        self.assertIn("within 1 s it passes", self.judged("http://a.example/x", GRPC).words)

    def test_not_asked(self) -> None:
        """Nobody is asked where no rule matches, or there is no route."""
        for url, words in (
            ("/x/open", "no rule matches, so login is not asked"),
            ("/y", "there is no route, so login"),
        ):
            found = self.judged(f"http://a.example{url}")
            self.assertIs(found.verdict, Verdict.ALLOWED)
            self.assertIn(words, found.words)
        (trial,) = self.judged("http://a.example/x/open").trials
        self.assertEqual((trial.name, trial.matches), ("ns[istio-system]-policy[ask]-rule[0]", False))

    def test_connections(self) -> None:
        """About connections one is asked that speaks gRPC."""
        url = "tcp://any.example:9000"
        self.assertIs(self.judged(url).verdict, Verdict.ALLOWED)
        self.assertIn("about requests alone", self.judged(url).words)
        self.assertIs(self.judged(url, GRPC).verdict, Verdict.UNKNOWN)
