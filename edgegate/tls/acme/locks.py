"""Locks on what a storage keeps, by which one of many does what costs."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Lock:
    """
    A lock that is held.

    @ivar token: What tells this holder from others; empty where a lock can't be lost.
    """

    name: str
    token: str = ""


class LockLost(OSError):
    """A lock is no longer held: nothing was written."""
