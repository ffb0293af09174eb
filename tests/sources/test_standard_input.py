"""Tests of L{edgegate.sources.standard_input}."""

from __future__ import annotations

import pickle
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.sources.standard_input import StandardInput
from tests.sources.test_folder import taken


class StandardInputTests(SynchronousTestCase):
    """What comes once, and the files that it names."""

    def test_read(self) -> None:
        """It stays what it was; the files that it names are relative to the folder that was the current one."""
        base = Path(self.mktemp())
        base.mkdir()
        (base / "shop.key").write_bytes(b"key")
        inputs = [b"input"]
        source = StandardInput(inputs.pop, base=base)
        before = source.read()
        self.assertEqual(taken(before), [("<stdin>", b"input")])
        self.assertEqual(before.read("shop.key"), b"key")
        self.assertEqual((before.path, before.files), (None, [base / "shop.key"]))
        again = source.read()
        self.assertFalse(again.differs(before.contents))
        (base / "shop.key").write_bytes(b"another")
        self.assertTrue(source.read().differs(before.contents))
        self.assertEqual((source.name, source.location), ("-", "-"))
        before.close()

    def test_elsewhere(self) -> None:
        """Another process has what it was, though it can't be read again."""
        inputs = [b"input"]
        source = StandardInput(inputs.pop, base=Path("base"))
        self.assertEqual(source.size(), len(b"input"))
        again = pickle.loads(pickle.dumps(source)).read()
        self.assertEqual(taken(again), [("<stdin>", b"input")])
        self.assertEqual(again.base, Path("base"))
