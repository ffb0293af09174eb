"""Tests of L{edgegate.tls.acme.sealing}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.tls.acme.sealing import SEALING, STAMP, Seal, Unopened

ONE, TWO = b"1" * 32, b"2" * 32


class SealTests(SynchronousTestCase):
    """Entries that others may read and write."""

    def test_opened(self) -> None:
        """What was sealed opens under its name, by any of the keys; it is told whether by the first."""
        sealed = Seal([ONE]).seal("a", b"content")
        self.assertEqual(Seal([ONE, TWO]).open("a", sealed), (b"content", True))
        self.assertEqual(Seal([TWO, ONE]).open("a", sealed), (b"content", False))
        self.assertEqual(len(sealed), len(b"content") + SEALING)
        self.assertNotIn(b"content", sealed)

    def test_unopened(self) -> None:
        """Another name, another key, another version and less than all do not open, each with its reason."""
        sealed = Seal([ONE]).seal("a", b"content")
        for name, given, seal, words in (
            ("b", sealed, Seal([ONE]), "somebody has changed it"),
            ("a", sealed, Seal([TWO]), "encryptionKey is not the one"),
            ("a", sealed[:-1], Seal([ONE]), "can't be decrypted"),
            ("a", sealed[: SEALING - 1], Seal([ONE]), "was cut short"),
            ("a", b"edgegate9." + sealed[10:], Seal([ONE]), "of this version"),
            ("a", b"", Seal([ONE]), "of this version"),
        ):
            self.assertIn(words, str(self.assertRaises(Unopened, seal.open, name, given)))

    def test_stamp(self) -> None:
        """The beginning tells what was sealed at one time from what was at another."""
        seal = Seal([ONE])
        self.assertEqual(len({seal.seal("a", b"content")[:STAMP] for _ in range(100)}), 100)
