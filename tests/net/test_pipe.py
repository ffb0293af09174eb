"""Tests of L{edgegate.net.pipe}."""

from __future__ import annotations

import os

from twisted.trial.unittest import SynchronousTestCase

from edgegate.net.pipe import Pipe, Pipes


class PipesTests(SynchronousTestCase):
    """Pipes that are taken and given back."""

    def setUp(self) -> None:
        """Begin without any, of which there may be two."""
        self.pipes = Pipes(2)
        self.addCleanup(self.pipes.close)

    def take(self) -> Pipe:
        """Take one, which there must be."""
        taken = self.pipes.take()
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
        self.assertIsNone(self.pipes.take())
        first.held = os.write(first.writer, b"x")
        first.give()
        self.take().give()
        second.give()
