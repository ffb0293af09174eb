# Hot path: asked for a stream by each request to an endpoint that speaks HTTP/2.
"""
The connections to one endpoint that carry many requests at the same time, and who waits for room on them.

The fullest one that has room is taken, so that the others empty themselves and
can go. One connection is made at a time: whoever comes meanwhile waits for it, as
long as it will have room for all who wait; else the next one is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from typing import Final, Protocol

from edgegate.errors import Fault
from edgegate.net.containment import Breakable, broke
from edgegate.upstream.pooled_stream import PooledStream

STREAMS: Final = 100
"""What a connection that is being made is taken to have room for, until its backend says how much it has."""


class SharedConnection(ABC):
    """
    A connection that carries many requests. It owns itself, and is known to the pool until it takes no more requests.

    @ivar key: As of L{PooledStream}.
    @ivar used: How many requests it has carried.
    """

    __slots__ = ("key", "used")

    key: Hashable
    used: int

    @property
    @abstractmethod
    def room(self) -> int:
        """For how many more requests there is room now."""

    @property
    @abstractmethod
    def promised(self) -> int:
        """For how many more there will be, as far as can be told before the backend has said how many it takes."""

    @property
    @abstractmethod
    def active(self) -> int:
        """How many requests it carries."""

    @abstractmethod
    def open(self) -> PooledStream:
        """Return a stream for a request, which takes its room when it is sent; one that is not used is forgotten."""

    @abstractmethod
    def close(self) -> None:
        """Take no further request, and end with the last of those that are under way."""


class Opening(Protocol):
    """A connection that is being made."""

    @property
    def key(self) -> Hashable: ...

    @property
    def promised(self) -> int:
        """For how many requests it will have room."""

    def cancel(self) -> None:
        """Make it no more: nobody waits for it."""


class Waiter(Breakable, Protocol):
    """A request that waits for room. One of its calls is called, once, and none after L{SharedPool.leave}."""

    @property
    def key(self) -> Hashable: ...

    def room_came(self, stream: PooledStream, reused: bool) -> None:
        """There is a stream for it."""

    def opening_failed(self, fault: Fault) -> None:
        """The connection that it waited for could not be made."""

    def go_on(self) -> None:
        """What it waited for has less room than was thought: look for something else."""


class SharedPool:
    """
    Those of one endpoint.

    @ivar refused: Whether the endpoint, asked last, has not agreed on HTTP/2: its connections are in the other pool.
    """

    __slots__ = ("_closed", "_connections", "_openings", "_waiting", "refused")

    def __init__(self) -> None:
        self._connections: list[SharedConnection] = []
        self._openings: list[Opening] = []
        # by key, in order: how many there are is asked by each that comes
        self._waiting: dict[Hashable, dict[Waiter, None]] = {}
        self._closed = False
        self.refused = False

    def take(self, key: Hashable) -> PooledStream | None:
        """Return a stream on the fullest connection of a key that has room; L{None}: there is none."""
        found: SharedConnection | None = None
        least = 0
        for connection in self._connections:
            if connection.key == key:
                room = connection.room
                if room > 0 and (found is None or room < least):
                    found, least = connection, room
        return None if found is None else found.open()

    def counts(self) -> tuple[int, int]:
        """Return how many connections there are, and how many requests they carry."""
        return len(self._connections), sum([connection.active for connection in self._connections])

    def opening(self, key: Hashable) -> int:
        """Return how much room there will be that nobody waits for yet."""
        promised = 0
        for opening in self._openings:
            if opening.key == key:
                promised += opening.promised
        for connection in self._connections:
            if connection.key == key:
                promised += connection.promised
        return promised - len(self._waiting.get(key, ()))

    def wait(self, waiter: Waiter) -> None:
        """Call a waiter when its turn comes."""
        self._waiting.setdefault(waiter.key, {})[waiter] = None

    def leave(self, waiter: Waiter) -> bool:
        """
        Call a waiter no more; return whether it has waited.

        A connection that is being made and that nobody waits for any more is given up.
        """
        if not self._drop(waiter):
            return False
        key = waiter.key
        if key not in self._waiting:
            for opening in [each for each in self._openings if each.key == key]:
                self._openings.remove(opening)
                opening.cancel()
        return True

    # What connections tell --------------------------------------------------------------------------------------------

    def begun(self, opening: Opening) -> None:
        """A connection is being made."""
        self._openings.append(opening)

    def failed(self, opening: Opening, fault: Fault) -> None:
        """It was not made: nor is it for those who waited for it longest."""
        if opening in self._openings:
            self._openings.remove(opening)
        waiters = self._waiters(opening.key)
        for waiter in waiters[: max(0, -self.opening(opening.key))]:
            # one of those before may have ended others
            if self._drop(waiter):
                try:
                    waiter.opening_failed(fault)
                except Exception:
                    broke(waiter)

    def opened(self, opening: Opening | None, connection: SharedConnection) -> None:
        """It was made."""
        if opening is not None:
            self._openings.remove(opening)
        self.refused = False
        self._connections.append(connection)
        self.room_came(connection)
        if self._closed:
            connection.close()

    def alone(self, opening: Opening) -> Waiter | None:
        """
        It was made, and carries one request at a time: return for whom it is.

        All others look for one of their own, to be told by L{settle}.
        """
        self._openings.remove(opening)
        self.refused = True
        waiter = self._first(opening.key)
        if waiter is not None:
            self._drop(waiter)
        return waiter

    def room_came(self, connection: SharedConnection) -> None:
        """A connection has room, or has said how much it has."""
        if self._waiting:
            key = connection.key
            waiter = self._first(key)
            while waiter is not None and connection.room > 0:
                self._drop(waiter)
                reused = connection.used > 0
                try:
                    waiter.room_came(connection.open(), reused)
                except Exception:
                    broke(waiter)
                waiter = self._first(key)
            self.settle(key)

    def gone(self, connection: SharedConnection) -> None:
        """A connection takes no further requests. May be called again."""
        if connection in self._connections:
            self._connections.remove(connection)
            self.settle(connection.key)

    def settle(self, key: Hashable) -> None:
        """Have those look elsewhere for whom there will be no room."""
        for waiter in self._waiters(key) if self.opening(key) < 0 else ():
            if self.opening(key) >= 0:
                break
            if self._drop(waiter):
                try:
                    waiter.go_on()
                except Exception:
                    broke(waiter)

    # What the pool tells ----------------------------------------------------------------------------------------------

    def evict(self) -> bool:
        """Close one that carries nothing; return whether there was one."""
        for connection in self._connections:
            if not connection.active:
                connection.close()
                return True
        return False

    def close_all(self) -> None:
        """Let all connections end with what they carry; those that are still made, too."""
        self._closed = True
        self.drain()

    def drain(self) -> None:
        """Let those end with what they carry that are there now."""
        for connection in list(self._connections):
            connection.close()

    def _waiters(self, key: Hashable) -> list[Waiter]:
        return list(self._waiting.get(key, ()))

    def _first(self, key: Hashable) -> Waiter | None:
        waiting = self._waiting.get(key)
        return next(iter(waiting)) if waiting else None

    def _drop(self, waiter: Waiter) -> bool:
        """Take one out; return whether it has waited."""
        waiting = self._waiting.get(waiter.key)
        if waiting is None or waiter not in waiting:
            return False
        del waiting[waiter]
        if not waiting:
            del self._waiting[waiter.key]
        return True

    def __len__(self) -> int:
        return len(self._connections)

    def __bool__(self) -> bool:
        # it is no sequence
        return True

    def __repr__(self) -> str:
        waiting = sum(map(len, self._waiting.values()))
        return f"<SharedPool of {len(self._connections)}, {len(self._openings)} opening, {waiting} waiting>"
