"""Tests of L{edgegate.diff.sides}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Refusal
from edgegate.explain.question import question_of
from tests.diff.compared import side
from tests.istio.translate.compiling import gateway, route, virtual_service
from tests.istio.translate.guards.test_targets import policy, target

FILES = (
    gateway("gw", "80 HTTP a.example")
    + gateway("other", "81 HTTP a.example")
    + virtual_service("vs", "a.example", f"http: [{route()}]", "gw, other")
)


class SideTests(SynchronousTestCase):
    """What decides questions to one listener."""

    def test_alone(self) -> None:
        """It knows that listener, and no other."""
        found = side(FILES)
        (first, *_) = (each for each in found.snapshot.listeners if each.port == 80)
        decider = found.decider(first)
        self.assertIsNotNone(decider.decide(question_of("GET", "http://a.example/")).route)
        question = question_of("GET", "http://a.example:81/")
        self.assertIs(decider.decide(question).refusal, Refusal.NO_LISTENER)
        self.assertIs(found.decider(None).decide(question).refusal, Refusal.NO_LISTENER)

    def test_policies(self) -> None:
        """It lets everybody pass: policies are told by themselves."""
        found = side(FILES + policy(target("Gateway", "gw")))
        question = question_of("GET", "http://a.example/")
        (first, *_) = (each for each in found.snapshot.listeners if each.port == 80)
        decision = found.decider(first).decide(question)
        self.assertEqual(decision.guards, ())
        self.assertIsNotNone(decision.route)
