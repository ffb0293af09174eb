"""Which source is meant by what a command line names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edgegate.sources import standard_input
from edgegate.sources.folder import Folder
from edgegate.sources.source import ConfigurationSource


def source_named(name: str, read_stdin: Callable[[], bytes] | None = None) -> ConfigurationSource:
    """
    Return the source of a name: a folder, a file, or C{-} for standard input.

    What is relative is so to the folder that is the current one now, as are names in the documents of standard input;
    those of others are relative to the folder, or to the folder of the file.

    @param read_stdin: Returns all of standard input.
    """
    base = _here()
    if name == standard_input.NAME:
        return standard_input.StandardInput(read_stdin, base=base)
    return Folder(name, base=base)


def _here() -> Path:
    """Return the current folder, which names on the command line are relative to, wherever the process goes later."""
    try:
        return Path.cwd()
    except OSError:
        return Path()
