# Hot path: every new head of an HTTP/1 request passes here.
"""
Whole heads of HTTP/1 requests (RFC 9112 sections 2 to 6): bytes in, values out.

Heads are read by llhttp, which calls back for each field: most of what a head
costs. So it is not asked where it would say what it said before: of a head that
differs from the one before on its connection in its first line, or from any one
that came twice in its first line and its cookie. Such a head is taken apart
once, which is for plain ones alone, visible to the last byte and framed in the
commonest way: whatever is not plain is always llhttp's to judge.

One parser serves all connections, which need none of their own while they are
idle. It is used again only where it stands at the beginning of a message: after
one that was whole and that lets the connection be kept. After anything else,
an error above all, it is thrown away.

A head that L{edgegate.http.h1.head_cache} knows is not parsed again.
"""

from __future__ import annotations

import re
from typing import Final

import httptools

from edgegate.errors import BAD_REQUEST, CODING_UNKNOWN, HEAD_TOO_LARGE, METHOD_UNKNOWN, VERSION_REFUSED, Fault
from edgegate.http.fields import (
    CONNECTION,
    CONTENT_LENGTH,
    DROP,
    EXPLAIN,
    HOST,
    REJECT,
    REQUEST_ROLES,
    Field,
    Role,
    Roles,
)
from edgegate.http.h1.field_lines import FieldLines, is_plain
from edgegate.http.h1.head_cache import RawHeadCache
from edgegate.http.h1.rest_cache import RestCache
from edgegate.http.held_bytes import HeldBytes
from edgegate.http.limits import Limits
from edgegate.http.request import HostMemory, RequestHead, RequestRefused, checked_head, h1_head
from edgegate.http.target import PathNormalisation


class HeadParser:
    """
    Parse one head after the other, of whatever connections.

    @ivar unfinished: What has come of heads that are not whole.
    """

    __slots__ = (
        "_at",
        "_fields",
        "_hosts",
        "_keep",
        "_lines",
        "_memory",
        "_most_fields",
        "_parser",
        "_paths",
        "_rests",
        "_roles",
        "_target",
        "_whole",
        "unfinished",
    )

    def __init__(
        self, limits: Limits, paths: PathNormalisation = PathNormalisation.BASE, roles: Roles = REQUEST_ROLES
    ) -> None:
        """
        @param roles: What becomes of the fields.
        """
        self.unfinished = HeldBytes(limits.unfinished_heads_bytes)
        self._most_fields = limits.head_fields
        self._paths = paths
        self._roles = roles
        self._hosts = HostMemory()
        self._memory = RawHeadCache()
        self._lines = FieldLines(roles)
        self._rests = RestCache()
        self._parser: httptools.HttpRequestParser | None = None
        self._fields: list[Field] = []
        self._target = b""
        self._at = 0
        self._keep = self._whole = False

    def read(self, raw: bytes, last: bytes = b"", before: RequestHead | None = None) -> RequestHead:
        """
        Return what a head says.

        @param raw: All of it, the empty line included, and nothing else.
        @param last: One that came before on the same connection.
        @param before: What that said; L{None}: there was none.
        @raise RequestRefused: It is no request that can be served.
        """
        end = raw.find(b"\r\n")
        # it mostly stands where it stood in the head before: to look there costs a tenth of looking for it
        cookie = end + self._at
        if raw[cookie : cookie + len(_COOKIE)] != _COOKIE:
            cookie = raw.find(_COOKIE, end)
            if cookie >= 0:
                self._at = cookie - end
        # one that has a cookie is not remembered, so it need not be looked for
        head = self._memory.find(raw) if cookie < 0 else None
        if head is not None:
            return head
        if before is not None:
            head = self._of_the_same_fields(raw, end, last, before)
        if head is None and cookie >= 0:
            head = self._but_for_a_cookie(raw, end, cookie)
        if head is None:
            try:
                head = self._parse(raw)
            finally:
                if not (self._whole and self._keep):
                    self._parser = None
        if cookie < 0:
            self._memory.came(raw, head)
        return head

    def plain(self, raw: bytes) -> RequestHead | None:
        """
        Return what a head says that is plain; L{None}: it is not, and llhttp is to judge.

        @param raw: See L{read}.
        @raise RequestRefused: llhttp has nothing against it, but it can't be served.
        """
        lines = raw.split(b"\r\n")
        line = _request_line(lines[0])
        if line is None or len(lines) - 3 > self._most_fields or lines.pop() or lines.pop():
            return None
        return self._of_lines(line[0], line[1], lines)

    def _of_the_same_fields(self, raw: bytes, end: int, last: bytes, before: RequestHead) -> RequestHead | None:
        """
        Return what a plain head says that differs from the one before in its first line alone; L{None}: it does not.

        @param end: Where its first line ends.
        @param before: What that said; where it has its lines it was plain.
        """
        begin = len(last) - len(raw) + end
        if begin <= 0 or raw[end:] != last[begin:] or last.find(b"\r\n") != begin:
            return None
        if before.lines is None:
            return self.plain(raw)
        line = _request_line(raw[:end])
        return None if line is None else before.with_target(line[0], line[1], self._paths)

    def _but_for_a_cookie(self, raw: bytes, end: int, cookie: int) -> RequestHead | None:
        """
        Return what a plain head says, whether all but its first line and its cookie came before or not.

        @param end: Where its first line ends.
        @param cookie: Where the line of its cookie begins, with the CRLF before it.
        """
        close = raw.find(b"\r\n", cookie + 2)
        rest = raw[end:cookie] + raw[close:]
        found = self._rests.find(rest, cookie - end)
        if found is None:
            head = self.plain(raw)
            if head is not None:
                self._rests.came(rest, cookie - end, head)
            return head
        line = _request_line(raw[:end])
        value = raw[cookie + len(_COOKIE) : close]
        if line is None or value[:1] == b" " or value[-1:] == b" " or not is_plain(value):
            return None
        head = found.head.with_target(line[0], line[1], self._paths)
        found.give_cookie(head, value)
        return head

    def _of_lines(self, method: bytes, target: bytes, lines: list[bytes]) -> RequestHead | None:
        """
        Return what a head says; L{None}: it is not plain.

        @param lines: All of it, without their CRLF.
        """
        fields: list[Field] = []
        sent: list[bytes] = []
        special: list[tuple[Role, bytes]] = []
        authority: bytes | None = None
        connection = b""
        sized = False
        known = self._lines.known
        for line in lines[1:]:
            found = known.get(line) or self._lines.read(line)
            if found is None:
                return None
            role = found.role
            if not role:
                fields.append(found.field)
                sent.append(found.sent)
                continue
            value = found.field[1]
            if role == HOST:
                if authority is not None:
                    return None
                authority = value
            elif role == CONNECTION:
                if connection:
                    return None
                connection = value
            else:
                if role == CONTENT_LENGTH:
                    if sized:
                        return None
                    sized = True
                special.append((role, value))
        if authority is None:
            return None
        head = checked_head(
            method, target, "1.1", connection != b"close", authority, fields, special, self._hosts, self._paths
        )
        head.lines = sent
        return head

    def _parse(self, raw: bytes) -> RequestHead:
        fields: list[Field] = []
        self._fields = fields
        self._target = b""
        self._keep = self._whole = False
        end = raw.find(b"\r\n")
        # compiled, a slice whose end is before its begin is a SystemError
        protocol = raw[end - 9 : end] if end >= 9 else b""
        if protocol not in _PROTOCOLS:
            raise RequestRefused(VERSION_REFUSED if _VERSION.fullmatch(protocol) else BAD_REQUEST)
        parser = self._parser
        if parser is None:
            parser = self._parser = httptools.HttpRequestParser(self)
        try:
            parser.feed_data(raw)
        except httptools.HttpParserUpgrade:
            # until a backend answers 101 the connection is HTTP as before
            self._whole = False
        except httptools.HttpParserError as error:
            raise RequestRefused(_fault_of(error, raw)) from error
        if len(fields) > self._most_fields:
            raise RequestRefused(HEAD_TOO_LARGE)
        method = parser.get_method()
        if method not in METHODS:
            raise RequestRefused(METHOD_UNKNOWN)
        if raw.find(b" \r\n") >= 0 or raw.find(b"\t\r\n") >= 0:
            # white space before a value is llhttp's to leave out, behind it ours (RFC 9112 section 5.1)
            fields = [(name, value.rstrip(b" \t")) for name, value in fields]
        version = "1.1" if protocol == b" HTTP/1.1" else "1.0"
        return h1_head(method, self._target, version, self._keep, fields, self._hosts, self._paths, self._roles)

    def trailers(self, fields: list[Field]) -> list[Field]:
        """
        Return those of a body's trailer fields that go on.

        @raise RequestRefused: There is one that no request may have.
        """
        roles = [self._roles.of(name)[1] for name, _ in fields]
        if REJECT in roles:
            raise RequestRefused(BAD_REQUEST)
        return [field for field, role in zip(fields, roles, strict=True) if role not in (DROP, EXPLAIN)]

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


def _request_line(line: bytes) -> tuple[bytes, bytes] | None:
    """Return the method and the target of a request line that is plain: of HTTP/1.1 and in origin form."""
    begin = line.find(b" ") + 1
    end = len(line) - len(_HTTP1)
    if begin >= end or line[end:] != _HTTP1:
        return None
    method, target = line[: begin - 1], line[begin:end]
    if method not in _PLAIN_METHODS or target[:1] != b"/" or not is_plain(target) or target.find(b" ") >= 0:
        return None
    return method, target


def _fault_of(error: httptools.HttpParserError, raw: bytes) -> Fault:
    """Return what a client is told of bytes that llhttp does not take."""
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        return METHOD_UNKNOWN if looks_like_a_method(raw) else BAD_REQUEST
    # beside a length a coding is an attack, whichever it is
    words = str(error)
    return CODING_UNKNOWN if "Transfer-Encoding" in words and "Content-Length" not in words else BAD_REQUEST


METHODS: Final = frozenset(
    b"ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS "
    b"PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK "
    b"UNSUBSCRIBE".split()
)
"""The methods that Envoy knows; it refuses every other one."""

_COOKIE: Final = b"\r\nCookie: "

_HTTP1: Final = b" HTTP/1.1"

_PLAIN_METHODS: Final = frozenset((b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"OPTIONS", b"PATCH"))

_PROTOCOLS: Final = frozenset((b" HTTP/1.1", b" HTTP/1.0"))
_VERSION: Final = re.compile(rb" HTTP/[0-9]\.[0-9]")


def looks_like_a_method(data: bytes) -> bool:
    """Whether a request line may begin like this: a token (RFC 9110 section 9.1) of a sensible length, then a space."""
    token, space, _ = data[:32].partition(b" ")
    return bool(token) and _TOKEN.issuperset(token) and (bool(space) or len(data) < 32)


_TOKEN: Final = frozenset(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")
