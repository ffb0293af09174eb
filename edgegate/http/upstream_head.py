# Hot path: one for each request head that differs from those before.
"""
The head of a request as its backend gets it, whatever version of HTTP that speaks.

What the client's framing and connection said is not copied but said anew, by
the version that carries the request.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.upgrade import Protocols


class UpstreamHead:
    """
    What is the same for all requests with one head to one destination: shared by them, never changed.

    Each version of HTTP has a slot of its own for what it makes of it.

    @ivar target: Origin form (path and query) or C{*}.
    @ivar authority: The host that the backend sees, with its port.
    @ivar host: The normal form of that host; empty where it is none.
    @ivar fields: Names in lower case; none of a connection's own, nor of the body's framing.
    @ivar length: Bytes of the body; 0: none; L{UNKNOWN_LENGTH}: its end will be told.
    @ivar sized: Whether the client told the length, which it need not where there is no body.
    @ivar timeout: Seconds after which its client waits no longer, which one of gRPC says; L{None}: it does not.
    @ivar grpc: Whether it is one of gRPC.
    @ivar upgrade: The protocols that are asked for.
    @ivar lines: The lines of C{fields} as HTTP/1 writes them, in pieces; L{None}: nobody has them at hand.
    @ivar h1: What HTTP/1 writes of it, once that was made; else empty.
    @ivar h2: What HTTP/2 writes of it in the clear, likewise; C{h2_secure}: with TLS, as the scheme is another then.
    """

    __slots__ = (
        "authority",
        "fields",
        "grpc",
        "h1",
        "h2",
        "h2_secure",
        "host",
        "length",
        "lines",
        "method",
        "sized",
        "target",
        "timeout",
        "upgrade",
    )

    def __init__(
        self,
        method: bytes,
        target: bytes,
        authority: bytes,
        host: str,
        fields: list[Field],
        length: int = 0,
        sized: bool = False,
        upgrade: Protocols = (),
    ) -> None:
        self.method = method
        self.target = target
        self.authority = authority
        self.host = host
        self.fields = fields
        self.length = length
        self.sized = sized
        self.upgrade = upgrade
        self.timeout: float | None = None
        self.grpc = False
        self.lines: list[bytes] | None = None
        self.h1 = self.h2 = self.h2_secure = b""

    def without(self, names: frozenset[bytes]) -> UpstreamHead:
        """Return it without the fields of some names; itself, where it has none of them."""
        fields = [field for field in self.fields if field[0] not in names]
        if len(fields) == len(self.fields):
            return self
        found = UpstreamHead(
            self.method, self.target, self.authority, self.host, fields, self.length, self.sized, self.upgrade
        )
        found.grpc, found.timeout = self.grpc, self.timeout
        return found

    @property
    def tells_length(self) -> bool:
        """Whether the head says how long the body is: else some backends wait for one, or refuse (RFC 9110 8.6)."""
        if self.length == UNKNOWN_LENGTH:
            return False
        return self.sized or not (self.method in _BODYLESS or self.upgrade)


def framing_of(head: UpstreamHead) -> Sequence[Field]:
    """Return the fields in which HTTP/1.1 says what follows on a head: another protocol, or what body."""
    fields: list[Field] = []
    if head.upgrade:
        fields += ((b"connection", b"upgrade"), (b"upgrade", b", ".join(head.upgrade)))
    if head.length == UNKNOWN_LENGTH:
        fields.append((b"transfer-encoding", b"chunked"))
    elif head.tells_length:
        fields.append((b"content-length", b"%d" % head.length))
    return fields


_BODYLESS: Final = frozenset((b"GET", b"HEAD", b"DELETE", b"TRACE", b"CONNECT"))
"""Methods of which nobody expects a body; Envoy's, too."""
