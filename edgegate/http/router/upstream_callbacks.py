# Hot path: told of every answer.
"""
A request on its way to a backend: what is sent of it, and what it is told of the response.

A class and no protocol: mypyc calls a method of a class by its place, of a protocol by a search.
"""

from __future__ import annotations

from abc import abstractmethod

from edgegate.errors import Fault
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.response import ResponseHead
from edgegate.http.response_sink import ResponseSink
from edgegate.http.upstream_head import UpstreamHead
from edgegate.net.client_counts import ClientCounts
from edgegate.net.stream import Stream


class UpstreamCallbacks(ResponseSink):
    """
    Whose request a connection to a backend carries.

    @ivar head: What it has in common with others.
    @ivar identity: What tells who asks, where the head does not.
    @ivar request_id: What tells it from all others; empty where the head does.
    @ivar expected: What tells how long the response may take; L{None}: nothing.
    @ivar attempt: What tells which try it is; L{None}: nothing, or the head does.
    @ivar context: What tells in which trace it is; L{None}: nothing, or what its client said.
    """

    __slots__ = ("attempt", "context", "expected", "head", "identity", "request_id")

    head: UpstreamHead
    identity: FieldBlock
    request_id: bytes
    expected: FieldBlock | None
    attempt: FieldBlock | None
    context: FieldBlock | None

    def client_counts(self) -> ClientCounts | None:
        """Return what the client has whose request it is, which tells it from others; L{None}: it is nobody's."""
        return None

    @abstractmethod
    def response_flush(self) -> None:
        """What came in one read was told."""

    @abstractmethod
    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole, and what came of it is to be sent; the stream is not its callbacks' any more."""

    @abstractmethod
    def response_fits(self, head: ResponseHead) -> bool:
        """Whether a 101 is one that the request asked for. If so, its head is told like a final one's."""

    @abstractmethod
    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """
        Another protocol follows on the 101. The stream is its owner's; at its end it calls
        L{edgegate.http.upstream_stream.UpstreamStream.end_tunnel}.

        @param rest: What came behind the 101.
        """

    @abstractmethod
    def response_failed(self, fault: Fault, silent: bool) -> None:
        """
        No response will come, or not the rest of it; the connection is gone.

        @param silent: Whether not a byte of a response was seen.
        """

    @abstractmethod
    def response_unprocessed(self, fault: Fault) -> None:
        """
        No response will come, and the backend has not looked at the request: it may be sent again, whatever its method.

        HTTP/2 says so: by a GOAWAY below the stream, or by REFUSED_STREAM (RFC 9113 section 8.7).
        """

    @abstractmethod
    def broke(self) -> None:
        """An error of ours was raised between the connection and here, and was logged: nothing is told any more."""

    @abstractmethod
    def response_passed(self, count: int) -> None:
        """So many bytes of the response's body went to the client without being looked at."""

    @abstractmethod
    def response_sink(self) -> Stream | None:
        """Where the rest of a body of known length may go without being looked at; L{None}: nowhere."""

    @abstractmethod
    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the request's body, or can again."""
