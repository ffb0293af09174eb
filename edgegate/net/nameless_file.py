"""Files without a name, which processes share by their descriptors."""

from __future__ import annotations

import os
import tempfile

IN_MEMORY = hasattr(os, "memfd_create")
"""Whether they are in memory: what is in them is never written to a disk."""


def nameless_file(title: str) -> int:
    """
    Return the descriptor of a new file, in memory where the system has that, which is the caller's to close.

    @param title: What the system's tools show of it, where it has one.
    """
    if IN_MEMORY:
        return os.memfd_create(title, os.MFD_CLOEXEC)
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())
