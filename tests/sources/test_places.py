"""Tests of L{edgegate.sources.places}."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources.places import Place, places


class PlacesTests(SynchronousTestCase):
    """Which names matter in which folder."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir(parents=True)

    def found(self, config: Path | None, *files: Path) -> dict[str, Place]:
        """Return the places within the test's folder, by relative name."""
        base = str(self.folder)
        return {os.path.relpath(folder, base): place for folder, place in places(config, files).items()}

    def test_folder(self) -> None:
        """In the folder of documents each of them matters, and in the folder above its own name."""
        (self.folder / "etc").mkdir()
        found = self.found(self.folder / "etc")
        self.assertEqual(found, {".": Place({"etc"}), "etc": Place(documents=True)})
        matters = found["etc"].matters
        self.assertEqual(
            [
                name
                for name in ("a.yaml", "b.yml", "c.json", ".a.yaml.swp", ".a.yaml", "a.yaml~", "4913")
                if matters(name)
            ],
            ["a.yaml", "b.yml", "c.json"],
        )

    def test_files(self) -> None:
        """Of other files their own names matter, whether they are there or not."""
        (self.folder / "certs").mkdir()
        found = self.found(None, self.folder / "certs/a.crt", self.folder / "certs/a.key")
        self.assertEqual(found, {"certs": Place({"a.crt", "a.key"})})

    def test_missing_folder(self) -> None:
        """Where the way ends early the last folder that is there is watched."""
        self.assertEqual(self.found(None, self.folder / "no/such/a.crt"), {".": Place({"no"})})
        self.assertEqual(self.found(self.folder / "etc"), {".": Place({"etc"})})

    def test_links(self) -> None:
        """Kubernetes mounts secrets as links to links: each of them matters."""
        (self.folder / "..2026_1").mkdir()
        (self.folder / "..2026_1/tls.crt").touch()
        (self.folder / "..data").symlink_to("..2026_1")
        (self.folder / "tls.crt").symlink_to("..data/tls.crt")
        self.assertEqual(
            self.found(None, self.folder / "tls.crt"),
            {".": Place({"tls.crt", "..data"}), "..2026_1": Place({"tls.crt"})},
        )

    def test_links_upwards(self) -> None:
        """Links may be absolute, and lead upwards."""
        (self.folder / "a").mkdir()
        (self.folder / "b").mkdir()
        (self.folder / "a/one").symlink_to(self.folder / "b/two")
        (self.folder / "b/two").symlink_to("../b/three")
        found = self.found(None, self.folder / "a/one")
        self.assertEqual(found, {"a": Place({"one"}), "b": Place({"two", "three"})})

    def test_loop(self) -> None:
        """Links that lead to each other are followed for a while."""
        (self.folder / "a").symlink_to("b")
        (self.folder / "b").symlink_to("a")
        self.assertEqual(self.found(None, self.folder / "a"), {".": Place({"a", "b"})})

    def test_tree(self) -> None:
        """Documents matter in every folder within the folder, and so do folders that come and go."""
        (self.folder / "etc/sub/.git").mkdir(parents=True)
        found = self.found(self.folder / "etc")
        self.assertEqual(
            found,
            {".": Place({"etc"}), "etc": Place({"sub"}, documents=True), "etc/sub": Place(documents=True)},
        )
        matters = found["etc/sub"].matters
        self.assertEqual(
            [matters("new", folder=True), matters("new"), matters(".new", folder=True), matters("lost+found", True)],
            [True, False, False, False],
        )

    def test_config_map(self) -> None:
        """Kubernetes mounts documents, and folders of them, as links: what they lead to matters as well."""
        (self.folder / "..1/sub").mkdir(parents=True)
        (self.folder / "..1/a.yaml").touch()
        (self.folder / "..data").symlink_to("..1")
        (self.folder / "a.yaml").symlink_to("..data/a.yaml")
        (self.folder / "sub").symlink_to("..data/sub")
        found = self.found(self.folder)
        self.assertEqual(found["."].names, {"..data", "a.yaml", "sub"})
        self.assertEqual(found["..1"], Place({"a.yaml", "sub"}))
        self.assertTrue(found["..1/sub"].documents)

    def test_current_folder_is_gone(self) -> None:
        """Nothing is found of what is relative to a folder that is gone; all else is."""
        self.addCleanup(os.chdir, Path.cwd())
        gone = self.folder / "gone"
        gone.mkdir()
        os.chdir(gone)
        gone.rmdir()
        self.assertEqual(places(Path("etc"), [Path("a.crt")]), {})
        self.assertEqual(self.found(Path("etc"), self.folder / "a.crt"), {".": Place({"a.crt"})})
