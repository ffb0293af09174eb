# Hot path: told once of each request.
"""Those who are told what happened, kept apart: one that fails is nothing to the others, nor to what it is told of."""

from __future__ import annotations

from typing import Final

from twisted.logger import Logger

from edgegate.observe.events import Ended, Observer, RejectedConnection, RelayEnd

log: Final = Logger(namespace=__name__)


class Observers:
    """
    Tells several observers, each of what happened and none of the others' errors.

    It raises nothing. The first error of each observer is logged: what fails once mostly fails with each request.
    """

    __slots__ = ("_broken", "_observers")

    def __init__(self, observers: list[Observer]) -> None:
        self._observers = observers
        self._broken: set[int] = set()

    def connection_taken(self) -> None:
        """A client's connection was taken."""
        for observer in self._observers:
            try:
                observer.connection_taken()
            except Exception:
                self._broke(observer)

    def connection_refused(self) -> None:
        """There are too many connections: one was closed at once."""
        for observer in self._observers:
            try:
                observer.connection_refused()
            except Exception:
                self._broke(observer)

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""
        for observer in self._observers:
            try:
                observer.connection_rejected(rejected)
            except Exception:
                self._broke(observer)

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        for observer in self._observers:
            try:
                observer.request_ended(exchange)
            except Exception:
                self._broke(observer)

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        for observer in self._observers:
            try:
                observer.relay_ended(relay)
            except Exception:
                self._broke(observer)

    def _broke(self, observer: Observer) -> None:
        if id(observer) not in self._broken:
            self._broken.add(id(observer))
            log.failure("{observer} failed; it is told on, and this is not logged again", observer=repr(observer))
