"""What a client would send: a connection, and a request on it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from edgegate.errors import HEAD_TOO_LARGE
from edgegate.http.fields import Field, check_field
from edgegate.http.h1.head_parser import HeadParser
from edgegate.http.h2.request_heads import RequestHeads
from edgegate.http.limits import Limits
from edgegate.http.request import RequestHead, RequestRefused
from edgegate.model.addresses import Address, TCPAddress
from edgegate.routing.hosts import host_of

HTTP2: Final = b"h2"
"""What ALPN calls HTTP/2 (RFC 7540 section 11.1)."""

DEFAULT_PORTS: Final = {False: 80, True: 443}
"""The ports that URLs leave out, in the clear and over TLS."""

_PORTS: Final = {"http": 80, "ws": 80, "https": 443, "wss": 443}
_SECURE: Final = frozenset({"https", "wss", "tls"})
_CLIENT: Final = TCPAddress("127.0.0.1", 40000)
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_ASCII: Final = re.compile(r"[!-~]*")


@dataclass(frozen=True, slots=True)
class Question:
    """
    A connection, and a request on it unless bytes alone are sent.

    @ivar port: That the client connects to.
    @ivar tls: Whether it begins with a ClientHello.
    @ivar server_name: The SNI name in normal form; empty: none is sent.
    @ivar alpn: What ALPN agrees on; empty: nothing.
    @ivar certificate: What C{x-forwarded-client-cert} says of the client's certificate; empty: it shows none.
    @ivar peer: The client's address.
    @ivar local: The address that it connects to; L{None}: the listener's.
    @ivar method: Empty: there is no request, but bytes.
    @ivar target: As it stands in the request line.
    @ivar authority: What C{Host} or C{:authority} says.
    @ivar headers: All other fields, as they are sent.
    @ivar claims: Those of a token that the client has shown, by the names that routes have for them; it is taken for
        verified.
    @ivar length: Bytes of the body; L{None}: there is none.
    """

    port: int
    tls: bool = False
    server_name: str = ""
    alpn: bytes = b""
    certificate: bytes = b""
    peer: Address = _CLIENT
    local: Address | None = None
    method: bytes = b""
    target: bytes = b"/"
    authority: bytes = b""
    headers: tuple[Field, ...] = ()
    claims: tuple[Field, ...] = ()
    length: int | None = None

    @property
    def url(self) -> str:
        """The URL that asks for it, as far as there is one."""
        scheme = ("https" if self.tls else "http") if self.method else ("tls" if self.tls else "tcp")
        if not self.method:
            if self.server_name or self.local is None:
                return f"{scheme}://{self.server_name}:{self.port}"
            return f"{scheme}://{self.local}"
        target = self.target.decode("latin-1")
        return f"{scheme}://{self.authority.decode('latin-1')}{target if target.startswith('/') else '/'}"

    def raw(self) -> bytes:
        """Return the head of the request as HTTP/1.1 sends it."""
        fields = [(b"Host", self.authority), *self.headers]
        if self.length is not None:
            fields.append((b"Content-Length", b"%d" % self.length))
        lines = [b"%b %b HTTP/1.1" % (self.method, self.target), *(b"%b: %b" % field for field in fields)]
        return b"\r\n".join([*lines, b"", b""])


def question_of(
    method: str, url: str, headers: tuple[Field, ...] = (), length: int | None = None, port: int | None = None
) -> Question:
    """
    Return what a client asks that is given a method and a URL, as curl would send it.

    A C{Host} among the headers replaces the URL's. C{tcp://HOST:PORT} and C{tls://NAME:PORT} ask for no request.

    @param port: To connect to, in place of the URL's.
    @raise ValueError: The URL, the method or a header is none that can be asked for.
    """
    if _ASCII.fullmatch(url) is None:
        raise ValueError("a URL is of printable ASCII characters: write others as %XX, and hosts as xn--")
    parts = urlsplit(url)
    if parts.scheme not in _PORTS and parts.scheme not in ("tcp", "tls"):
        raise ValueError("a URL begins with http://, https://, ws://, wss://, tcp:// or tls://")
    if not parts.hostname:
        raise ValueError("the URL names no host")
    tls = parts.scheme in _SECURE
    number = parts.port or _PORTS.get(parts.scheme)
    if port is None:
        port = number
    if port is None:
        raise ValueError(f"the URL names no port: {parts.scheme}://HOST:PORT")
    name = host_of(parts.netloc.rpartition("@")[2].encode("ascii"))
    if parts.scheme in ("tcp", "tls"):
        return Question(port, tls, name if tls else "", local=None if tls else _local(name, port))
    if _TOKEN.fullmatch(method) is None:
        raise ValueError(f"{method!r} is no method")
    authority = parts.netloc.rpartition("@")[2].encode("ascii")
    if parts.port == _PORTS[parts.scheme]:
        authority = authority.rpartition(b":")[0]
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    for name_sent, value in headers:
        check_field(name_sent.lower(), value)
    named = [value for key, value in headers if key.lower() == b"host"]
    others = tuple(field for field in headers if field[0].lower() != b"host")
    return Question(
        port,
        tls,
        name if tls and not _literal(name) else "",
        alpn=b"http/1.1" if tls else b"",
        method=method.encode("ascii"),
        target=target.encode("ascii"),
        authority=named[0] if named else authority,
        headers=others,
        length=length,
    )


def _literal(name: str) -> bool:
    """Whether a host is an IP address, of which SNI says nothing (RFC 6066 section 3)."""
    return name.startswith("[") or name.replace(".", "").isdigit()


def _local(name: str, port: int) -> Address | None:
    return TCPAddress(name.strip("[]"), port) if _literal(name) else None


class Heads:
    """Parses the heads of questions, by the parsers that serve."""

    def __init__(self, h1: HeadParser, h2: RequestHeads, limits: Limits) -> None:
        self._h1 = h1
        self._h2 = h2
        self._longest = limits.head_bytes

    def head(self, question: Question) -> RequestHead:
        """
        Return what the head of a question's request says.

        @raise RequestRefused: It is no request that can be served.
        @raise Malformed: It breaks HTTP/2.
        """
        if question.alpn != HTTP2:
            raw = question.raw()
            if len(raw) > self._longest:
                raise RequestRefused(HEAD_TOO_LARGE)
            return self._h1.read(raw)
        fields = [
            (b":method", question.method),
            (b":scheme", b"https" if question.tls else b"http"),
            (b":authority", question.authority),
            (b":path", question.target),
            *((name.lower(), value) for name, value in question.headers),
        ]
        if question.length is not None:
            fields.append((b"content-length", b"%d" % question.length))
        return self._h2.head(fields, not question.length, extended_connect=False)
