"""Tests of L{edgegate.sources}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources import STANDARD_INPUT, Sources


class SourcesTests(SynchronousTestCase):
    """What was read, and whether it still is what it was."""

    def setUp(self) -> None:
        """Make a folder of two files, of which one is read by name."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "a.yaml").write_bytes(b"a")
        (self.folder / "shop.key").write_bytes(b"key")
        self.sources = self.read(str(self.folder))

    def read(self, config: str, *names: str) -> Sources:
        """Read everything."""
        sources = Sources(config, lambda: b"input")
        self.documents = list(sources.documents())
        for name in names or ("shop.key",):
            try:
                sources.read(name)
            except OSError:
                continue
        return sources

    def test_unchanged(self) -> None:
        """Files that were touched, and others, change nothing."""
        self.assertEqual(self.documents, [("a.yaml", b"a")])
        os.utime(self.folder / "a.yaml", (1, 1))
        (self.folder / "other.txt").touch()
        (self.folder / ".a.yaml.swp").touch()
        self.assertFalse(self.sources.changed())

    def test_documents_change(self) -> None:
        """A file has another content, is new, is gone."""
        (self.folder / "a.yaml").write_bytes(b"b")
        self.assertTrue(self.sources.changed())
        (self.folder / "a.yaml").write_bytes(b"a")
        self.assertFalse(self.sources.changed())
        (self.folder / "b.yaml").touch()
        self.assertTrue(self.sources.changed())
        (self.folder / "b.yaml").unlink()
        (self.folder / "a.yaml").unlink()
        self.assertTrue(self.sources.changed())

    def test_named_file_changes(self) -> None:
        """So is a file that a document names watched for, also if it isn't there yet."""
        (self.folder / "shop.key").write_bytes(b"another")
        self.assertTrue(self.sources.changed())
        sources = self.read(str(self.folder), "late.key")
        self.assertEqual(sources.named, [self.folder / "late.key"])
        self.assertFalse(sources.changed())
        (self.folder / "late.key").touch()
        self.assertTrue(sources.changed())

    def test_folder_goes(self) -> None:
        """A folder that can't be read any more is a change, and no error."""
        self.folder.rename(self.folder.with_suffix(".away"))
        self.assertTrue(self.sources.changed())
        gone = self.read(str(self.folder))
        self.assertEqual(self.documents, [(str(self.folder), "No such file or directory")])
        self.assertFalse(gone.changed())

    def test_standard_input(self) -> None:
        """Standard input stays what it was; the files that it names are relative to the current folder."""
        sources = self.read(STANDARD_INPUT, "shop.key")
        self.assertEqual(self.documents, [("<stdin>", b"input")])
        self.assertEqual(sources.named, [Path("shop.key")])
        self.assertFalse(sources.changed())
