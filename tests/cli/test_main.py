"""Tests of L{edgegate.cli.main}."""

from __future__ import annotations

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.main import main
from edgegate.version import described


class MainTests(SynchronousTestCase):
    """The command."""

    def test_help(self) -> None:
        """Every command is listed, and explains itself."""
        output = CliRunner().invoke(main, ["-h"]).output
        for name in main.commands:
            self.assertIn(f"\n  {name} ", output)
            self.assertEqual(CliRunner().invoke(main, [name, "--help"]).exit_code, 0)

    def test_version(self) -> None:
        """The version is told, and how the package is built."""
        self.assertEqual(CliRunner().invoke(main, ["--version"]).output, f"{described()}\n")
