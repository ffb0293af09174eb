"""Tests of L{edgegate.version}."""

from __future__ import annotations

import os
import sys

from twisted.trial.unittest import SynchronousTestCase

import edgegate
from edgegate import __version__
from edgegate.version import HOT, compiled, described


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
