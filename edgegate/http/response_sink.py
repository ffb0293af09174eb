# Hot path: told of every response.
"""Whom a connection to a backend tells what it read, of whichever version of HTTP."""

from __future__ import annotations

from abc import ABC, abstractmethod

from edgegate.http.response import ResponseHead


class ResponseSink(ABC):
    """Hears of one response."""

    __slots__ = ()

    @abstractmethod
    def response_interim(self, head: ResponseHead) -> None:
        """A 1xx response came, other than 100."""

    @abstractmethod
    def response_head(self, head: ResponseHead) -> None:
        """The final response begins."""

    @abstractmethod
    def response_body(self, data: bytes) -> None:
        """A piece of its body, never empty."""
