# Hot path: counts each request.
"""What one client has at the gateway, known to each of its connections."""

from __future__ import annotations

from collections.abc import Hashable
from sys import maxsize
from typing import Final

_LONG_AGO: Final = -1e9


class ClientCounts:
    """
    Counts what a client has.

    @ivar client: Whose it is; L{None}: nobody's in particular.
    @ivar connections: How many it has.
    @ivar requests: How many are under way: counted by the streams that carry them, without a call.
    @ivar most_requests: How many may be.
    @ivar ending: How many of its connections were told to end, and have not made room for others yet.
    @ivar looked: When it was last looked in vain for some that lie idle, in the clock's seconds.
    """

    __slots__ = ("client", "connections", "ending", "looked", "most_requests", "requests")

    def __init__(self, client: Hashable, most_requests: int) -> None:
        self.client = client
        self.most_requests = most_requests
        self.connections = self.requests = self.ending = 0
        self.looked = _LONG_AGO


NOBODY: Final = ClientCounts(None, maxsize)
"""Of all connections whose clients are not told apart: there is no limit for them."""
