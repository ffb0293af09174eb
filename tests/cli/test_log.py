"""Tests of L{edgegate.cli.log}; a gateway is followed in tests/acceptance/test_log."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.main import main


class LogTests(SynchronousTestCase):
    """What the command takes."""

    def test_bad(self) -> None:
        """A number of lines that is none is refused before anybody is asked."""
        found = CliRunner().invoke(main, ["log", "-n", "0"])
        self.assertEqual(found.exit_code, 2)
        self.assertIn("-n", found.output)

    def test_help(self) -> None:
        """Its help says what conditions look like."""
        found = CliRunner().invoke(main, ["log", "--help"])
        self.assertEqual(found.exit_code, 0)
        for word in ("--host", "--route", ">=500", "UF,UH", "FILE:LINE"):
            self.assertIn(word, found.output)
