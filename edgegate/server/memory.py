"""How much memory there is for this process and those beside it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

LIMITS = (Path("/sys/fs/cgroup/memory.max"), Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"))
"""Where Linux says what a container may have: cgroups of version 2 and 1."""


def memory(limits: Iterable[Path] = LIMITS) -> int:
    """Return the bytes of the machine's memory, or of the container's where that may have less."""
    found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    for path in limits:
        try:
            said = path.read_text().strip()
        except OSError:
            continue
        if said.isdigit():
            found = min(found, int(said))
    return found
