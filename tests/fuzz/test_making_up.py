"""Tests of L{tests.fuzz.making_up}."""

from __future__ import annotations

import re
from random import Random

from twisted.trial.unittest import SynchronousTestCase

from tests.fuzz.making_up import COUNT, START, Frames, again, conversation, known

FIRST = [(b":method", b"GET")]


def made(rnd: Random) -> Frames:
    """Make one up."""
    return conversation(rnd, FIRST)


class AgainTests(SynchronousTestCase):
    """What is said, and said again."""

    def setUp(self) -> None:
        """Note what is said."""
        self.said: list[Frames] = []

    def note(self, frames: Frames, rnd: Random) -> None:
        """Take all of it."""
        self.said.append(frames)

    def test_corpus_first(self) -> None:
        """All of the corpus is said first, and then what is made up: a fixed number at least."""
        self.assertGreaterEqual(again(made, self.note, "client", ""), COUNT)
        corpus = known("client")
        self.assertEqual(self.said[: len(corpus)], corpus)
        self.assertGreater(len(self.said), len(corpus))

    def test_seed(self) -> None:
        """What failed is said again by its seed, be it of the corpus, changed from it, or made up."""
        again(made, self.note, "client", "")
        everything, self.said = self.said, []
        for number in range(len(known("client")) + 50):
            self.assertEqual(again(made, self.note, "client", f"{START}-{number}"), number + 1)
        self.assertEqual(self.said, everything[: len(self.said)])

    def test_told(self) -> None:
        """What fails is told with its seed, which makes it fail again, and as short as it can be."""

        def refuse(frames: Frames, rnd: Random) -> None:
            if any(frame[3:4] == b"\x07" for frame in frames):
                raise ValueError("a GOAWAY")

        first = str(self.assertRaises(AssertionError, again, made, refuse, "none", ""))
        found = re.match(r"EDGEGATE_FUZZ_SEED=(\S+): ValueError\('a GOAWAY'\)\nas short as it can be:\n(\w+)$", first)
        assert found is not None, first
        self.assertEqual(bytes.fromhex(found[2])[3], 7)
        self.assertEqual(str(self.assertRaises(AssertionError, again, made, refuse, "none", found[1])), first)
