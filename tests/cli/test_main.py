"""Tests of L{edgegate.cli.main}."""

from __future__ import annotations

import subprocess
import sys

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.main import COMMANDS, main
from edgegate.version import described


class MainTests(SynchronousTestCase):
    """The command."""

    def test_help(self) -> None:
        """Every command is listed, and explains itself."""
        output = CliRunner().invoke(main, ["-h"]).output
        for name in COMMANDS:
            self.assertIn(f"\n  {name} ", output)
            self.assertEqual(CliRunner().invoke(main, [name, "--help"]).exit_code, 0)

    def test_unknown(self) -> None:
        """What is no command is refused, and what is meant perhaps is no module."""
        for name in ("shared_options", "proxy_config", "nothing"):
            answer = CliRunner().invoke(main, [name])
            self.assertEqual((answer.exit_code, f"No such command '{name}'" in answer.output), (2, True), answer.output)

    def test_loaded(self) -> None:
        """A command that asks a gateway loads nothing of what reads files."""
        code = """
import sys
from edgegate.cli.main import main
main(["reload", "--help"], standalone_mode=False)
print([name for name in sys.modules if name.startswith(("edgegate.istio", "edgegate.sources", "yaml"))])
"""
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
        self.assertEqual(done.stdout.splitlines()[-1], "[]")

    def test_version(self) -> None:
        """The version is told, and how the package is built."""
        self.assertEqual(CliRunner().invoke(main, ["--version"]).output, f"{described()}\n")
