# Hot path: told of every answer.
"""
What a backend's connection tells whoever asked on it.

A class and no protocol: mypyc calls a method of a class by its place, of a protocol by a search.
"""

from __future__ import annotations

from abc import abstractmethod

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.h1.response_reader import AnswerSink
from edgegate.http.response import AnswerHead
from edgegate.net.stream import Stream


class Asker(AnswerSink):
    """Whose request a backend connection carries."""

    __slots__ = ()

    @abstractmethod
    def answer_flush(self) -> None:
        """What came in one read was told."""

    @abstractmethod
    def answer_end(self, trailers: list[Field]) -> None:
        """The answer is whole; the connection is not this asker's any more."""

    @abstractmethod
    def answer_fits(self, head: AnswerHead) -> bool:
        """Whether a 101 is one that the request asked for. If so, its head is told like a final one's."""

    @abstractmethod
    def answer_switched(self, stream: Stream, rest: bytes) -> None:
        """
        Another protocol follows on the 101. The stream is the asker's; at its end it calls
        L{edgegate.http.h1.upstream_connection.HTTP1Backend.end_tunnel}.

        @param rest: What came behind the 101.
        """

    @abstractmethod
    def answer_failed(self, fault: Fault, silent: bool) -> None:
        """
        No answer will come, or not the rest of it; the connection is gone.

        @param silent: Whether not a byte of an answer was seen.
        """

    @abstractmethod
    def broke(self) -> None:
        """An error of ours was raised between the connection and here, and was logged: nothing is told any more."""

    @abstractmethod
    def answer_passed(self, count: int) -> None:
        """So many bytes of the answer's body went to the client without being looked at."""

    @abstractmethod
    def answer_sink(self) -> Stream | None:
        """Where the rest of a body of known length may go without being looked at; L{None}: nowhere."""

    @abstractmethod
    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the request's body, or can again."""
