"""
Requests that a filter holds: while it asks somebody else, or for a time.

It is the one way of stopping a request and letting it go on later.
"""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall

from edgegate.errors import Fault
from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.http.filters.interfaces import Unanswered
from edgegate.http.limits import KEPT_PIECE
from edgegate.net.containment import contained
from edgegate.net.stream import Stream


class Hold:
    """
    Takes a request's body while the request is held, and hands it over to whoever answers then.

    Beyond the limit on held bodies the client is not read. It ends with the first of L{go_on}, L{reply}, L{answer} and
    L{fail}, or when the client leaves; what is called after that does nothing, so whoever was asked may answer late.

    @ivar exchange: What is held.
    """

    __slots__ = (
        "_bound",
        "_call",
        "_cancelled",
        "_counted",
        "_environment",
        "_expired",
        "_held",
        "_held_bytes",
        "_paused",
        "_reader_stalled",
        "_trailers",
        "_unfiltered",
        "exchange",
    )

    def __init__(
        self,
        exchange: Exchange,
        environment: HTTPEnvironment,
        seconds: float | None,
        expired: Callable[[Hold], None],
        cancelled: Callable[[], None] | None = None,
    ) -> None:
        """
        Hold a request from now on; for use within C{HTTPFilter.request_head}, which returns C{FilterStatus.STOP}.

        @param seconds: After which C{expired} is called, if it is still held. It has to end it, whichever way. L{None}:
            it is not called, as who holds the request has a deadline of its own.
        @param cancelled: Called where the client leaves; L{None}: nobody wants to know.
        """
        self.exchange = exchange
        self._environment = environment
        self._expired = expired
        self._held: list[bytes] = []
        self._held_bytes = self._counted = 0
        self._paused = self._reader_stalled = False
        self._trailers: list[Field] | None = None
        self._unfiltered = exchange.bodies is None
        self._bound = environment.limits.upload_bytes
        self._cancelled = cancelled
        self._call: IDelayedCall | None = None if seconds is None else environment.call_later(seconds, self._passed)
        exchange.upload = self

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        upload: object = self.exchange.upload
        return upload is not self

    @contained
    def go_on(self) -> None:
        """Have the next filter look at the request, or what answers answer it."""
        exchange = self._end()
        if exchange is not None:
            filters = exchange.filters
            assert filters is not None
            filters.go_on(exchange)
            self._hand_over(exchange)

    @contained
    def reply(self, status: int, fields: list[Field], body: bytes, details: str = "") -> None:
        """Answer the request; see C{Exchange.reply}."""
        exchange = self._end()
        if exchange is not None:
            exchange.reply(status, fields, body, details)
            self._hand_over(exchange)

    @contained
    def answer(self, answer: Callable[[Exchange], object]) -> None:
        """Have something answer the request, as L{edgegate.http.guards.refusal.refuse} does."""
        exchange = self._end()
        if exchange is not None:
            answer(exchange)
            self._hand_over(exchange)

    @contained
    def fail(self, fault: Fault) -> None:
        """Answer the request with what belongs to a fault."""
        exchange = self._end()
        if exchange is not None:
            exchange.fail(fault)
            self._hand_over(exchange)

    # The exchange's upload --------------------------------------------------------------------------------------------

    def upload(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        environment = self._environment
        self._held.append(data)
        self._held_bytes += len(data)
        self._counted += len(data) + KEPT_PIECE
        environment.kept_bodies += len(data) + KEPT_PIECE
        over = self._held_bytes > self._bound or environment.kept_bodies > environment.limits.kept_bodies_bytes
        if over and not self._paused:
            self._paused = True
            self.exchange.stream.pause_upload()

    def upload_end(self, trailers: list[Field]) -> None:
        """The request is whole."""
        self._trailers = trailers

    def flush(self) -> None:
        """Nothing is sent on yet."""

    def run_sink(self) -> Stream | None:
        """There is no connection yet."""
        return None

    def pause(self) -> None:
        """The client does not read."""
        self._reader_stalled = True

    def resume(self) -> None:
        """The client reads again."""
        self._reader_stalled = False

    def cancel(self) -> None:
        """Nobody wants the response any more."""
        self._stop_timer()
        self._held = []
        self._uncount()
        cancelled, self._cancelled = self._cancelled, None
        if cancelled is not None:
            cancelled()

    def broke(self) -> None:
        """An error of ours was raised as it went on: the exchange ends with it."""
        self._uncount()
        self.exchange.stream.exchange_broke(self.exchange)

    # ------------------------------------------------------------------------------------------------------------------

    @contained
    def _passed(self) -> None:
        # a call knows what it calls: neither is to keep the other in memory
        self._call = None
        if not self.over:
            self._expired(self)
            if not self.over:
                raise Unanswered("a hold goes on after its time")

    def _stop_timer(self) -> None:
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()

    def _end(self) -> Exchange | None:
        """End; return the exchange, unless it had ended before."""
        if self.over:
            return None
        self._stop_timer()
        self._uncount()
        self._cancelled = None
        self.exchange.upload = None
        return self.exchange

    def _uncount(self) -> None:
        """What is held goes on, or is given up, in this turn."""
        counted, self._counted = self._counted, 0
        self._environment.kept_bodies -= counted

    def _hand_over(self, exchange: Exchange) -> None:
        """Give what was held to whoever takes the body now, if anybody does."""
        upload = exchange.upload
        if self._paused and self._trailers is None:
            # before the body goes on: whoever takes it may stop the client again
            exchange.stream.resume_upload()
        held, self._held = self._held, []
        if upload is not None and self._unfiltered and exchange.bodies is not None:
            held = [data for data in map(exchange.filter_body, held) if data]
            if self._trailers is not None:
                exchange.filter_end()
            upload = exchange.upload
        if upload is not None:
            if self._reader_stalled:
                upload.pause()
            for data in held:
                upload.upload(data)
            if self._trailers is not None:
                upload.upload_end(self._trailers)
            upload.flush()
