"""Tests of L{edgegate.sources.folder}."""

from __future__ import annotations

import errno
import os
import pickle
import socket
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources.file_reader import FileReader
from edgegate.sources.folder import Folder, FolderReading
from edgegate.sources.source import Reading

T = TypeVar("T")


class FolderTests(SynchronousTestCase):
    """What was read, and whether it still is what it was."""

    def setUp(self) -> None:
        """Make a folder of two files, of which one is read by name."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        (self.folder / "a.yaml").write_bytes(b"a")
        (self.folder / "shop.key").write_bytes(b"key")
        self.reading = self.read(str(self.folder))

    def read(self, config: str, *names: str) -> FolderReading:
        """Read everything."""
        reading = Folder(config).read()
        self.documents = taken(reading)
        for name in names or ("shop.key",):
            try:
                reading.read(name)
            except OSError:
                continue
        return reading

    def changed(self, before: Reading | None = None) -> bool:
        """Whether something is not what it was."""
        reading = Folder(str(self.folder)).read()
        self.addCleanup(reading.close)
        return reading.differs((before or self.reading).contents)

    def test_unchanged(self) -> None:
        """Files that were touched, and others, change nothing."""
        self.assertEqual(self.documents, [("a.yaml", b"a")])
        os.utime(self.folder / "a.yaml", (1, 1))
        (self.folder / "other.txt").touch()
        (self.folder / ".a.yaml.swp").touch()
        self.assertFalse(self.changed())

    def test_size(self) -> None:
        """How much there is to read can be told before; of what can't be looked at nothing is known."""
        (self.folder / "sub").mkdir()
        (self.folder / "sub" / "b.yaml").write_bytes(b"12345")
        (self.folder / "gone.yaml").symlink_to("nowhere")
        for name, size in ((".", 6), ("sub/b.yaml", 5), ("none", 0), ("nul\0", 0)):
            self.assertEqual(Folder(str(self.folder / name)).size(), size, name)

    def test_elsewhere(self) -> None:
        """Another process reads the same, and calls it the same, whatever its current folder is."""
        folder = Folder(self.folder.name, base=self.folder.parent)
        again = pickle.loads(pickle.dumps(folder))
        self.assertEqual((again.name, again.location), (folder.name, folder.location))
        reading = again.read()
        self.addCleanup(reading.close)
        self.assertEqual(taken(reading), [("a.yaml", b"a")])

    def test_documents_change(self) -> None:
        """A file has another content, is new, is gone."""
        (self.folder / "a.yaml").write_bytes(b"b")
        self.assertTrue(self.changed())
        (self.folder / "a.yaml").write_bytes(b"a")
        self.assertFalse(self.changed())
        (self.folder / "b.yaml").touch()
        self.assertTrue(self.changed())
        (self.folder / "b.yaml").unlink()
        (self.folder / "a.yaml").unlink()
        self.assertTrue(self.changed())

    def test_named_file_changes(self) -> None:
        """So is a file that a document names watched for, also if it isn't there yet."""
        (self.folder / "shop.key").write_bytes(b"another")
        self.assertTrue(self.changed())
        reading = self.read(str(self.folder), "late.key")
        self.assertEqual((reading.named, reading.files), (["late.key"], [self.folder / "late.key"]))
        self.assertFalse(self.changed(reading))
        (self.folder / "late.key").touch()
        self.assertTrue(self.changed(reading))

    def test_folder_goes(self) -> None:
        """A folder that can't be read any more is a change, and no error."""
        self.folder.rename(self.folder.with_suffix(".away"))
        self.assertTrue(self.changed())
        gone = self.read(str(self.folder))
        self.assertEqual(self.documents, [(str(self.folder), "No such file or directory")])
        self.assertFalse(self.changed(gone))

    def test_tree(self) -> None:
        """Files of folders within the folder are called by their way from there; a new one is a change."""
        (self.folder / "sub").mkdir()
        self.assertFalse(self.changed())
        (self.folder / "sub/b.yaml").write_bytes(b"b")
        self.assertTrue(self.changed())
        self.read(str(self.folder))
        self.assertEqual(self.documents, [("a.yaml", b"a"), ("sub/b.yaml", b"b")])

    def test_special_files(self) -> None:
        """Pipes, sockets and devices are not waited for: neither as documents nor where a document names them."""
        with socket.socket(socket.AF_UNIX) as sock:
            sock.bind(str(self.folder / "s.yaml"))
        os.mkfifo(self.folder / "p.yaml")
        (self.folder / "l.yaml").symlink_to("p.yaml")
        (self.folder / "d.yaml").symlink_to("/dev/zero")
        self.read(str(self.folder))
        pipe, device = "it is a named pipe, not a file", "it is a device, not a file"
        self.assertEqual(
            self.documents,
            [
                ("a.yaml", b"a"),
                ("d.yaml", device),
                ("l.yaml", pipe),
                ("p.yaml", pipe),
                ("s.yaml", "it is a socket, not a file"),
            ],
        )
        for name, reason in (("p.yaml", pipe), ("l.yaml", pipe), ("d.yaml", device)):
            error = self.assertRaises(OSError, self.reading.read, name)
            self.assertEqual(error.strerror, reason)
        self.assertRaises(IsADirectoryError, self.reading.read, ".")
        self.read(str(self.folder / "p.yaml"))
        self.assertEqual(self.documents, [(str(self.folder / "p.yaml"), f"{pipe}; - reads standard input")])

    def test_files_that_hang(self) -> None:
        """A file system that does not answer is a reason, and a change."""

        class Hanging(FileReader):
            hangs = False

            def __call__(self, work: Callable[[], T]) -> T:
                if self.hangs:
                    raise TimeoutError(errno.ETIMEDOUT, "nothing came for 10 seconds")
                return super().__call__(work)

        reader = Hanging()
        folder = Folder(str(self.folder), reader)
        before = folder.read()
        self.assertEqual(taken(before), [("a.yaml", b"a")])
        before.read("shop.key")
        reader.hangs = True
        self.assertTrue(folder.read().differs(before.contents))
        self.assertRaises(TimeoutError, before.read, "shop.key")
        reading = folder.read()
        self.assertEqual(taken(reading), [(str(self.folder), "nothing came for 10 seconds")])
        self.assertRaises(TimeoutError, reading.read, "shop.key")
        self.assertEqual(reading.files, [self.folder.parent / "shop.key"])

    def test_many_files(self) -> None:
        """Many files are read in their order, be they small, large, or unreadable."""
        expected: list[tuple[str, object]] = [("a.yaml", b"a")]
        for number in range(100):
            name = f"b{number:02}.yaml"
            content = b"x" * (1 + number % 7 * 300_000)
            if number % 10:
                (self.folder / name).write_bytes(content)
            else:
                (self.folder / name).symlink_to("nowhere")
            expected.append((name, content if number % 10 else "No such file or directory"))
        self.read(str(self.folder))
        self.assertEqual(self.documents, expected)

    def test_one_file_hangs(self) -> None:
        """Of files that are read together the one that hangs is named, and the others are read."""

        class Hanging(FileReader):
            calls = 0

            def __call__(self, work: Callable[[], T]) -> T:
                self.calls += 1
                # the first two look at the folder, the third reads the files, and those after it each of them
                if self.calls in (3, 5):
                    raise TimeoutError(errno.ETIMEDOUT, "nothing came")
                return super().__call__(work)

        for name in ("b", "c"):
            (self.folder / f"{name}.yaml").write_text(name)
        reading = Folder(str(self.folder), Hanging()).read()
        self.assertEqual(taken(reading), [("a.yaml", b"a"), ("b.yaml", "nothing came"), ("c.yaml", b"c")])

    def test_passed_over(self) -> None:
        """Files with other endings that hold documents are told, but for copies of files that are read."""
        gateway = "apiVersion: networking.istio.io/v1\nkind: Gateway\n---\nkind: VirtualService\n"
        for name in ("a.yaml.bak", "a.yaml~", "b.yaml.bak", "sub/c.txt"):
            path = self.folder / name
            path.parent.mkdir(exist_ok=True)
            path.write_text(gateway)
        (self.folder / "notes.txt").write_text(f"An example:\n\n  {gateway}")
        (self.folder / "deployment.txt").write_text("apiVersion: apps/v1\nkind: Deployment\n")
        (self.folder / "binary").write_bytes(b"\0" + gateway.encode())
        os.mkfifo(self.folder / "pipe")
        reading = self.read(str(self.folder))
        kinds = ("Gateway", "VirtualService")
        self.assertEqual(list(reading.passed_over()), [("b.yaml.bak", kinds), ("sub/c.txt", kinds)])
        self.assertFalse(self.changed(reading))

    def test_base(self) -> None:
        """Names are relative to where they were given, wherever the process has gone since."""
        folder = Folder(self.folder.name, base=self.folder.parent)
        reading = folder.read()
        self.assertEqual(taken(reading), [("a.yaml", b"a")])
        reading.read("shop.key")
        self.assertEqual((reading.path, reading.files), (self.folder, [self.folder / "shop.key"]))
        self.assertEqual((folder.name, folder.location), (self.folder.name, str(self.folder)))
        reading.close()

    def test_read_once(self) -> None:
        """What is compared with what it was is read once, be it served afterwards or not."""
        reader = CountingReader()
        folder = Folder(str(self.folder), reader)
        (self.folder / "b.yaml").write_bytes(b"b")
        before = folder.read()
        taken(before)
        before.read("shop.key")
        self.assertEqual(reader.contents, {b"a": 1, b"b": 1, b"key": 1})
        for content in (b"b", b"changed"):
            (self.folder / "b.yaml").write_bytes(content)
            reader.contents.clear()
            reading = folder.read()
            self.assertEqual(reading.differs(before.contents), content == b"changed")
            self.assertEqual(taken(reading), [("a.yaml", b"a"), ("b.yaml", content)])
            self.assertEqual(reading.read("shop.key"), b"key")
            self.assertEqual(reader.contents, {b"a": 1, content: 1, b"key": 1})
        reading.close()


def taken(reading: Reading) -> list[tuple[str, bytes | str]]:
    """Take all texts."""
    return [(manifest.origin, manifest.content) for manifest in reading.manifests()]


class CountingReader(FileReader):
    """
    Counts what it reads.

    @ivar contents: How often each content was read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.contents: Counter[bytes] = Counter()

    def __call__(self, work: Callable[[], T]) -> T:
        """Do it, and look at what comes of it."""
        found = super().__call__(work)
        for content in found if isinstance(found, list) else [found]:
            if isinstance(content, bytes):
                self.contents[content] += 1
        return found
