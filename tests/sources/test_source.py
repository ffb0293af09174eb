"""Tests of L{edgegate.sources.source}."""

from __future__ import annotations

import pickle
from collections.abc import Iterator

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources.source import Manifest, Reading


class Written(Reading):
    """A reading of what a test says, which takes down what is read."""

    def __init__(self, texts: dict[str, bytes | str], files: dict[str, bytes] | None = None) -> None:
        super().__init__()
        self.texts, self.kept = texts, files or {}
        self.read_so_far: list[str] = []

    def _read_manifests(self) -> Iterator[tuple[str, bytes | str]]:
        for origin, content in self.texts.items():
            self.read_so_far.append(origin)
            yield origin, content

    def _read_file(self, name: str) -> bytes:
        self.read_so_far.append(name)
        if name not in self.kept:
            raise FileNotFoundError(2, "No such file or directory")
        return self.kept[name]


class ReadingTests(SynchronousTestCase):
    """What was read, compared and taken."""

    def before(self) -> Written:
        """Return a reading that was taken, of two texts that name a file."""
        reading = Written({"a": b"1", "b": "can't be read"}, {"key": b"k"})
        self.taken = list(reading.manifests())
        reading.read("key")
        reading.close()
        return reading

    def test_taken(self) -> None:
        """Texts come with a digest each, one by one, and once."""
        self.before()
        self.assertEqual([(each.origin, each.content) for each in self.taken], [("a", b"1"), ("b", "can't be read")])
        self.assertEqual(self.taken[0], Manifest("a", b"1", self.taken[0].digest))
        reading = Written({"a": b"1", "b": b"1"})
        texts = reading.manifests()
        first = next(texts)
        self.assertEqual(reading.read_so_far, ["a"])
        self.assertEqual(next(texts).digest, first.digest)
        self.assertEqual((list(texts), list(reading.manifests())), ([], []))

    def test_same(self) -> None:
        """What is what it was."""
        before = self.before()
        self.assertFalse(Written(before.texts, before.kept).differs(before.contents))

    def test_contents(self) -> None:
        """What was read is a value, which another process can compare as well; no content is in it."""
        contents = self.before().contents
        self.assertEqual(contents, self.before().contents)
        self.assertEqual(pickle.loads(pickle.dumps(contents)), contents)
        self.assertEqual((list(contents.manifests), list(contents.named)), (["a", "b"], ["key"]))
        self.assertEqual(contents.size, len("1") + len("can't be read"))

    def test_differs(self) -> None:
        """Another content, one more or less, a file that has gone; it is read no further than to the difference."""
        before = self.before()
        for texts, files, read in (
            ({"a": b"2", "b": "can't be read"}, before.kept, ["a"]),
            ({"a": b"1", "b": b"can't be read"}, before.kept, ["a", "b"]),
            ({"a": b"1"}, before.kept, ["a"]),
            ({"b": "can't be read"}, before.kept, ["b"]),
            ({**before.texts, "c": b""}, before.kept, ["a", "b", "c"]),
            (before.texts, {}, ["a", "b", "key"]),
        ):
            reading = Written(texts, files)  # type: ignore[arg-type]
            self.assertTrue(reading.differs(before.contents))
            self.assertEqual(reading.read_so_far, read)
            self.assertEqual([each.origin for each in reading.manifests()], list(texts))
            self.assertEqual(len(reading.read_so_far), len({*texts, *read}))

    def test_files(self) -> None:
        """A file is read anew for each who asks, but for what was compared; a reading names those that were asked."""
        before = self.before()
        reading = Written(before.texts, {})
        self.assertTrue(reading.differs(before.contents))
        self.assertEqual(reading.named, [])
        self.assertRaises(FileNotFoundError, reading.read, "key")
        self.assertEqual((reading.named, reading.read_so_far[-1]), (["key"], "key"))
        again = Written(before.texts, {})
        self.assertTrue(again.differs(before.contents))
        again.close()
        self.assertEqual(list(again.manifests()), [])
