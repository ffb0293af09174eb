"""Tests of L{edgegate.sources.tree}."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources import tree
from edgegate.sources.tree import MOST_DEEP, MOST_NAMES, Tree, walk


class WalkTests(SynchronousTestCase):
    """Folders within a folder."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def make(self, *names: str) -> None:
        """Make empty files, and their folders."""
        for name in names:
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()

    def walk(self) -> Tree:
        """Look into the folder."""
        return walk(self.folder, lambda look: look())

    def names(self) -> list[str]:
        """Return the names of the documents."""
        return [name for name, _ in self.walk().documents]

    def test_order(self) -> None:
        """Files are read in the order of their names, folders at their place among them, as kubectl does it."""
        self.make("b/z.yaml", "b/a/x.yml", "b.yaml", "a.json", "c/.keep", "z.yaml", "B/y.yaml")
        self.assertEqual(self.names(), ["B/y.yaml", "a.json", "b/a/x.yml", "b/z.yaml", "b.yaml", "z.yaml"])
        found = self.walk()
        self.assertEqual([str(each.relative_to(self.folder)) for each in found.folders], [".", "B", "b", "b/a", "c"])
        self.assertEqual(found.documents[2][1], self.folder / "b/a/x.yml")

    def test_left_out(self) -> None:
        """What is hidden is left out, and other endings are told apart."""
        self.make(".git/a.yaml", ".b.yaml", "lost+found/c.yaml", "d.yaml.bak", "certs/e.crt", "f.yaml/g.yaml")
        self.assertEqual(self.names(), ["f.yaml/g.yaml"])
        self.assertEqual([name for name, _ in self.walk().others], ["certs/e.crt", "d.yaml.bak"])

    def test_config_map(self) -> None:
        """Kubernetes mounts files, and folders of them, as links into a hidden folder: each is read once."""
        self.make("..2026_1/a.yaml", "..2026_1/sub/b.yaml")
        (self.folder / "..data").symlink_to("..2026_1")
        (self.folder / "a.yaml").symlink_to("..data/a.yaml")
        (self.folder / "sub").symlink_to("..data/sub")
        self.assertEqual(self.names(), ["a.yaml", "sub/b.yaml"])
        self.assertEqual(self.walk().links, [self.folder / "a.yaml", self.folder / "sub"])

    def test_loops(self) -> None:
        """Links that lead upwards, or twice to one folder, change nothing; broken ones are found when they are read."""
        self.make("a/b/x.yaml")
        (self.folder / "a/b/up").symlink_to("..")
        (self.folder / "z").symlink_to("a/b")
        (self.folder / "self.yaml").symlink_to("self.yaml")
        (self.folder / "nowhere.yaml").symlink_to("no")
        (self.folder / "other").symlink_to("no")
        self.assertEqual(self.names(), ["a/b/x.yaml", "nowhere.yaml", "self.yaml"])
        self.assertEqual(self.walk().faults, [])

    def test_depth(self) -> None:
        """What lies too deep is said, and not read."""
        deep = "/".join(["d"] * (MOST_DEEP - 1))
        self.make(f"{deep}/a.yaml", f"{deep}/d/b.yaml", "z.yaml")
        self.assertEqual(self.names(), [f"{deep}/a.yaml", "z.yaml"])
        self.assertEqual(
            self.walk().faults,
            [(f"{deep}/d", f"it is the {MOST_DEEP + 1}th of folders within each other: 16 are read")],
        )

    def test_too_many(self) -> None:
        """A folder that holds too much is refused: it is hardly the one that is meant."""
        listing = tree._Listing((1, 1), [tree._Entry(str(number), False, False) for number in range(MOST_NAMES + 1)])
        error = self.assertRaises(OSError, walk, self.folder, lambda _: listing)
        self.assertIn("more than 100000 files", str(error.strerror))

    def test_unreadable(self) -> None:
        """A folder that can't be looked into is said; one that has gone meanwhile is none; the rest is read."""
        self.make("a/x.yaml", "b/y.yaml", "c/z.yaml")
        errors = {3: PermissionError(errno.EACCES, "Permission denied"), 2: FileNotFoundError(errno.ENOENT, "gone")}
        calls: list[int] = []

        def call(look: Callable[[], tree._Listing]) -> tree._Listing:
            calls.append(1)
            error = errors.get(len(calls))
            if error is not None:
                raise error
            return look()

        found = walk(self.folder, call)
        self.assertEqual([name for name, _ in found.documents], ["c/z.yaml"])
        self.assertEqual(found.faults, [("b", "Permission denied: a folder whose name begins with a dot is left out")])
        self.assertRaises(FileNotFoundError, walk, self.folder / "no", lambda look: look())
