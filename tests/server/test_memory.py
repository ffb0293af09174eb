"""Tests of L{edgegate.server.memory}."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from edgegate.server.memory import memory


class MemoryTests(SynchronousTestCase):
    """How much memory there is."""

    def test_machine(self) -> None:
        """Without a container it is the machine's."""
        self.assertGreater(memory([]), 64 << 20)
        self.assertEqual(memory([Path(self.mktemp())]), memory([]))

    def test_container(self) -> None:
        """A container may have less; where it has no limit, or a higher one, that changes nothing."""
        path = Path(self.mktemp())
        for said, found in (("1048576\n", 1 << 20), ("max\n", memory([])), ("9223372036854771712", memory([]))):
            path.write_text(said)
            self.assertEqual(memory([path]), found, said)
