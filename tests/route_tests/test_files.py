"""Tests of L{edgegate.route_tests.files}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.route_tests.files import read_files

GOOD = "tests: [{request: http://a.example, expect: {status: 404}}]\n"


class FilesTests(SynchronousTestCase):
    """Which files are read."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        (self.folder / "sub").mkdir(parents=True)

    def names(self) -> list[str]:
        """Return the files of the folder that hold tests."""
        return [Path(each.name).relative_to(self.folder).as_posix() for each in read_files([str(self.folder)])]

    def test_folder(self) -> None:
        """Of a folder, and of those in it, all files that hold tests are read, and no other."""
        (self.folder / "a.yaml").write_text(GOOD)
        (self.folder / "b.json").write_text('{\n  "tests": []}')
        (self.folder / "c.yaml").write_text("spec:\n  tests: []\n")
        (self.folder / "sub" / "d.yml").write_text(f"# tests\n---\n'testCases': []\n---\n{GOOD}")
        (self.folder / ".hidden.yaml").write_text(GOOD)
        (self.folder / "e.txt").write_text(GOOD)
        self.assertEqual(self.names(), ["a.yaml", "b.json", "sub/d.yml"])

    def test_file(self) -> None:
        """A file that is named is read whatever it holds. One with an error, or that can't be read, has no cases."""
        path = self.folder / "t.txt"
        path.write_text(GOOD)
        (good,) = read_files([str(path)])
        self.assertEqual((good.name, len(good.cases), len(good.problems)), (str(path), 1, 0))
        path.write_text(GOOD + "---\nspec: 1\n")
        (bad,) = read_files([str(path)])
        self.assertEqual((bad.cases, bad.problems.errors), ((), 2))
        (none,) = read_files([str(self.folder / "none")])
        self.assertIn("can't be read: No such file", str(next(iter(none.problems))))

    def test_as_the_gateway(self) -> None:
        """A file holds tests where a document does that the gateway leaves alone, however it is written."""
        (self.folder / "bom.yaml").write_bytes(b"\xef\xbb\xbf" + GOOD.encode())
        (self.folder / "indented.yaml").write_text(f"  {GOOD}")
        (self.folder / "order.json").write_text('{"runtime": {}, "tests": []}')
        (self.folder / "other.yaml").write_text(f"kind: Other\n{GOOD}")
        (self.folder / "utf16.yaml").write_bytes(GOOD.encode("utf-16"))
        (self.folder / "wrong.yaml").write_text("tests: {}")
        self.assertEqual(self.names(), ["bom.yaml", "indented.yaml", "order.json", "utf16.yaml", "wrong.yaml"])

    def test_once(self) -> None:
        """A file is read once, by its first name, however often it is named."""
        path = self.folder / "a.yaml"
        path.write_text(GOOD)
        (self.folder / "sub" / "link.yaml").symlink_to(path.resolve())
        names = [str(path), str(self.folder), str(self.folder / "sub" / ".." / "a.yaml")]
        self.assertEqual([each.name for each in read_files(names)], [str(path)])

    def test_unreadable(self) -> None:
        """What can't be looked at is an error, and not passed over: it may hold tests."""
        (self.folder / "gone.yaml").symlink_to("nowhere")
        (self.folder / "broken.yaml").write_text(f"{GOOD}  - a: [\n")
        deep = self.folder.joinpath(*"abcdefghijklmnop")
        deep.mkdir(parents=True)
        errors = {Path(each.name).name: str(next(iter(each.problems))) for each in read_files([str(self.folder)])}
        self.assertEqual(sorted(errors), ["broken.yaml", "gone.yaml", "p"])
        self.assertIn("gone.yaml:1:1: error: can't be read: No such file", errors["gone.yaml"])
        self.assertIn("folders within each other", errors["p"])
