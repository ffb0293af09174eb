"""Tests of L{edgegate.cli.test}."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree.ElementTree import fromstring

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.test import STORIES
from edgegate.cli.test import test as command
from tests.cli.test_check import FILES

TESTS = """\
tests:
- request: [GET http://a.example/, GET http://a.example/more]
  expect: {status: 200, at: VirtualService all}
- name: another host
  request: GET http://b.example/
  expect: {status: 404}
"""


class TestTests(SynchronousTestCase):
    """What the command says, and how it ends."""

    def setUp(self) -> None:
        """Make a folder with its tests in it."""
        self.folder = Path(self.mktemp())
        (self.folder / "tests").mkdir(parents=True)
        (self.folder / "gateway.yaml").write_text(FILES)
        self.tests = self.folder / "tests" / "a.yaml"
        self.tests.write_text(TESTS)

    def ask(self, *arguments: str) -> Result:
        """Run tests on the folder."""
        return CliRunner().invoke(command, ["--config", str(self.folder), *arguments])

    def test_passed(self) -> None:
        """Where all is as expected the exit status is 0; the tests of the folder need not be named."""
        result = self.ask()
        self.assertEqual((result.exit_code, result.output), (0, "3 cases, all as expected\n"))
        self.assertEqual(self.ask(str(self.tests)).output, result.output)

    def test_missed(self) -> None:
        """Where it is not the exit status is 1, and each miss is told with its line."""
        self.tests.write_text(TESTS.replace("status: 404", "status: 200"))
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        lines = result.output.splitlines()
        self.assertEqual(
            lines[:5],
            [
                f"{self.tests}:4: another host",
                "  GET http://b.example/",
                "  status: wanted 200",
                "          there is 404: no route",
                "  GET http://b.example/",
            ],
        )
        self.assertEqual(lines[-1], "3 cases, 1 missed")
        self.assertTrue(any("a.example" in line for line in lines[5:-1]), result.output)

    def test_many_missed(self) -> None:
        """Of many misses the way is told of the first ones alone."""
        requests = ", ".join(f"http://b.example/{number}" for number in range(9))
        self.tests.write_text(f"tests: [{{request: [{requests}], expect: {{status: 200}}}}]")
        lines = self.ask().output.splitlines()
        self.assertEqual(sum("b.example/" in line and line.startswith("  GET") for line in lines), STORIES)
        self.assertEqual(sum("wanted 200" in line for line in lines), 9)

    def test_not_read(self) -> None:
        """So it is where a file of tests, or one that is tested, has an error: it is told, the other tests are run."""
        (self.folder / "tests" / "b.yaml").write_text("tests: [{reqest: a}]\n")
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        self.assertIn(
            f'{self.folder}/tests/b.yaml:1:10: error: tests[0].reqest: unknown field; did you mean "request"?',
            result.output,
        )
        self.assertIn("3 cases, all as expected, 1 file not read\n", result.output)
        (self.folder / "gateway.yaml").write_text(FILES.replace("HTTP", "HTPP"))
        result = self.ask()
        self.assertEqual(result.exit_code, 1)
        self.assertIn("nothing was tested", result.output)

    def test_junit(self) -> None:
        """What came of it is written as JUnit's XML, too."""
        path = self.folder / "report.xml"
        self.assertEqual(self.ask("--junit", str(path)).exit_code, 0)
        self.assertEqual(fromstring(path.read_bytes()).get("tests"), "3")
        result = self.ask("--junit", str(self.folder))
        self.assertIn("can't be written: Is a directory", result.output)

    def test_json(self) -> None:
        """Or as JSON, which is all that is printed."""
        self.tests.write_text(TESTS.replace("status: 404", "status: 200"))
        result = self.ask("-o", "json")
        self.assertEqual(result.exit_code, 1)
        self.assertEqual([each["passed"] for each in json.loads(result.output)["cases"]], [True, True, False])

    def test_coverage(self) -> None:
        """What no test asks for is told; too little of it is a failure."""
        result = self.ask("--coverage", "--fail-under", "100")
        self.assertEqual((result.exit_code, result.output.splitlines()[1]), (0, "routes        100.0 %  1 of 1"))
        self.tests.write_text("tests: [{request: http://b.example, expect: {status: 404}}]")
        result = self.ask("--coverage")
        self.assertEqual(result.exit_code, 0)
        self.assertIn("gateway.yaml:10: routes: default: no request\n", result.output)
        result = self.ask("--fail-under", "50", "-o", "json")
        self.assertEqual(result.exit_code, 1)
        self.assertIn("tests hit 0.0 % of the routes, not 50 %\n", result.output)
        self.assertFalse(json.loads(result.stdout)["passed"])

    def test_no_tests(self) -> None:
        """No tests are a mistake, not a success."""
        self.tests.unlink()
        result = self.ask()
        self.assertEqual((result.exit_code, result.output), (1, f"Error: no file in {self.folder} holds tests\n"))
        result = CliRunner().invoke(command, ["--config", str(self.folder / "gateway.yaml")])
        self.assertEqual(result.exit_code, 2)
        self.assertIn("name the FILEs of tests", result.output)
