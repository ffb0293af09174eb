"""Tests of L{edgegate.sources.named}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources.folder import Folder
from edgegate.sources.named import source_named
from edgegate.sources.standard_input import StandardInput


class NamedTests(SynchronousTestCase):
    """What a command line names."""

    def test_kinds(self) -> None:
        """A dash is standard input, all else a folder or file."""
        self.assertIsInstance(source_named("-"), StandardInput)
        folder = source_named("etc")
        self.assertIsInstance(folder, Folder)
        self.assertEqual(folder.name, "etc")
