# Hot path: read for each new connection on a port that speaks TLS.
"""
The ClientHello, read before anyone takes it from the socket.

It is read from peeked bytes, so that the server (and with it the OpenSSL
context, with its own verify mode, client CAs and versions) can be chosen before
the TLS connection object exists, and so that a passed-through connection
reaches its backend whole. RFC 8446 sections 4.1.2 and 5.1, RFC 6066 section 3,
RFC 7301 section 3.1.
"""

from __future__ import annotations

from typing import NamedTuple

from edgegate.model.hosts import normalise

MAX_HELLO = 65536
"""Bytes on the wire, record headers included, that a ClientHello may take (Envoy's limit too)."""

MAX_RECORDS = 1024
"""TLS records that a ClientHello may be cut into."""

_MAX_FRAGMENT = 16384  # RFC 8446 section 5.1
_HANDSHAKE = 22
_CLIENT_HELLO = 1
_SERVER_NAME = 0
_ALPN = 16
# Letters, digits, hyphens; underscores, which no host name has by the book, but many names in use.
_NAME_BYTES = b"abcdefghijklmnopqrstuvwxyz0123456789-._"


class NotTLS(ValueError):
    """What came does not begin as TLS does."""


class MalformedHello(ValueError):
    """What came begins as TLS does, but is no ClientHello that a server may answer."""


class ClientHello(NamedTuple):
    """
    What a client says before anything is agreed upon. None of it is proven.

    @ivar server_name: The SNI name in the normal form of L{edgegate.routing.hosts}; empty where there is none, or an
        IP address, which is none.
    @ivar alpn: The protocols that the client offers, most wanted first.
    """

    server_name: str
    alpn: tuple[bytes, ...]


def parse(data: bytes) -> ClientHello | int:
    """
    Read a ClientHello from the first bytes of a connection; what follows it is not looked at.

    @return: The hello; or how many bytes there must be at least (more than
        there are, at most L{MAX_HELLO}) before more can be told. A caller that
        waits for that many calls a few times only, however small the pieces.

    @raise NotTLS: The first bytes cannot be a TLS handshake.

    @raise MalformedHello: They are one, and it is broken or too large.
    """
    if len(data) < 3:
        if data and data[0] != _HANDSHAKE and not data[0] & 0x80:
            raise NotTLS("not a TLS record")
        return 3
    if data[0] != _HANDSHAKE or data[1] != 3:
        raise NotTLS("an SSLv2 hello" if data[0] & 0x80 and data[2] == _CLIENT_HELLO else "not a TLS record")
    hello = _message(data)
    return _body(hello) if isinstance(hello, bytes) else hello


def alert(description: int) -> bytes:
    """Return the record of a fatal alert (RFC 8446 section 6)."""
    return bytes((21, 3, 3, 0, 2, 2, description))


UNRECOGNIZED_NAME = alert(112)
"""What a client is told whose SNI name belongs to no server here."""

INTERNAL_ERROR = alert(80)
"""What a client is told that may be served when it comes again."""


def _message(data: bytes) -> bytes | int:
    """Return the handshake message that the records carry, or how many bytes must be there to go on."""
    message = b""
    whole = 0  # until the message says how long it is
    at = 0
    for _ in range(MAX_RECORDS):
        if len(data) < at + 5:
            # A record header and the rest of the message can't come in fewer bytes.
            return at + 5 + (whole or 4) - len(message)
        if data[at] != _HANDSHAKE or data[at + 1] != 3:
            raise MalformedHello("a record of another kind in the middle of the hello")
        size = data[at + 3] << 8 | data[at + 4]
        if not 0 < size <= _MAX_FRAGMENT:
            raise MalformedHello("a record of an impossible length")
        end = at + 5 + size
        carried = len(message) + size
        message += data[at + 5 : end]
        if not whole:
            whole = _message_size(message)
        if whole and carried > whole:
            raise MalformedHello("more in the record than the hello")
        need = end if carried >= (whole or 4) else end + 5 + (whole or 4) - carried
        if need > MAX_HELLO:
            raise MalformedHello("the hello is too large")
        if len(data) < end:
            return need
        if carried == whole:
            return message
        at = end
    raise MalformedHello("the hello is cut into too many records")


def _message_size(message: bytes) -> int:
    """Return how long the whole message is by its own word; 0 where that has not come yet."""
    if message and message[0] != _CLIENT_HELLO:
        raise MalformedHello("a handshake message that is no ClientHello")
    if len(message) < 4:
        return 0
    size = 4 + int.from_bytes(message[1:4], "big")
    if size > MAX_HELLO:
        raise MalformedHello("the hello is too large")
    return size


def _body(hello: bytes) -> ClientHello:
    """Read the whole handshake message."""
    if len(hello) < 39 or hello[4] != 3:
        raise MalformedHello("no version or random")
    at = _vector(hello, 38, 1, 0, 32)
    at = _vector(hello, at, 2, 2, 65534)
    at = _vector(hello, at, 1, 1, 255)
    server_name = ""
    alpn: tuple[bytes, ...] = ()
    if at == len(hello):  # TLS 1.2 and below may come without extensions
        return ClientHello(server_name, alpn)
    if _vector(hello, at, 2, 0, 65535) != len(hello):
        raise MalformedHello("bytes behind the extensions")
    at += 2
    seen = set()
    size = len(hello)
    while at < size:
        end = at + 4 + (hello[at + 2] << 8 | hello[at + 3]) if at + 4 <= size else size + 1
        if end > size:
            raise MalformedHello("a length that does not fit")
        kind = hello[at] << 8 | hello[at + 1]
        if kind in seen:
            raise MalformedHello("an extension comes twice")
        seen.add(kind)
        if kind == _SERVER_NAME:
            server_name = _name(hello[at + 4 : end])
        elif kind == _ALPN:
            alpn = _protocols(hello[at + 4 : end])
        at = end
    return ClientHello(server_name, alpn)


def _vector(data: bytes, at: int, width: int, low: int, high: int) -> int:
    """Return where the vector ends that begins at C{at} with a length of that many bytes."""
    begin = at + width
    size = int.from_bytes(data[at:begin], "big")
    end = begin + size
    if end > len(data) or begin > len(data) or not low <= size <= high:
        raise MalformedHello("a length that does not fit")
    return end


def _name(data: bytes) -> str:
    """Read the body of C{server_name}: as OpenSSL does, exactly one name, and that a host name."""
    if _vector(data, 0, 2, 4, 65535) != len(data) or data[2] != 0 or _vector(data, 3, 2, 1, 65535) != len(data):
        raise MalformedHello("a server_name extension that does not hold one host name")
    name = data[5:].lower()
    if name.translate(None, _NAME_BYTES):
        raise MalformedHello("a server name that is no host name")
    try:
        # RFC 6066 section 3 allows no final dot, yet it is sent, and names the same host; nor an IP address, which
        # names none at all.
        found = normalise(name.decode("ascii"))
        return "" if found.rpartition(".")[2].isdecimal() else found
    except ValueError:
        raise MalformedHello("a server name that is no host name") from None


def _protocols(data: bytes) -> tuple[bytes, ...]:
    """Read the body of C{application_layer_protocol_negotiation}."""
    if _vector(data, 0, 2, 2, 65535) != len(data):
        raise MalformedHello("an ALPN list that does not fit")
    protocols = []
    at = 2
    while at < len(data):
        end = _vector(data, at, 1, 1, 255)
        protocols.append(data[at + 1 : end])
        at = end
    return tuple(protocols)
