"""ClientHellos to try: real ones, and ones put together byte by byte."""

from __future__ import annotations

import ssl
from collections.abc import Iterable


def real(server_name: str | None = None, alpn: Iterable[str] = ()) -> bytes:
    """What Python's ssl sends first."""
    context = ssl.create_default_context()
    context.check_hostname = False
    if alpn:
        context.set_alpn_protocols(list(alpn))
    outgoing = ssl.MemoryBIO()
    try:
        context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname=server_name).do_handshake()
    except ssl.SSLWantReadError:
        return outgoing.read()
    raise AssertionError("a handshake without a server")


def vector(width: int, content: bytes) -> bytes:
    """Content behind its length."""
    return len(content).to_bytes(width, "big") + content


def extension(kind: int, content: bytes) -> bytes:
    """One extension."""
    return kind.to_bytes(2, "big") + vector(2, content)


def server_name(name: bytes, kind: int = 0) -> bytes:
    """A C{server_name} extension."""
    return extension(0, vector(2, bytes([kind]) + vector(2, name)))


def alpn(*protocols: bytes) -> bytes:
    """An ALPN extension."""
    return extension(16, vector(2, b"".join(vector(1, protocol) for protocol in protocols)))


def message(extensions: bytes | None = b"", session: bytes = b"", ciphers: bytes = b"\x13\x01") -> bytes:
    """A ClientHello message without its record."""
    body = b"\x03\x03" + bytes(32) + vector(1, session) + vector(2, ciphers) + vector(1, b"\0")
    if extensions is not None:
        body += vector(2, extensions)
    return b"\x01" + vector(3, body)


def records(content: bytes, size: int = 16384, version: bytes = b"\x03\x01") -> bytes:
    """A message in TLS records of at most that many bytes."""
    return b"".join(b"\x16" + version + vector(2, content[at : at + size]) for at in range(0, len(content), size))


def hello(*extensions: bytes) -> bytes:
    """A ClientHello with these extensions, in one record."""
    return records(message(b"".join(extensions)))
