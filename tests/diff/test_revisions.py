"""Tests of L{edgegate.diff.revisions}."""

from __future__ import annotations

import subprocess
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.diff.revisions import NoRevision, fork_point, revision


def git(folder: Path, *arguments: str) -> None:
    """Call git, whatever it is configured to."""
    settings = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false", "-c", "core.hooksPath=/none")
    subprocess.run(["git", "-C", str(folder), *settings, *arguments], check=True, capture_output=True, timeout=60)


def repository(path: str, first: str, second: str) -> Path:
    """Make a repository whose folder C{files} has one file, in two revisions; the first is tagged C{v1}."""
    top = Path(path)
    files = top / "files"
    files.mkdir(parents=True)
    git(top, "init", "-q")
    (files / "a.yaml").write_text(first)
    (top / "beside.pem").write_text("key")
    (files / "out").symlink_to("/etc/passwd")
    git(top, "add", ".")
    git(top, "commit", "-q", "-m", "first")
    git(top, "tag", "v1")
    (files / "a.yaml").write_text(second)
    git(top, "commit", "-q", "-a", "-m", "second")
    return files


class RevisionTests(SynchronousTestCase):
    """A folder as it was."""

    def setUp(self) -> None:
        """Make a repository."""
        self.files = repository(self.mktemp(), "one", "two")

    def test_revision(self) -> None:
        """A revision is written with what lies beside the folder, and is gone afterwards."""
        with revision(self.files, "v1") as found:
            self.assertEqual((found / "a.yaml").read_text(), "one")
            self.assertEqual((found.parent / "beside.pem").read_text(), "key")
        self.assertFalse(found.parent.exists())

    def test_export_ignore(self) -> None:
        """What an archive would not have is there all the same."""
        top = self.files.parent
        (top / ".gitattributes").write_text("files/hidden export-ignore\nb.yaml export-ignore\n")
        (self.files / "hidden").mkdir()
        (self.files / "hidden" / "c.yaml").write_bytes(b"hidden\xff")
        (self.files / "b.yaml").write_text("ignored")
        git(top, "add", ".")
        git(top, "commit", "-q", "-m", "third")
        with revision(self.files, "HEAD") as found:
            self.assertEqual((found / "b.yaml").read_text(), "ignored")
            self.assertEqual((found / "hidden" / "c.yaml").read_bytes(), b"hidden\xff")
            self.assertFalse((found / "out").exists())

    def test_fork_point(self) -> None:
        """Two revisions have a last commit in common; of what is none it is told, too."""
        git(self.files, "checkout", "-q", "-b", "side", "v1")
        (self.files / "a.yaml").write_text("three")
        git(self.files, "commit", "-q", "-a", "-m", "third")
        with revision(self.files, fork_point(self.files, "HEAD@{1}", "side")) as found:
            self.assertEqual((found / "a.yaml").read_text(), "one")
        git(self.files, "checkout", "-q", "--orphan", "alone")
        git(self.files, "commit", "-q", "-m", "alone")
        for name, reason in (("alone", "side and alone have no commit in common"), ("--x", "knows no revision --x")):
            with self.assertRaisesRegex(NoRevision, reason):
                fork_point(self.files, "side", name)

    def test_links(self) -> None:
        """A link that leads out of the repository is left out."""
        with revision(self.files, "HEAD") as found:
            self.assertFalse((found / "out").is_symlink())

    def test_file(self) -> None:
        """A file can be named, too."""
        with revision(self.files / "a.yaml", "HEAD") as found:
            self.assertEqual(found.read_text(), "two")

    def test_none(self) -> None:
        """What can't be found is told in a line."""
        for path, name, reason in (
            (self.files, "v2", "git knows no revision v2"),
            (self.files, "--all", "git knows no revision --all"),
            (self.files / "more" / "files", "v1", "is no folder"),
            (Path("/"), "v1", "not a git repository"),
        ):
            with self.assertRaisesRegex(NoRevision, reason), revision(path, name):
                self.fail("it was found")
        (self.files / "new").mkdir()
        with self.assertRaisesRegex(NoRevision, "revision v1 has no files/new"), revision(self.files / "new", "v1"):
            self.fail("it was found")
