"""Doing something again whenever files change, until Ctrl-C."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from time import sleep

import click

from edgegate.sources.tree import walk

EVERY = 0.5
"""Seconds between two looks at the files."""

Seen = dict[str, tuple[int, int]]
"""Times of change and sizes of files, by their paths."""


def pause() -> None:
    """Wait for a while."""
    sleep(EVERY)


def again(once: Callable[[], object], look: Callable[[], Seen], wait: Callable[[], None] = pause) -> None:
    """
    Do something, and again whenever what is seen has changed, until C{KeyboardInterrupt}.

    What it raises to end a command, or to say what is wrong, ends nothing here.

    @param wait: Called between two looks.
    """
    with suppress(KeyboardInterrupt):
        while True:
            seen = look()
            try:
                once()
            except click.ClickException as error:
                error.show()
            except SystemExit:
                pass
            click.echo("waiting for a change of the files: Ctrl-C ends", err=True)
            while look() == seen:
                wait()


def look_at(names: Iterable[str], but: str | None = None) -> Seen:
    """
    Return what is seen of files, and of all files in folders. What can't be looked at is not there.

    @param but: A file that is left out: what is done writes it.
    """
    found: Seen = {}
    left_out = "" if but is None else os.path.realpath(but)
    for name in names:
        path = Path(name)
        paths = [path]
        with suppress(OSError):
            if path.is_dir():
                tree = walk(path, lambda call: call())
                paths = [each for _, each in (*tree.documents, *tree.others)]
        for each in paths:
            if left_out and os.path.realpath(each) == left_out:
                continue
            with suppress(OSError):
                status = os.stat(each)  # noqa: PTH116
                found[str(each)] = status.st_mtime_ns, status.st_size
    return found
