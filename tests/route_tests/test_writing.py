"""Tests of L{edgegate.route_tests.writing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.placement import Unplaced
from edgegate.route_tests.running import run
from edgegate.route_tests.writing import EXAMPLES, Written, tests_of
from tests.route_tests.shop import cases, endpoints, snapshot


class WritingTests(SynchronousTestCase):
    """Tests made of requests that were seen."""

    def write(self, *requests: Unplaced) -> Written:
        """Make tests of requests."""
        return tests_of(requests, snapshot(), endpoints())

    def test_one_way(self) -> None:
        """Requests that took one way are one test, with a few of them, and how many there were."""
        written = self.write(*(Unplaced("GET", "shop.example", f"/basket/{number}") for number in range(9)))
        self.assertEqual(
            written.text,
            "tests:\n"
            "- request:  # 9 requests\n"
            '  - "GET http://shop.example/basket/0"\n'
            '  - "GET http://shop.example/basket/1"\n'
            '  - "GET http://shop.example/basket/2"\n'
            '  expect: {"route": "cart", "to": "cart.default:8080/v2", "status": 0}\n',
        )
        self.assertEqual((written.tests, written.seen, written.left_out), (1, 9, 0))

    def test_ways(self) -> None:
        """What differs in port, method, host, route or answer is a test of its own; all pass until files change."""
        written = self.write(
            Unplaced("GET", "shop.example", "/ping"),
            Unplaced("POST", "shop.example", "/ping"),
            Unplaced("GET", "shop.example", "/none?'\"=%22"),
            Unplaced("GET", "shop.example", "/basket", secure=True, port=443),
            Unplaced("GET", "locked.example:8443", "/basket", secure=True, port=443),
            Unplaced("GET", "moved.example", "/", port=81),
            Unplaced("GET", "nobody.example", "/", port=5432),
        )
        self.assertEqual((written.tests, written.left_out), (7, 0))
        self.assertIn("  cert: true\n", written.text)
        self.assertEqual(written.text.count("  port: "), 3)
        found, problems = cases(written.text)
        self.assertEqual(problems, [])
        self.assertEqual([each.misses for each in run(found, snapshot(), endpoints())], [()] * 7)

    def test_split(self) -> None:
        """Of a split the shares are expected."""
        written = self.write(Unplaced("GET", "shop.example", "/beta", ((b"x-user", b"qa"),)))
        self.assertIn('"share": {"cart.default:8080/v1": 90.0, "cart.default:8080/v2": 10.0}', written.text)

    def test_no_subset(self) -> None:
        """Who gets all of a service is named whole: such a test misses once a subset gets it."""
        written = self.write(Unplaced("GET", "shop.example", "/api/a"))
        self.assertIn('"to": "outbound|8080||cart.default.svc.cluster.local"', written.text)
        found, problems = cases(written.text.replace("/api/a", "/basket/a"))
        self.assertEqual(problems, [])
        (result,) = run(found, snapshot(), endpoints())
        self.assertIn("to", [each.key for each in result.misses])

    def test_left_out(self) -> None:
        """What nobody can send is left out, and told."""
        written = self.write(
            Unplaced("GET", "", "/"), Unplaced("GET", "a.example", "*"), Unplaced("G T", "a.example", "/")
        )
        self.assertEqual((written.text, written.seen, written.left_out), ("tests: []\n", 3, 3))
        self.assertGreater(EXAMPLES, 1)
