"""Tests of L{edgegate.route_tests.junit}."""

from __future__ import annotations

from dataclasses import replace
from xml.etree.ElementTree import fromstring

from twisted.trial.unittest import SynchronousTestCase

from edgegate.config.problems import Problem, Problems, Severity
from edgegate.route_tests.files import TestedFile
from edgegate.route_tests.junit import junit
from edgegate.route_tests.running import run
from tests.route_tests.shop import cases, endpoints, snapshot
from tests.route_tests.test_running import TESTS


class JUnitTests(SynchronousTestCase):
    """What CI servers read."""

    def test_document(self) -> None:
        """A file is a testsuite, a case a testcase with its place; a miss is a failure, an unread file an error."""
        found = [replace(each, file="etc/tests/t.yaml") for each in cases(TESTS)[0]]
        found[0] = replace(found[0], name="a \x07 <bell>")
        problems = Problems()
        problems.add(Problem("b.yaml", 3, 1, Severity.ERROR, "tests", "missing"))
        files = [TestedFile("etc/tests/t.yaml", tuple(found), Problems()), TestedFile("b.yaml", (), problems)]
        root = fromstring(junit(files, list(run(found, snapshot(), endpoints())), [("coverage", "50")]))
        self.assertEqual([root.get(name) for name in ("tests", "failures", "errors")], ["4", "2", "1"])
        suite, unread = root
        self.assertEqual([suite.get(name) for name in ("name", "tests", "failures")], ["etc/tests/t.yaml", "3", "2"])
        properties = suite.find("properties")
        assert properties is not None
        self.assertEqual([dict(each.attrib) for each in properties], [{"name": "coverage", "value": "50"}])
        passed, missed, _ = suite.findall("testcase")
        self.assertEqual(
            {name: passed.get(name) for name in ("classname", "name", "file", "line")},
            {"classname": "etc.tests.t", "name": "a \ufffd <bell>", "file": "etc/tests/t.yaml", "line": "2"},
        )
        self.assertEqual(len(passed), 0)
        failure = missed.find("failure")
        assert failure is not None
        wanted = "route: wanted cart, there is no route: the gateway answers 404 (no route)"
        self.assertEqual(failure.get("message"), wanted)
        self.assertIn("t.yaml:4: GET http://shop.example/cart\n", str(failure.text))
        error = unread.find("testcase/error")
        assert error is not None
        self.assertEqual(error.get("message"), "b.yaml:3:1: error: tests: missing")
