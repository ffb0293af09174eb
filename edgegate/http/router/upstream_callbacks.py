# Hot path: told of every answer.
"""
What a backend's connection tells whoever asked on it.

A class and no protocol: mypyc calls a method of a class by its place, of a protocol by a search.
"""

from __future__ import annotations

from abc import abstractmethod

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.h1.response_reader import ResponseSink
from edgegate.http.response import ResponseHead
from edgegate.net.stream import Stream


class UpstreamCallbacks(ResponseSink):
    """Whose request a backend connection carries."""

    __slots__ = ()

    @abstractmethod
    def response_flush(self) -> None:
        """What came in one read was told."""

    @abstractmethod
    def response_end(self, trailers: list[Field]) -> None:
        """The response is whole; the connection is not its callbacks' any more."""

    @abstractmethod
    def response_fits(self, head: ResponseHead) -> bool:
        """Whether a 101 is one that the request asked for. If so, its head is told like a final one's."""

    @abstractmethod
    def response_switched(self, stream: Stream, rest: bytes) -> None:
        """
        Another protocol follows on the 101. The stream is its owner's; at its end it calls
        L{edgegate.http.h1.upstream_connection.HTTP1Backend.end_tunnel}.

        @param rest: What came behind the 101.
        """

    @abstractmethod
    def response_failed(self, fault: Fault, silent: bool) -> None:
        """
        No response will come, or not the rest of it; the connection is gone.

        @param silent: Whether not a byte of a response was seen.
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
