"""Tests of L{edgegate.net.pipe}."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net import pipe
from edgegate.net.pipe import Pipe


class PipeTests(SynchronousTestCase):
    """Pipes that are taken and given back."""

    def setUp(self) -> None:
        """Begin without any."""
        kept: list[Pipe] = []
        self.patch(Pipe, "_kept", kept)
        self.patch(Pipe, "_open", 0)
        self.patch(pipe, "MOST_PIPES", 2)

        def close() -> None:
            for each in kept:
                os.close(each.reader)
                os.close(each.writer)

        self.addCleanup(close)

    def take(self) -> Pipe:
        """Take one, which there must be."""
        taken = Pipe.take()
        assert taken is not None
        return taken

    def test_kept(self) -> None:
        """An empty pipe serves again."""
        first = self.take()
        first.give()
        self.assertIs(self.take(), first)
        first.give()

    def test_not_kept(self) -> None:
        """One with bytes in it does not: they would come out on another connection."""
        first = self.take()
        first.held = os.write(first.writer, b"secret")
        first.give()
        self.assertRaises(OSError, os.fstat, first.reader)
        second = self.take()
        self.assertRaises(BlockingIOError, os.read, second.reader, 10)
        second.give()

    def test_most(self) -> None:
        """There are so many and no more, until one is closed or given back."""
        first, second = self.take(), self.take()
        self.assertIsNone(Pipe.take())
        first.held = os.write(first.writer, b"x")
        first.give()
        self.take().give()
        second.give()
