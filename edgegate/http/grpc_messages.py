# Hot path: every byte of gRPC's bodies passes here.
"""
How many messages of gRPC pass, each way (Envoy's C{grpc_stats} filter): told by the five bytes in front of each, of
which the first is a flag and the others are its length
(U{https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md}).
"""

from __future__ import annotations

from typing import Final

from edgegate.http.body_filter import BodyFilter, ResponseRest
from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import Field
from edgegate.http.grpc import is_grpc
from edgegate.http.response import ResponseHead

STATUSES: Final = tuple(str(number) for number in range(100))
"""Those of gRPC as text, and what backends make up; 2 stands for what is no number of two digits."""

_PREFIX: Final = 5
"""Bytes in front of a message."""


def counted_status(value: bytes) -> str:
    """Return a C{grpc-status} as it is counted; what is no number counts as unknown."""
    return STATUSES[int(value)] if value.isdigit() and len(value) <= 2 else STATUSES[2]


class MessageCounter:
    """
    Counts the messages of one body, which comes in any pieces; nothing of it is kept.

    @ivar count: Those that have begun.
    """

    __slots__ = ("_ahead", "_left", "_length", "count")

    def __init__(self) -> None:
        self.count = 0
        self._ahead = 0  # bytes of a prefix that have come; 0: in a message, or before one
        self._length = 0  # what those say of the length
        self._left = 0  # bytes of the message that are to come

    def take(self, data: bytes) -> None:
        """Take a piece of the body."""
        size = len(data)
        position = 0
        while position < size:
            position = self.next_end(data, position)

    def next_end(self, data: bytes, start: int) -> int:
        """
        Take a piece of the body from C{start} on, up to the end of the message there.

        @return: The end, or the length of the piece; C{between} tells the one from the other.
        """
        size = len(data)
        position = start
        if not self._left:
            ahead = self._ahead
            length = self._length
            while position < size and ahead < _PREFIX:
                if ahead:
                    length = length << 8 | data[position]
                else:
                    self.count += 1
                    length = 0
                ahead += 1
                position += 1
            self._length = length
            if ahead < _PREFIX:
                self._ahead = ahead
                return position
            self._ahead = 0
            self._left = length
        taken = min(self._left, size - position)
        self._left -= taken
        return position + taken

    @property
    def between(self) -> bool:
        """Whether no message is under way."""
        return not self._left and not self._ahead


class MessageCounts(BodyFilter):
    """Counts the messages of one exchange of gRPC, and changes nothing."""

    __slots__ = ("_counts_response", "_request", "_response")

    def __init__(self) -> None:
        self._request = MessageCounter()
        self._response = MessageCounter()
        self._counts_response = False
        self.request_messages = self.response_messages = 0
        self.translates = False
        self.grpc_status = ""

    def request_body(self, data: bytes) -> bytes:
        """See L{BodyFilter.request_body}."""
        self._request.take(data)
        self.request_messages = self._request.count
        return data

    def request_end(self) -> None:
        """See L{BodyFilter.request_end}."""

    def response_head(self, head: ResponseHead, fields: tuple[FieldBlock, ...]) -> ResponseHead | None:
        """See L{BodyFilter.response_head}: what is no response of gRPC has no messages."""
        self._counts_response = head.status == 200 and is_grpc(head.fields)
        self._take_status(head.fields)
        return head

    def response_body(self, data: bytes) -> bytes:
        """See L{BodyFilter.response_body}."""
        if self._counts_response:
            self._response.take(data)
            self.response_messages = self._response.count
        return data

    def response_end(self, trailers: list[Field]) -> ResponseRest | None:
        """See L{BodyFilter.response_end}."""
        self._take_status(trailers)
        return None

    def response_cut(self) -> ResponseRest | None:
        """See L{BodyFilter.response_cut}."""
        return None

    def _take_status(self, fields: list[Field]) -> None:
        """Take note of a status among the fields of a head or the trailers."""
        for name, value in fields:
            if name == b"grpc-status":
                self.grpc_status = counted_status(value)
