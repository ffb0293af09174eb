# Hot path: every byte of a chunked request body passes here.
"""A chunked request body (RFC 9112 section 7.1): bytes in, pieces and trailer fields out, by llhttp."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import httptools

from edgegate.http.fields import Field
from edgegate.http.h1.chunks import ChunkError, ChunkScanner

_HEAD: Final = b"POST / HTTP/1.1\r\nhost: -\r\ntransfer-encoding: chunked\r\n\r\n"
"""What brings a parser to where a chunked body begins."""


class ChunkedBody:
    """
    One body, read strictly.

    @ivar whole: Whether nothing of it is missing.
    @ivar trailers: Its trailer fields so far, their names in lower case.
    """

    __slots__ = ("_body", "_parser", "_scanner", "trailers", "whole")

    def __init__(self, body: Callable[[bytes], None]) -> None:
        """
        @param body: Gets each decoded piece.
        """
        self._body = body
        self._scanner = ChunkScanner()
        self.trailers: list[Field] = []
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        self._parser.feed_data(_HEAD)
        self.trailers = []
        self.whole = False

    def read(self, data: bytes) -> int:
        """
        Take what came; return how many bytes of it are the body's.

        @raise ChunkError: It is broken, or llhttp and the scanner do not agree where it ends.
        """
        parser = self._parser
        assert parser is not None
        taken = self._scanner.scan(data)
        try:
            parser.feed_data(data if taken == len(data) else data[:taken])
        except httptools.HttpParserCallbackError:
            raise
        except httptools.HttpParserError as error:
            raise ChunkError(str(error)) from error
        if self.whole is not self._scanner.done:
            raise ChunkError("its end is not where it seems to be")
        if self.whole:
            self.end()
        return taken

    def end(self) -> None:
        """Read nothing any more: the parser's callbacks are ours, and neither is to keep the other in memory."""
        self._parser = None

    # llhttp's callbacks -----------------------------------------------------------------------------------------------

    def on_header(self, name: bytes, value: bytes) -> None:
        """A trailer field."""
        self.trailers.append((name.lower(), value))

    def on_body(self, data: bytes) -> None:
        """A decoded piece."""
        self._body(data)

    def on_message_complete(self) -> None:
        """llhttp holds the message for whole."""
        self.whole = True
