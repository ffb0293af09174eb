# Hot path: told of each try.
"""
What a try tells the request that it is made for.

A class and no protocol: mypyc calls a method of a class by its place, of a protocol by a search.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from edgegate.errors import Fault
from edgegate.http.fields import Field
from edgegate.http.response import ResponseHead
from edgegate.http.upstream_stream import UpstreamStream
from edgegate.net.stream import Stream


class RequestOwner(ABC):
    """
    Whose tries they are: hears what becomes of the one that is under way.

    @ivar replayable: Whether all of the request that was sent is at hand still, and nothing of a response has gone to
        the client.
    """

    __slots__ = ("replayable",)

    replayable: bool

    @abstractmethod
    def begin(self, stream: UpstreamStream) -> None:
        """The try has its stream: send the request on it, as far as it is there."""

    @abstractmethod
    def tries_after(self, head: ResponseHead) -> bool:
        """A final response begins: whether the request is tried again rather than answered with it."""

    @abstractmethod
    def settle(self) -> None:
        """Something of a response goes to the client: there will be no other try."""

    @abstractmethod
    def response_whole(self, trailers: list[Field]) -> None:
        """The response is whole."""

    @abstractmethod
    def response_switched(self, stream: Stream, rest: bytes, carrier: UpstreamStream) -> None:
        """Another protocol follows on what carried the request; see L{UpstreamCallbacks.response_switched}."""

    @abstractmethod
    def try_failed(self, fault: Fault) -> None:
        """The try has come to nothing."""

    @abstractmethod
    def fail(self, fault: Fault) -> None:
        """The request can't be answered, and trying again is no use."""

    @abstractmethod
    def upload_blocked(self, blocked: bool) -> None:
        """The backend cannot keep up with the body, or can again."""
