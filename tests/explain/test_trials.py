"""Tests of L{edgegate.explain.trials}."""

from __future__ import annotations

from random import Random

from twisted.trial.unittest import SynchronousTestCase

from edgegate.explain.decision import Decider
from edgegate.explain.question import question_of
from edgegate.explain.trials import behind, contenders, left_out_for, trials
from edgegate.model.routes import HTTPRoute
from edgegate.routing.hosts import HostTable
from tests.explain.explaining import Explained
from tests.explain.made_up import folder, requests
from tests.istio.translate.compiling import gateway, virtual_service

TO = "route: [{destination: {host: 127.0.0.1, port: {number: 81}}}]"


class MadeUpTests(SynchronousTestCase):
    """Thousands of requests to made-up folders."""

    def test_agree(self) -> None:
        """What is tried ends with the route that the gateway's own table finds, whatever the request."""
        random, count, routed = Random(18), 0, 0
        for _ in range(150):
            text = folder(random)
            explained = Explained.of(text)
            decider, lines = Decider(explained.snapshot), text.split("\n")
            for method, target, host, headers in requests(random, 60):
                given = tuple((name.encode(), value.encode()) for name, value in headers)
                decision = decider.decide(question_of(method, f"http://{host}{target}", given))
                tried = list(trials(decision, explained.notes))
                taken = tried[-1].route if tried and tried[-1].held else None
                self.assertIs(taken, decision.route, (text, method, target, host, headers))
                count += 1
                for each in tried:
                    line = lines[each.origin.line - 1]
                    assert isinstance(each.route, HTTPRoute)
                    self.assertIn("{", line)
                routed += taken is not None
        self.assertEqual(count, 9000)
        self.assertGreater(routed, 1000)


class TrialsTests(SynchronousTestCase):
    """What is told of routes."""

    def setUp(self) -> None:
        """Compile routes of one host."""
        items = (
            f"{{name: cart, match: [{{uri: {{exact: /a}}}}, {{uri: {{prefix: /b}}, port: 81}}], {TO}}}",
            f"{{name: rest, match: [{{uri: {{prefix: /}}}}], {TO}}}",
            f"{{name: never, match: [{{uri: {{exact: /a}}}}], {TO}}}",
        )
        text = gateway("gw", "80 HTTP *", "90 TCP *") + virtual_service("a", "a.example", f"http: [{', '.join(items)}]")
        text += virtual_service("t", "*", f"tcp: [{{match: [{{sourceSubnet: 10.0.0.0/8}}], {TO}}}]")
        self.explained = Explained.of(text)

    def test_behind(self) -> None:
        """What would take a request as well is told, and that it stands behind."""
        decision = self.explained.decide("GET", "http://a.example/a")
        (taken,) = trials(decision, self.explained.notes)
        self.assertTrue(taken.held)
        self.assertEqual(list(behind(decision, self.explained.notes, taken)), [])
        decision = self.explained.decide("GET", "http://a.example/c")
        tried = list(trials(decision, self.explained.notes))
        self.assertEqual([each.held for each in tried], [False, True])

    def test_left_out(self) -> None:
        """What is not served here but would take the request is told; what would not is none of its business."""
        for path, reasons in (
            ("/b/1", ["its match is for port 81"]),
            ("/a", ["takes every request before it"]),
            ("/c", []),
        ):
            decision = self.explained.decide("GET", f"http://a.example{path}")
            left = [each.reason for each in left_out_for(decision, self.explained.notes)]
            self.assertEqual(len(left), len(reasons), left)
            for reason, expected in zip(left, reasons, strict=True):
                self.assertIn(expected, reason)

    def test_connections(self) -> None:
        """A connection that a route does not take, and why."""
        (trial,) = trials(self.explained.decide("", "tcp://127.0.0.1:90"), self.explained.notes)
        self.assertEqual(trial.why, "the client's address should be in 10.0.0.0/8, is 127.0.0.1:40000")

    def test_contenders(self) -> None:
        """Of all patterns that have a name the narrowest comes first, as in the table."""
        table = HostTable((each, each) for each in ("*", "*.example", "*.a.example", "b.a.example", "c.example"))
        for name in ("b.a.example", "x.a.example", "y.example", "z.test"):
            found = [pattern for pattern, _ in contenders(table, name)]
            self.assertEqual(found[0], table.lookup(name))
        self.assertEqual([each for each, _ in contenders(table, "b.a.example")][1:], ["*.a.example", "*.example", "*"])
        self.assertEqual([each for each, _ in contenders(table, "")], ["*"])
