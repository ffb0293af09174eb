"""Tests of L{edgegate.cli.test}."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

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
        self.assertEqual(
            result.output,
            f"{self.tests}:4: another host\n"
            "  GET http://b.example/\n"
            "  status: wanted 200\n"
            "          there is 404: answered 404 (no route)\n"
            "3 cases, 1 missed\n",
        )

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

    def test_no_tests(self) -> None:
        """No tests are a mistake, not a success."""
        self.tests.unlink()
        result = self.ask()
        self.assertEqual((result.exit_code, result.output), (1, f"Error: no file in {self.folder} holds tests\n"))
        result = CliRunner().invoke(command, ["--config", str(self.folder / "gateway.yaml")])
        self.assertEqual(result.exit_code, 2)
        self.assertIn("name the FILEs of tests", result.output)
