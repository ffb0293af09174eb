"""Tests of L{edgegate.cli.watching}."""

from __future__ import annotations

import os
from pathlib import Path

import click
from twisted.trial.unittest import SynchronousTestCase

from edgegate.cli.watching import again, look_at


class AgainTests(SynchronousTestCase):
    """Something that is done whenever files change."""

    def test_changes(self) -> None:
        """It is done at first, and after each change, whatever it raises to end a command; Ctrl-C ends it."""
        states = [{"a": (1, 1)}, {"a": (1, 1)}, {"a": (2, 1)}, {"a": (2, 1)}, {"a": (2, 1)}, {}, {}]
        raised = [SystemExit(1), click.ClickException("broken"), None]
        done: list[int] = []
        waited: list[int] = []

        def once() -> None:
            done.append(len(states))
            error = raised.pop(0)
            if error is not None:
                raise error

        def wait() -> None:
            waited.append(len(states))
            if not states:
                raise KeyboardInterrupt

        def look() -> dict[str, tuple[int, int]]:
            return states.pop(0) if states else {}

        again(once, look, wait)
        self.assertEqual(len(done), 3)
        self.assertEqual(raised, [])
        self.assertGreater(len(waited), 0)

    def test_look(self) -> None:
        """Seen are files, and those of folders: a file more, one less, and one that has changed."""
        folder = Path(self.mktemp())
        (folder / "sub").mkdir(parents=True)
        first, second = folder / "a.yaml", folder / "sub" / "b.crt"
        first.write_text("a")
        before = look_at([str(folder)])
        self.assertEqual(list(before), [str(first)])
        self.assertEqual(look_at([str(folder), str(first)]), before)
        self.assertEqual(look_at([str(folder)], but=str(folder / "sub" / ".." / "a.yaml")), {})
        second.write_text("b")
        self.assertEqual(list(look_at([str(folder)])), [str(first), str(second)])
        os.utime(first, ns=(1, 1))
        self.assertEqual(look_at([str(first), str(folder / "none")]), {str(first): (1, 1)})
        self.assertNotEqual(look_at([str(folder)]), before)
