"""Who waits until a cluster can be asked for endpoints."""

from __future__ import annotations

from collections.abc import Callable

from twisted.logger import Logger

from edgegate.net.wheel import Deadline, TimerWheel

RESOLVE_TIMEOUT = 5.0
"""Seconds that a request waits for the first addresses of its cluster."""

log = Logger(namespace=__name__)


class PendingResolution:
    """Those who wait for one cluster, all until the same time."""

    __slots__ = ("_deadline", "_name", "_waiting", "_wheel")

    def __init__(self, name: str, wheel: TimerWheel) -> None:
        """
        @param name: The cluster's.
        """
        self._name = name
        self._wheel = wheel
        self._waiting: list[Callable[[], None]] = []
        self._deadline: Deadline | None = None

    @property
    def any(self) -> bool:
        """Whether anybody waits."""
        return bool(self._waiting)

    def add(self, callback: Callable[[], None], expired: Callable[[], None]) -> bool:
        """
        Let one more wait; answer whether it is the first.

        @param expired: Called when the first has waited for L{RESOLVE_TIMEOUT}; it is to L{release} them.
        """
        self._waiting.append(callback)
        if self._deadline is not None:
            return False
        self._deadline = Deadline(self._wheel, expired)
        self._deadline.start(RESOLVE_TIMEOUT)
        return True

    def release(self) -> None:
        """Call back all who wait. What one of them raises is logged, and the others are called all the same."""
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            deadline.end()
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            try:
                callback()
            except Exception:
                # each belongs to a connection of its own, which must not take the others with it
                log.failure("a connection that waited for {cluster} failed", cluster=self._name)
