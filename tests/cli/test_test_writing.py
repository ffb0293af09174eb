"""Tests of L{edgegate.cli.test_writing}."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner, Result
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.test import test as command
from tests.cli.test_check import FILES

LINE = (
    '[2026-03-01T12:00:00.082Z] "GET /a?b=c HTTP/1.1" 200 - via_upstream - "-" 0 357 9 7 "10.0.0.9" "curl/8.5.0" "id" '
    '"a.example" "10.1.0.1:8080" outbound|80||a 10.1.0.254:33000 10.0.0.1:%d 10.0.0.9:4000 - default\n'
)


class WriteTests(SynchronousTestCase):
    """Tests of a log's requests."""

    def setUp(self) -> None:
        """Make a folder, and a log."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "gateway.yaml").write_text(FILES)
        self.log = self.folder / "access.log"

    def ask(self, *arguments: str) -> Result:
        """Write tests of the log."""
        return CliRunner().invoke(command, ["--config", str(self.folder), "--write", str(self.log), *arguments])

    def test_log(self) -> None:
        """They are printed as a file of tests; what is no request is counted. A port that was mapped is the files'."""
        self.log.write_text(LINE % 8080 + LINE % 8080 + LINE.replace("GET /a?b=c", "- -") % 8080)
        result = self.ask("--map-port", "80:8080")
        self.assertEqual(result.exit_code, 0, result.output)
        self.assertEqual(
            result.stdout,
            "tests:\n"
            "- request:  # 2 requests\n"
            '  - "GET http://a.example/a?b=c"\n'
            '  expect: {"route": "default", "status": 200}\n',
        )
        self.assertEqual(result.stderr, "1 tests of 2 requests, 1 lines are no requests\n")

    def test_bad(self) -> None:
        """A log that can't be read is told, and so are FILEs, of which none would be run."""
        self.assertIn("access.log: No such file or directory", self.ask().output)
        self.log.write_text("hello\n")
        self.assertIn("access.log: its lines have no format", self.ask().output)
        self.log.write_text('10.0.0.9 - - [01/Mar/2026:12:00:00 +0000] "GET / HTTP/1.1" 200 7 "-" "curl"\n')
        result = self.ask()
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        self.assertIn("do not say which host was asked for", result.stderr)
        self.log.write_text(LINE.replace("GET /a?b=c", "- -") % 8080)
        result = self.ask()
        self.assertEqual((result.exit_code, result.stdout), (1, ""))
        self.assertIn("no test was made: 1 lines are no requests", result.stderr)
        for option in ("--junit=a.xml", "--coverage", "--fail-under=1", "--output=json"):
            result = self.ask(option)
            self.assertEqual((result.exit_code, "--write runs no tests" in result.output), (2, True), option)
        result = self.ask("tests.yaml")
        self.assertEqual(result.exit_code, 2)
        self.assertIn("--write makes tests", result.output)
