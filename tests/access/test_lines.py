"""Tests of L{edgegate.access.lines}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.lines import lines_of


class LinesTests(SynchronousTestCase):
    """Files with an entry a line."""

    def test_lines(self) -> None:
        """Numbers are those that an editor shows."""
        self.assertEqual(
            list(lines_of(b"\xef\xbb\xbfa\r\n\n #b\n#c\n  \nd")),
            [(1, b"a"), (3, b" #b"), (6, b"d")],
        )
        self.assertEqual(list(lines_of(b"")), [])
