"""Tests for the demo's command line."""

from __future__ import annotations

import sys
from pathlib import Path

from click.testing import CliRunner
from twisted.trial.unittest import SynchronousTestCase

from edgegate.demo.command import demo, twistd


class DemoTests(SynchronousTestCase):
    """What the command line takes; starting the demo is the acceptance tests' matter."""

    def ask(self, *arguments: str) -> tuple[int, str]:
        """Run it and return its exit status and what it said."""
        result = CliRunner().invoke(demo, arguments)
        return result.exit_code, result.output

    def test_help(self) -> None:
        """Every option is explained."""
        status, said = self.ask("--help")
        self.assertEqual(status, 0)
        for option in ("--config", "--certs", "--port", "--quiet", "OPTIONS"):
            self.assertIn(option, said)

    def test_no_such_folder(self) -> None:
        """A folder that does not exist is an error of usage."""
        status, said = self.ask("--config", self.mktemp())
        self.assertEqual(status, 2)
        self.assertIn("does not exist", said)

    def test_unknown_backend(self) -> None:
        """A port for a backend that does not exist is refused, and those that do are named."""
        status, said = self.ask("--config", ".", "--port", "webapp=7000")
        self.assertEqual(status, 2)
        self.assertIn("apiserver", said)

    def test_port_is_no_number(self) -> None:
        """So is a port that is no number."""
        self.assertEqual(self.ask("--config", ".", "--port", "catalog=http")[0], 2)


class TwistdTests(SynchronousTestCase):
    """Which C{twistd} is started."""

    def test_of_this_environment(self) -> None:
        """It is the one beside the interpreter, whatever the path says."""
        if not Path(sys.executable).with_name("twistd").exists():
            self.skipTest("no twistd beside this interpreter")
        self.assertEqual(twistd(), str(Path(sys.executable).with_name("twistd")))
