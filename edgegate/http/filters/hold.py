"""Requests that are held back for a while on purpose (Istio's C{HTTPFaultInjection.Delay})."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.interfaces import IDelayedCall

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.exchange import Exchange
from edgegate.http.fields import Field
from edgegate.net.containment import contained
from edgegate.net.stream import Stream


class Delayed:
    """
    Takes a request's body while the request is held back, and hands it over to whoever answers then.

    Beyond the limit on held bodies the client is not read.
    """

    __slots__ = (
        "_call",
        "_environment",
        "_exchange",
        "_held",
        "_held_bytes",
        "_paused",
        "_proceed",
        "_reader_stalled",
        "_trailers",
    )

    def __init__(
        self, exchange: Exchange, environment: HTTPEnvironment, seconds: float, proceed: Callable[[Exchange], None]
    ) -> None:
        """
        @param proceed: Begins to answer the exchange.
        """
        self._exchange = exchange
        self._environment = environment
        self._proceed = proceed
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._paused = self._reader_stalled = False
        self._trailers: list[Field] | None = None
        self._call: IDelayedCall | None = environment.call_later(seconds, self._passed)

    def upload(self, data: bytes) -> None:
        """Take a piece of the request's body."""
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes > self._environment.limits.upload_bytes and not self._paused:
            self._paused = True
            self._exchange.channel.pause_upload()

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
        call, self._call = self._call, None
        if call is not None and call.active():
            call.cancel()

    def broke(self) -> None:
        """An error of ours was raised as it went on: the exchange ends with it."""
        self._exchange.channel.exchange_broke(self._exchange)

    @contained
    def _passed(self) -> None:
        # a call knows what it calls: neither is to keep the other in memory
        self._call = None
        exchange = self._exchange
        exchange.upload = None
        self._proceed(exchange)
        upload = exchange.upload
        if self._paused and self._trailers is None:
            # before the body goes on: whoever takes it may stop the client again
            exchange.channel.resume_upload()
        if upload is not None:
            if self._reader_stalled:
                upload.pause()
            for data in self._held:
                upload.upload(data)
            if self._trailers is not None:
                upload.upload_end(self._trailers)
            upload.flush()
