# Hot path: looked at once per answer.
"""
How many retries a cluster is worth: a backend that is down is not stormed by those who try again.

Where some endpoints of a cluster answer, each answer pays for more retries
than the request can have needed; where none does, what was saved is soon spent,
and each request is tried once.
"""

from __future__ import annotations

SAVED = 100.0
"""Retries that can be made before anything was answered."""

EARNED = 2.0
"""Retries that an answer pays for."""


class RetryBudget:
    """
    Counts what may still be tried again.

    @ivar left: Retries that may be made, L{SAVED} at most.
    """

    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = SAVED

    def spend(self) -> bool:
        """Take one retry out, if there is one."""
        if self.left < 1.0:
            return False
        self.left -= 1.0
        return True

    def earn(self) -> None:
        """The cluster has answered."""
        self.left = min(SAVED, self.left + EARNED)
