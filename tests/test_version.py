"""Tests of L{edgegate.version}."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate import __version__
from edgegate.version import HOT, compiled, described

ROOT = Path(__file__).resolve().parents[1]


class DescribedTests(SynchronousTestCase):
    """What C{--version} says."""

    def test_described(self) -> None:
        """The version is the package's; a package that is compiled says so."""
        plain = f"edgegate {__version__}"
        self.assertEqual(described(), f"{plain} (compiled)" if compiled() else plain)

    def test_from_the_module(self) -> None:
        """What is imported is what is told."""
        __import__(HOT)
        self.assertEqual(compiled(), not str(sys.modules[HOT].__file__).endswith(".py"))

    def test_expected(self) -> None:
        """Where the tests are meant for the compiled package (C{make test-compiled}), it is what they see."""
        if os.environ.get("EDGEGATE_EXPECT") == "compiled":
            self.assertTrue(compiled(), f"{edgegate.__file__} is not compiled")

    def test_listed(self) -> None:
        """The module that is looked at is among those that are compiled, and all of them are there."""
        text = (ROOT / "setup.py").read_text()
        names = text.partition("HOT = (")[2].partition("\n)\n")[0].replace("*(", "").split('"')[1::2]
        self.assertIn(HOT.removeprefix("edgegate.").replace(".", "/"), names)
        for name in names:
            self.assertTrue((ROOT / "edgegate" / f"{name}.py").is_file(), name)
