"""What C{--version} says."""

from __future__ import annotations

from functools import cache
from importlib.util import find_spec

from edgegate import __version__

HOT = "edgegate.http.router.router"
"""One of the modules that are compiled together or not at all (C{setup.py})."""


@cache  # shown each second to whoever looks
def compiled() -> bool:
    """Whether the modules that every request passes are compiled here."""
    spec = find_spec(HOT)
    return spec is not None and spec.origin is not None and not spec.origin.endswith(".py")


def described() -> str:
    """Return the name, the version, and how it is built where that matters: C{edgegate 0.1.0 (compiled)}."""
    return f"edgegate {__version__}{' (compiled)' if compiled() else ''}"
