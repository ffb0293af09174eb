"""Tests of L{edgegate.route_tests.story}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.explanation import Explainer
from edgegate.model.notes import Notes
from edgegate.route_tests.report import miss_lines
from edgegate.route_tests.running import run
from edgegate.route_tests.story import story_of
from tests.route_tests.shop import cases, endpoints, snapshot


class StoryTests(SynchronousTestCase):
    """Why a request went where it went."""

    def test_story(self) -> None:
        """The way of a request that was missed follows its misses, with the condition that failed and its place."""
        found, _ = cases("tests: [{request: GET http://shop.example/cart, expect: {route: cart}}]")
        (result,) = run(found, snapshot(), endpoints())
        story = story_of(Explainer(Decider(snapshot()), endpoints(), Notes()))
        lines = list(miss_lines(result, story))
        self.assertEqual(lines[3], "  GET http://shop.example/cart")
        self.assertTrue(any("cart" in line and "POST" in line and "in.yaml:" in line for line in lines[4:]), lines)
