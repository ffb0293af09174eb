# Hot path: says to each backend who asks.
"""
Who the client is, in the fields that tell a backend (Envoy's C{use_remote_address} and C{xff_num_trusted_hops}).

A client's own word counts only as far as the proxies in front of the gateway
are trusted: with no trusted hop the connection's address is the client.
"""

from __future__ import annotations

from binascii import b2a_hex
from random import getrandbits
from typing import Final

from edgegate.http.request import RequestHead
from edgegate.net.addresses import Downstream
from edgegate.routing.snapshot import TCPAddress


class Client:
    """
    What a connection says about its client; made once for each connection.

    @ivar address: The address at the other end of the connection, or C{unknown} for a UNIX socket's.
    """

    __slots__ = ("_certificate", "_hops", "_lines", "_proto", "address")

    def __init__(self, downstream: Downstream, trusted_hops: int) -> None:
        peer = downstream.peer
        self.address = peer.host.encode("ascii") if isinstance(peer, TCPAddress) else b"unknown"
        self._hops = trusted_hops
        self._proto = b"https" if downstream.tls else b"http"
        certificate = downstream.client_certificate
        self._certificate = b"x-forwarded-client-cert: " + certificate + b"\r\n" if certificate else b""
        self._lines = b"x-forwarded-for: %b\r\n%bx-request-id: " % (
            self.address,
            self._identity(self.address, self._proto),
        )

    def lines(self, head: RequestHead) -> bytes:
        """Return the field lines for one request's backend."""
        if not self._hops and not head.forwarded_for:
            return self._lines + request_id() + b"\r\n"
        hops = _hops(head)
        client = self._external(hops)
        proto = self.scheme(head)
        number = head.request_id if self._hops and head.request_id else request_id()
        return b"x-forwarded-for: %b\r\n%bx-request-id: %b\r\n" % (
            b",".join([*hops, self.address]),
            self._identity(client, proto),
            number,
        )

    def scheme(self, head: RequestHead) -> bytes:
        """Return the scheme that the client asked in: the connection's, unless a trusted proxy says another."""
        return head.forwarded_proto if self._hops and head.forwarded_proto in (b"http", b"https") else self._proto

    def external(self, head: RequestHead) -> bytes:
        """Return the address of who asks: the connection's, or what the trusted proxies say."""
        return self._external(_hops(head)) if self._hops else self.address

    def _external(self, hops: list[bytes]) -> bytes:
        return hops[-self._hops] if self._hops and len(hops) >= self._hops else self.address

    def _identity(self, client: bytes, proto: bytes) -> bytes:
        return b"x-forwarded-proto: %b\r\nx-envoy-external-address: %b\r\n%b" % (proto, client, self._certificate)


def _hops(head: RequestHead) -> list[bytes]:
    return [hop.strip() for value in head.forwarded_for for hop in value.split(b",") if hop.strip()]


_VERSION_4: Final = 0x4000 << 64 | 0x8000 << 48
_RANDOM: Final = ~(0xF000 << 64 | 0xC000 << 48)


def request_id() -> bytes:
    """Return a new random UUID (RFC 9562 version 4). It identifies, it keeps no secret."""
    digits = b2a_hex((getrandbits(128) & _RANDOM | _VERSION_4).to_bytes(16, "big"))
    return b"-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
