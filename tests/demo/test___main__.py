"""Tests for C{python -m edgegate.demo}."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import edgegate


class MainTests(SynchronousTestCase):
    """The module as a program."""

    def test_help(self) -> None:
        """It names itself as it was called."""
        done = subprocess.run(
            [sys.executable, "-m", "edgegate.demo", "--help"],
            cwd=Path(edgegate.__file__).parents[1],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        self.assertIn("Usage: python -m edgegate.demo [OPTIONS]", done.stdout)
