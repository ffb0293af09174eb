# Compiled: a class of Python can't stand for a compiled one.
"""
What stands for a client and for a try, where nobody asks and nothing is sent: it keeps what it is told.

So the functions that serve can be asked what they would say.
"""

from __future__ import annotations

from collections.abc import Callable

from edgegate.errors import Fault
from edgegate.http.downstream_stream import DownstreamStream
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.response import ResponseHead
from edgegate.http.router.upstream_callbacks import UpstreamCallbacks
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.stream import Stream


class RecordedStream(DownstreamStream):
    """
    A client that gets a response.

    @ivar answered: The head of the response; L{None}: there is none.
    @ivar own: What its head has besides.
    @ivar body: Its body.
    """

    __slots__ = ("answered", "body", "own")

    def __init__(self, downstream: ConnectionInfo, trusted_hops: int) -> None:
        self.downstream = downstream
        self.client = Client(downstream, trusted_hops)
        self.answered: ResponseHead | None = None
        self.own: tuple[FieldBlock, ...] = ()
        self.body = b""

    def response_interim(self, head: ResponseHead) -> None:
        """Nobody waits for it."""

    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...] = ()) -> None:
        """Keep it."""
        self.answered, self.own = head, fields

    def response_body(self, data: bytes) -> None:
        """Keep it."""
        self.body += data

    def response_end(self, trailers: list[Field]) -> None:
        """Nothing is to be done."""

    def keep_no_longer(self) -> None:
        """There is no connection."""

    def response_cut(self) -> None:
        """No response begins that is not whole."""

    def exchange_broke(self, exchange: object) -> None:
        """Who asked hears of it by the error itself."""

    def flush(self) -> None:
        """Nothing is queued."""

    def run_sink(self) -> Stream | None:
        """There is no connection."""
        return None

    def pause_upload(self) -> None:
        """There is no body."""

    def resume_upload(self) -> None:
        """There is no body."""

    def continue_upload(self) -> None:
        """There is no body."""

    def tunnel(self, backend: Stream, rest: bytes, over: Callable[[], None]) -> None:
        """No backend is asked."""


class RecordedTry(UpstreamCallbacks):
    """What a backend would get: what L{edgegate.http.router.request_headers.begin_request} has set."""

    __slots__ = ()

    def response_interim(self, head: ResponseHead) -> None:
        """No backend is asked, so none answers."""

    def response_head(self, head: ResponseHead) -> None:
        """See L{response_interim}."""

    def response_body(self, data: bytes) -> None:
        """See L{response_interim}."""

    def response_flush(self) -> None:
        """See L{response_interim}."""

    def response_end(self, trailers: list[Field]) -> None:
        """See L{response_interim}."""

    def response_fits(self, head: ResponseHead) -> bool:
        """See L{response_interim}."""
        return False

    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """See L{response_interim}."""

    def response_failed(self, fault: Fault, silent: bool) -> None:
        """See L{response_interim}."""

    def response_unprocessed(self, fault: Fault) -> None:
        """See L{response_interim}."""

    def broke(self) -> None:
        """See L{response_interim}."""

    def response_passed(self, count: int) -> None:
        """See L{response_interim}."""

    def response_sink(self) -> Stream | None:
        """See L{response_interim}."""
        return None

    def upload_blocked(self, blocked: bool) -> None:
        """See L{response_interim}."""
