# Hot path: looked at once per answer.
"""
How many retries a cluster is worth: a backend that is down is not stormed by those who try again.

Where some endpoints of a cluster answer, each response pays for more retries
than the request can have needed; where none does, what was saved is soon spent,
and each request is tried once. A C{retryBudget} of a DestinationRule takes the
place of that, and a C{maxRetries} comes on top.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgegate.model.clusters import RetryShare
from edgegate.upstream.endpoint import EndpointState

SAVED: Final = 100.0
"""Retries that can be made before anything was answered."""

EARNED: Final = 2.0
"""Retries that a response pays for."""


class RetryBudget:
    """
    Counts what may still be tried again.

    @ivar left: Retries that may be made, L{SAVED} at most.
    @ivar limit: Requests that may be in their second or a later try at one time (Istio's C{maxRetries}); L{None}: any.
    @ivar share: The same by a share of all requests (Istio's C{retryBudget}); L{None}: what was saved counts.
    @ivar endpoints: Those of the cluster, who know what is under way.
    @ivar under_way: Requests that are in their second or a later try.
    """

    __slots__ = ("endpoints", "left", "limit", "share", "under_way")

    def __init__(self, limit: int | None = None, share: RetryShare | None = None) -> None:
        self.endpoints: Sequence[EndpointState] = ()
        self.left = SAVED
        self.limit = limit
        self.share = share
        self.under_way = 0

    def spend(self, again: bool = False) -> bool:
        """
        Take one retry out, if there is one; L{release} follows at the end of the request.

        @param again: The request was tried again before.
        """
        share = self.share
        others = self.under_way - again
        if self.limit is not None and others >= self.limit:
            return False
        if share is not None:
            active = sum(endpoint.active for endpoint in self.endpoints)
            if others >= max(share.minimum, share.share * active):
                return False
        elif self.left < 1.0:
            return False
        else:
            self.left -= 1.0
        self.under_way = others + 1
        return True

    def release(self) -> None:
        """A request that was tried again has ended."""
        self.under_way -= 1

    def earn(self) -> None:
        """The cluster has answered."""
        self.left = min(SAVED, self.left + EARNED)
