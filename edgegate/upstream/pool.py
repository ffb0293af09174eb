# Hot path: taken from and given to once per request.
"""
The idle connections to one endpoint.

Most may be used for any request. Those that have a key (they asked for a
certificate of one name, or told the backend of one client) are for requests of
the same key only.

As many are kept as were needed at one time lately. A connection is made only
where none is idle, so there are never more than requests were under way; the
most recently used one is taken first, so those that are not needed any more grow
old, and are closed after their lifetime. A bound is there for a peak that lasts
for a moment. A pool owns the connections that lie in
it and no others: who takes one owns it until it is given back or dropped.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Final

from edgegate.net.wheel import Deadline, TimerWheel
from edgegate.upstream.pooled_stream import PooledStream
from edgegate.upstream.shared_pool import SharedPool

MAX_IDLE: Final = 1024
"""Idle connections that are kept per endpoint, at the most: each is a descriptor, here and at the backend."""

IDLE_LIFETIME: Final = 60.0
"""Seconds after which an idle connection is closed: below the keep-alive time of common servers (nginx: 75)."""


def expired(idle: Mapping[PooledStream, float], before: float) -> list[PooledStream]:
    """
    Return the connections that have been idle since C{before} or longer.

    @param idle: Each connection with the time since when it is idle, longest first.
    """
    found: list[PooledStream] = []
    for connection, since in idle.items():
        if since > before:
            break
        found.append(connection)
    return found


class Pool:
    """
    Idle connections to one endpoint, last in, first out. Every operation takes constant time.

    A connection that dies while it lies here calls L{discard} itself.

    @ivar lifetime: See L{__init__}; may be changed, for what is given from then on.
    """

    __slots__ = ("_idle", "_keyed", "_limit", "_shared", "_sweep", "_sweeping", "_wheel", "lifetime")

    def __init__(self, wheel: TimerWheel, limit: int = MAX_IDLE, lifetime: float = IDLE_LIFETIME) -> None:
        """
        @param limit: Idle connections that are kept.
        @param lifetime: Seconds that one may lie idle; it lies at most a tick of the wheel longer.
        """
        self._wheel = wheel
        self._limit = limit
        self.lifetime = lifetime
        # in the order in which they were given: the oldest first
        self._idle: dict[PooledStream, float] = {}
        # those with a key, once more: by it
        self._keyed: dict[Hashable, dict[PooledStream, None]] = {}
        self._shared: SharedPool | None = None
        self._sweep = Deadline(wheel, self._swept)
        self._sweeping = False

    def take(self, key: Hashable = None) -> PooledStream | None:
        """
        Return the connection of a key that was given last, which is the caller's from now on; L{None} where none is
        idle.
        """
        idle = self._idle
        if key is None and not self._keyed:
            return idle.popitem()[0] if idle else None
        return self._take_keyed(key)

    def sharing(self) -> SharedPool:
        """Return those connections of the endpoint that carry many requests at the same time."""
        shared = self._shared
        if shared is None:
            shared = self._shared = SharedPool()
            if self._limit == 0:
                shared.close_all()
        return shared

    def shared_connections(self) -> tuple[int, int]:
        """Return how many connections carry many requests at the same time, and how many they carry."""
        return (0, 0) if self._shared is None else self._shared.counts()

    def give(self, connection: PooledStream) -> None:
        """
        Keep a connection for the next who needs one; where there is no room, the one idle longest is closed.

        After L{close_all} it is the given one that is closed.
        """
        idle = self._idle
        if len(idle) >= self._limit:
            if self._limit == 0:
                connection.close()
                return
            oldest = next(iter(idle))
            self._forget(oldest)
            oldest.close()
        if not self._sweeping:
            self._sweeping = True
            self._sweep.start(self.lifetime)
        idle[connection] = self._wheel.now
        key = connection.key
        if key is not None:
            self._keyed.setdefault(key, {})[connection] = None

    def evict(self) -> bool:
        """Close the connection that is idle longest; return whether there was one."""
        oldest = next(iter(self._idle), None)
        if oldest is not None:
            self._forget(oldest)
            oldest.close()
            return True
        return self._shared is not None and self._shared.evict()

    def discard(self, connection: PooledStream) -> None:
        """Forget a connection that died; nothing happens if it does not lie here."""
        if connection in self._idle:
            self._forget(connection)

    def close_all(self) -> None:
        """Close what is idle, and from now on whatever is given: the endpoint is no more. May be called twice."""
        self._limit = 0
        self.close_idle()
        if self._shared is not None:
            self._shared.close_all()
        self._sweep.end()

    def close_idle(self) -> None:
        """Close what is idle."""
        self._sweep.stop()
        self._sweeping = False
        idle = list(self._idle)
        self._idle.clear()
        self._keyed.clear()
        for connection in idle:
            connection.close()
        if self._shared is not None:
            self._shared.drain()

    def _swept(self) -> None:
        self._sweeping = False
        now = self._wheel.now
        old = expired(self._idle, now - self.lifetime)
        for connection in old:
            self._forget(connection)
        if self._idle:
            self._sweeping = True
            self._sweep.start(next(iter(self._idle.values())) + self.lifetime - now)
        for connection in old:
            connection.close()

    def _take_keyed(self, key: Hashable) -> PooledStream | None:
        """As L{take}, where keys are in use."""
        # those without one are left over from before a reload
        group = self._keyed.get(key, {}) if key is not None else [each for each in self._idle if each.key is None]
        found = next(reversed(group), None)
        if found is not None:
            self._forget(found)
        return found

    def _forget(self, connection: PooledStream) -> None:
        del self._idle[connection]
        key = connection.key
        if key is not None:
            group = self._keyed[key]
            del group[connection]
            if not group:
                del self._keyed[key]

    def __len__(self) -> int:
        return len(self._idle)

    def __bool__(self) -> bool:
        # a pool is no sequence: an empty one is a pool all the same
        return True

    def __repr__(self) -> str:
        return f"<Pool of {len(self._idle)} idle{' (closed)' if self._limit == 0 else ''}>"
