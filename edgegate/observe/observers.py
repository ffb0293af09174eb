# Hot path: told once of each request.
"""Those who are told what happened, kept apart: one that fails is nothing to the others, nor to what it is told of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from twisted.logger import Logger

from edgegate.observe import observer as wanted
from edgegate.observe.events import Connection, Ended, RejectedConnection, RelayEnd, UpstreamTry
from edgegate.observe.observer import Observer
from edgegate.observe.tracing.tracer import Tracer

log: Final = Logger(namespace=__name__)

T = TypeVar("T")


class Observers:
    """
    Tells several observers, each of what it wants to be told and none of the others' errors.

    It raises nothing. The first error of each observer is logged: what fails once mostly fails with each request. Who
    would have to make something to tell of looks first whether anybody wants it.

    @ivar tracer: Traces requests; L{None}: nobody does.
    @ivar begun: Requests that began: counted by those who begin them, without a call.
    @ivar ended: Requests that ended.
    @ivar wants_connections: Whether to call L{connection_began} and L{connection_ended}.
    @ivar wants_requests_begun: Whether to call L{request_began}.
    @ivar wants_tries: Whether to call L{upstream_tried}.
    """

    __slots__ = (
        "_broken",
        "_connection_began",
        "_connection_ended",
        "_connection_refused",
        "_connection_rejected",
        "_connection_taken",
        "_relay_began",
        "_relay_ended",
        "_request_began",
        "_request_ended",
        "_upstream_tried",
        "begun",
        "ended",
        "tracer",
        "wants_connections",
        "wants_requests_begun",
        "wants_tries",
    )

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._connection_taken: list[Callable[[], None]] = [
            each.connection_taken for each in observers if isinstance(each, wanted.ConnectionTaken)
        ]
        self._connection_refused: list[Callable[[], None]] = [
            each.connection_refused for each in observers if isinstance(each, wanted.ConnectionRefused)
        ]
        self._connection_rejected: list[Callable[[RejectedConnection], None]] = [
            each.connection_rejected for each in observers if isinstance(each, wanted.ConnectionRejected)
        ]
        self._connection_began: list[Callable[[Connection], None]] = [
            each.connection_began for each in observers if isinstance(each, wanted.ConnectionBegan)
        ]
        self._connection_ended: list[Callable[[Connection], None]] = [
            each.connection_ended for each in observers if isinstance(each, wanted.ConnectionEnded)
        ]
        self._request_began: list[Callable[[Ended], None]] = [
            each.request_began for each in observers if isinstance(each, wanted.RequestBegan)
        ]
        self._upstream_tried: list[Callable[[UpstreamTry], None]] = [
            each.upstream_tried for each in observers if isinstance(each, wanted.UpstreamTried)
        ]
        self._request_ended: list[Callable[[Ended], None]] = [
            each.request_ended for each in observers if isinstance(each, wanted.RequestEnded)
        ]
        self._relay_began: list[Callable[[Connection], None]] = [
            each.relay_began for each in observers if isinstance(each, wanted.RelayBegan)
        ]
        self._relay_ended: list[Callable[[RelayEnd], None]] = [
            each.relay_ended for each in observers if isinstance(each, wanted.RelayEnded)
        ]
        self.wants_connections = bool(self._connection_began or self._connection_ended)
        self.wants_requests_begun = bool(self._request_began)
        self.wants_tries = bool(self._upstream_tried)
        self.tracer: Tracer | None = next((each for each in observers if isinstance(each, Tracer)), None)
        self._broken: set[int] = set()
        self.begun = self.ended = 0

    def trace_by(self, tracer: Tracer | None) -> None:
        """Have requests be traced from now on by somebody, who also makes the spans of those that are under way."""
        if self.tracer is not None:
            self.remove(self.tracer)
        self.tracer = tracer
        if tracer is not None:
            self.add(tracer)

    # As long as somebody looks ----------------------------------------------------------------------------------------

    def add(self, observer: wanted.RequestEnded | wanted.RelayEnded) -> None:
        """Tell one more of what ends, as it wants: requests, relays, connections that came to nothing."""
        # never changed in place: they may just be told
        if isinstance(observer, wanted.RequestEnded):
            self._request_ended = [*self._request_ended, observer.request_ended]
        if isinstance(observer, wanted.RelayEnded):
            self._relay_ended = [*self._relay_ended, observer.relay_ended]
        if isinstance(observer, wanted.ConnectionRejected):
            self._connection_rejected = [*self._connection_rejected, observer.connection_rejected]

    def remove(self, observer: wanted.RequestEnded | wanted.RelayEnded) -> None:
        """Tell one no more that was added; who was not is no matter."""
        if isinstance(observer, wanted.RequestEnded):
            request_ended = observer.request_ended
            self._request_ended = [told for told in self._request_ended if told != request_ended]
        if isinstance(observer, wanted.RelayEnded):
            relay_ended = observer.relay_ended
            self._relay_ended = [told for told in self._relay_ended if told != relay_ended]
        if isinstance(observer, wanted.ConnectionRejected):
            rejected = observer.connection_rejected
            self._connection_rejected = [told for told in self._connection_rejected if told != rejected]
        # another one may come to have its id
        self._broken.discard(id(observer))

    # Connections ------------------------------------------------------------------------------------------------------

    def connection_taken(self) -> None:
        """A client's connection was taken."""
        for told in self._connection_taken:
            try:
                told()
            except BaseException:
                self._broke(told)

    def connection_refused(self) -> None:
        """There are too many connections: one was closed at once."""
        for told in self._connection_refused:
            try:
                told()
            except BaseException:
                self._broke(told)

    def connection_rejected(self, rejected: RejectedConnection) -> None:
        """A connection ended before anything was served on it."""
        self._tell(self._connection_rejected, rejected)

    def connection_began(self, connection: Connection) -> None:
        """HTTP is spoken on a connection."""
        self._tell(self._connection_began, connection)

    def connection_ended(self, connection: Connection) -> None:
        """A connection that carried HTTP is no more."""
        self._tell(self._connection_ended, connection)

    # Relays -----------------------------------------------------------------------------------------------------------

    def relay_began(self, connection: Connection) -> None:
        """A connection is to be relayed."""
        self._tell(self._relay_began, connection)

    def relay_ended(self, relay: RelayEnd) -> None:
        """A relay ended."""
        self._tell(self._relay_ended, relay)

    # Requests, without one more call for each -------------------------------------------------------------------------

    def request_began(self, exchange: Ended) -> None:
        """A request begins."""
        for told in self._request_began:
            try:
                told(exchange)
            except BaseException:
                self._broke(told)

    def upstream_tried(self, tried: UpstreamTry) -> None:
        """The outcome of a try is known."""
        for told in self._upstream_tried:
            try:
                told(tried)
            except BaseException:
                self._broke(told)

    def request_ended(self, exchange: Ended) -> None:
        """A request ended."""
        self.ended += 1
        for told in self._request_ended:
            try:
                told(exchange)
            except BaseException:
                self._broke(told)

    # ------------------------------------------------------------------------------------------------------------------

    def _tell(self, observers: list[Callable[[T], None]], what: T) -> None:
        for told in observers:
            try:
                told(what)
            except BaseException:
                self._broke(told)

    def _broke(self, told: object) -> None:
        observer: object = getattr(told, "__self__", told)
        if id(observer) not in self._broken:
            self._broken.add(id(observer))
            log.failure("{observer} failed; it is told on, and this is not logged again", observer=repr(observer))
