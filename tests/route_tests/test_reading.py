"""Tests of L{edgegate.route_tests.reading}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from tests.route_tests.shop import cases


class ReadingTests(SynchronousTestCase):
    """A file of tests becomes cases, or is told what is wrong with it."""

    def test_cases(self) -> None:
        """Each request is a case, with its line."""
        found, problems = cases("""\
            tests:
            - request: GET http://shop.example/
              expect: {status: 404}
            - name: both
              request:
              - http://shop.example/a
              - POST https://shop.example/b
              expect: {status: 404}
            ---
            tests:
            - request: tcp://127.0.0.1:5432
              expect: {to: a}
            """)
        self.assertEqual(problems, [])
        self.assertEqual(
            [(each.file, each.line, each.name, each.request) for each in found],
            [
                ("t.yaml", 2, "GET http://shop.example/", "GET http://shop.example/"),
                ("t.yaml", 6, "both [1]", "http://shop.example/a"),
                ("t.yaml", 7, "both [2]", "POST https://shop.example/b"),
                ("t.yaml", 11, "tcp://127.0.0.1:5432", "tcp://127.0.0.1:5432"),
            ],
        )

    def test_unknown_keys(self) -> None:
        """A key that is not known is an error with its line, and with the one that may be meant."""
        found, problems = cases("""\
            tests:
            - request: GET http://shop.example/
              header: {x: a}
              expect:
                rout: cart
                not: {statsu: 404}
            """)
        self.assertEqual(found, [])
        self.assertEqual(
            problems,
            [
                't.yaml:3:3: error: tests[0].header: unknown field; did you mean "headers"?',
                't.yaml:5:5: error: tests[0].expect.rout: unknown field; did you mean "route"?',
                't.yaml:6:11: error: tests[0].expect.not.statsu: unknown field; did you mean "status"?',
            ],
        )

    def test_values(self) -> None:
        """So is a value that can't be."""
        _, problems = cases("""\
            tests:
            - request: GET http://shop.example/
              port: 70000
              headers: {x-count: 1, x-list: [a, 2]}
              expect: {timeout: 5, status: "404"}
            - request: GET http://shop.example/
              expect: {timeout: soon}
            - expect: {route: a}
            - request: 5
            """)
        self.assertEqual(
            [each.partition(" error: ")[2] for each in problems],
            [
                "tests[0].port: 70000 is not between 1 and 65535",
                "tests[0].headers.x-count: expected string, got integer 1: quote it",
                "tests[0].headers.x-list[1]: expected string, got integer 2: quote it",
                "tests[0].expect.timeout: expected duration such as 5s, got integer 5",
                'tests[0].expect.status: expected integer, got string "404": without quotes',
                'tests[1].expect.timeout: expected a duration such as 1.5s, 100ms or 1h, or none, got "soon"',
                "tests[2].request: missing",
                "tests[3].expect: missing",
                "tests[3].request: expected string, got integer 5: quote it",
            ],
        )

    def test_no_tests(self) -> None:
        """A file of something else is none of tests; of a broken document the others are told, too."""
        self.assertEqual(cases("a: 1")[1], ["t.yaml:1:1: error: a: unknown field", "t.yaml:1:1: error: tests: missing"])
        self.assertEqual(cases("- a")[1], ["t.yaml:1:1: error: a file of tests is a mapping with tests, not array"])
        self.assertEqual(cases(""), ([], []))
        self.assertEqual(len(cases("tests: [\n---\ntests: 5\n")[1]), 2)
