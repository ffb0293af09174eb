# Hot path: asked after each turn of an HTTP/2 client's connection.
"""What the connection of an HTTP/2 client keeps until somebody goes on, as it counts among all of them."""

from __future__ import annotations

from edgegate.http.h2.request_stream import StreamOwner
from edgegate.http.held_bytes import Holder


class KeptBytes(Holder):
    """The share of one connection. It is made when there is something to be kept, and ends with L{end}."""

    __slots__ = ("_owner",)

    def __init__(self, owner: StreamOwner) -> None:
        Holder.__init__(self)
        self._owner: StreamOwner | None = owner

    def count(self, size: int) -> None:
        """The connection keeps so many bytes now; it may be ended before this returns, as may be another."""
        owner = self._owner
        if owner is None or size == self.held:
            return
        if size:
            owner.environment.http2_bytes.hold(self, size)
        else:
            owner.environment.http2_bytes.release(self)

    def overflow(self) -> None:
        """All keep too much, and this connection the most."""
        owner = self._owner
        self.end()
        if owner is not None:
            owner.give_up()

    def end(self) -> None:
        """The connection keeps nothing any more, and is forgotten."""
        owner, self._owner = self._owner, None
        if owner is not None and self.held:
            owner.environment.http2_bytes.release(self)
