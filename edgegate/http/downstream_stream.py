# Hot path: told of each response.
"""
The client's side of one exchange, whatever the HTTP version.

It is no connection: what is moved to another Snapshot, retired, drained and
aborted is that (L{edgegate.http.interfaces.Served}). In HTTP/1 one object is
both, for one exchange after the other.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.forwarded import Client
from edgegate.http.response import ResponseHead
from edgegate.net.addresses import ConnectionInfo
from edgegate.net.stream import Stream


class DownstreamStream(ABC):
    """
    Carries the response to one request to its client, and the request's body from it.

    What is answered is queued and leaves at the next L{flush}, so that a head
    and the first bytes of its body leave in one piece.

    @ivar downstream: The connection, as the next exchange on it will have it.
    @ivar client: Who it is of.
    """

    __slots__ = ("client", "downstream")

    downstream: ConnectionInfo
    client: Client

    @abstractmethod
    def response_interim(self, head: ResponseHead) -> None:
        """Queue a 1xx response."""

    @abstractmethod
    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...] = ()) -> None:
        """
        Queue the final response's head.

        @param fields: Those of this response alone.
        """

    @abstractmethod
    def response_body(self, data: bytes) -> None:
        """Queue a piece of the body."""

    @abstractmethod
    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole."""

    @abstractmethod
    def keep_no_longer(self) -> None:
        """Nothing may be asked behind this exchange on the same connection; its response has not begun."""

    @abstractmethod
    def response_cut(self) -> None:
        """The response cannot be completed: the client must not take it for whole."""

    @abstractmethod
    def exchange_broke(self, exchange: object) -> None:
        """
        What serves an exchange has failed by an error of ours, which was logged.

        If it is not over its client is told, as by C{Exchange.give_up}, and it is over then whatever else fails; else
        what is left of its answer is sent. Called by whoever has callbacks of an exchange, from its C{broke}; see
        L{edgegate.net.containment}.
        """

    @abstractmethod
    def flush(self) -> None:
        """Send what is queued."""

    @abstractmethod
    def run_sink(self) -> Stream | None:
        """Return where the rest of the response's body may go as it is, without being looked at; L{None}: nowhere."""

    @abstractmethod
    def pause_upload(self) -> None:
        """Stop reading the request's body: who takes it cannot keep up."""

    @abstractmethod
    def resume_upload(self) -> None:
        """Read the request's body again."""

    @abstractmethod
    def continue_upload(self) -> None:
        """Tell a client that waits for C{100 Continue} to send its body, once."""

    @abstractmethod
    def tunnel(self, backend: Stream, rest: bytes, over: Callable[[], None]) -> None:
        """
        Carry another protocol from now on, behind a C{101} that was answered: what comes goes to the backend, and the
        other way round, until both have ended. The exchange ends with it.

        @param backend: The connection that the C{101} came on. It is the tunnel's from now on.
        @param rest: What the backend had sent behind it.
        @param over: Called once, when the backend's connection is no more.
        """
