# Hot path: every byte of the exchanges that have one passes here.
"""
What looks at the bodies of an exchange as they pass, or changes them.

Almost no exchange has one. It is bytes in, bytes out, and knows neither the
exchange nor what carries it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Final

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.response import ResponseHead

NO_FIELDS: Final[tuple[FieldBlock, ...]] = ()


class ResponseRest:
    """
    What is left to be sent when a response ends.

    @ivar head: The head, where it was held back; L{None}: it has gone.
    @ivar fields: Those of this response alone, which belong to it.
    @ivar body: What comes last of the body.
    @ivar trailers: What comes behind that.
    """

    __slots__ = ("body", "fields", "head", "trailers")

    def __init__(
        self,
        body: bytes,
        trailers: list[Field],
        head: ResponseHead | None = None,
        fields: tuple[FieldBlock, ...] = NO_FIELDS,
    ) -> None:
        self.body = body
        self.trailers = trailers
        self.head = head
        self.fields = fields


class BodyFilter(ABC):
    """
    What is done with the bodies of one exchange.

    @ivar translates: Whether the client speaks another protocol than the one that its request's head, as it is sent
        on, is of.
    @ivar grpc_status: The status of gRPC that the response has ended with, as a number; empty: none is known.
    @ivar request_messages: How many messages of gRPC have begun in the request; C{response_messages} likewise.
    """

    __slots__ = ("grpc_status", "request_messages", "response_messages", "translates")

    grpc_status: str
    request_messages: int
    response_messages: int
    translates: bool

    @abstractmethod
    def request_body(self, data: bytes) -> bytes:
        """
        Return what is sent on of a piece of the request's body; it may be empty.

        @raise RequestRefused: The request can't be sent on any further.
        """

    @abstractmethod
    def request_end(self) -> None:
        """
        The request is whole.

        @raise RequestRefused: It lacks something.
        """

    @abstractmethod
    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...]) -> ResponseHead | None:
        """
        Return the head that the client gets; L{None}: it is held back until the end.

        @param fields: Those of this response alone.
        """

    @abstractmethod
    def response_body(self, data: bytes) -> bytes:
        """Return what the client gets of a piece of the response's body; it may be empty."""

    @abstractmethod
    def response_end(self, trailers: list[Field]) -> ResponseRest | None:
        """The response is whole: return what the client gets at its end; L{None}: the trailers as they are."""

    @abstractmethod
    def response_cut(self) -> ResponseRest | None:
        """The response will not be whole: return what the client gets in its place, or L{None} where it has begun."""
