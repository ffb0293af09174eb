# Hot path: every new head of an HTTP/1 request passes here.
"""
Whole heads of HTTP/1 requests (RFC 9112 sections 2 to 6), read by llhttp: bytes in, values out.

One parser serves all connections, which need none of their own while they are
idle. It is used again only where it stands at the beginning of a message: after
one that was whole and that lets the connection be kept. After anything else,
an error above all, it is thrown away.

A head that L{edgegate.http.h1_memory} knows is not parsed again.
"""

from __future__ import annotations

from typing import Final

import httptools

from edgegate.errors import BAD_REQUEST, HEAD_TOO_LARGE, METHOD_UNKNOWN, VERSION_REFUSED
from edgegate.http.fields import Field
from edgegate.http.h1_memory import HeadMemory
from edgegate.http.request import HostMemory, RequestHead, RequestRefused, h1_head
from edgegate.http.target import PathNormalisation


class HeadParser:
    """Parse one head after the other, of whatever connections."""

    __slots__ = ("_fields", "_hosts", "_keep", "_memory", "_most_fields", "_parser", "_paths", "_target", "_whole")

    def __init__(self, most_fields: int, paths: PathNormalisation = PathNormalisation.BASE) -> None:
        """
        @param most_fields: Fields that a head may have.
        """
        self._most_fields = most_fields
        self._paths = paths
        self._hosts = HostMemory()
        self._memory = HeadMemory()
        self._parser: httptools.HttpRequestParser | None = None
        self._fields: list[Field] = []
        self._target = b""
        self._keep = self._whole = False

    def read(self, raw: bytes) -> RequestHead:
        """
        Return what a head says.

        @param raw: All of it, the empty line included, and nothing else.
        @raise RequestRefused: It is no request that can be served.
        """
        head = self._memory.find(raw)
        if head is not None:
            return head
        try:
            head = self._parse(raw)
        finally:
            if not (self._whole and self._keep):
                self._parser = None
        self._memory.came(raw, head)
        return head

    def _parse(self, raw: bytes) -> RequestHead:
        fields: list[Field] = []
        self._fields = fields
        self._target = b""
        self._keep = self._whole = False
        parser = self._parser
        if parser is None:
            parser = self._parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            # until a backend answers 101 the connection is HTTP as before
            self._whole = False
        except httptools.HttpParserInvalidMethodError as error:
            raise RequestRefused(METHOD_UNKNOWN if looks_like_a_method(raw) else BAD_REQUEST) from error
        except httptools.HttpParserError as error:
            raise RequestRefused(BAD_REQUEST) from error
        if len(fields) > self._most_fields:
            raise RequestRefused(HEAD_TOO_LARGE)
        version = parser.get_http_version()
        if version not in ("1.1", "1.0"):
            raise RequestRefused(VERSION_REFUSED if b"HTTP/" in raw else BAD_REQUEST)
        return h1_head(parser.get_method(), self._target, version, self._keep, fields, self._hosts, self._paths)

    # llhttp's callbacks -----------------------------------------------------------------------------------------------

    def on_url(self, url: bytes) -> None:
        """The request target, or a piece of it."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header field."""
        self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        """All fields were seen; llhttp forgets what C{Connection} said once the message is whole."""
        assert self._parser is not None
        self._keep = self._parser.should_keep_alive()

    def on_message_complete(self) -> None:
        """llhttp holds the message for whole: it has no body."""
        self._whole = True


def looks_like_a_method(data: bytes) -> bool:
    """Whether a request line may begin like this: a token (RFC 9110 section 9.1) of a sensible length, then a space."""
    token, space, _ = data[:32].partition(b" ")
    return bool(token) and _TOKEN.issuperset(token) and (bool(space) or len(data) < 32)


_TOKEN: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
