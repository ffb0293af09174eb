# Hot path: says to each backend who asks.
"""
Who the client is, in the fields that tell a backend (Envoy's C{use_remote_address} and C{xff_num_trusted_hops}).

A client's own word counts only as far as the proxies in front of the gateway
are trusted: with no trusted hop the connection's address is the client.
"""

from __future__ import annotations

from binascii import b2a_hex
from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from random import getrandbits
from typing import Final

from edgegate.http.field_block import FieldBlock
from edgegate.http.fields import UNKNOWN_LENGTH, Field
from edgegate.http.request import RequestHead
from edgegate.model.addresses import client_text
from edgegate.net.addresses import ConnectionInfo

_CERTIFICATE: Final = b"x-forwarded-client-cert"


class Client:
    """
    What a connection says about its client; made once for each connection.

    @ivar address: The address at the other end of the connection, or C{unknown} for a UNIX socket's.
    """

    __slots__ = ("_certificate", "_hops", "_identity", "_proto", "address")

    def __init__(self, downstream: ConnectionInfo, trusted_hops: int) -> None:
        self.address = client_text(downstream.peer)
        self._hops = trusted_hops
        self._proto = b"https" if downstream.tls else b"http"
        self._certificate = downstream.client_certificate
        self._identity = self._told(self.address, self.address, self._proto)

    @property
    def trusted_hops(self) -> int:
        """How many proxies in front say who the client is."""
        return self._hops

    def identity(self, head: RequestHead, number: bytes) -> tuple[FieldBlock, bytes]:
        """
        Return what tells one request's backend who asks, and the request's C{x-request-id}.

        @param number: The id that it has; empty: it gets a new one, unless a trusted proxy gave it one.
        """
        hops = self._hops
        if not number:
            number = head.request_id if hops and head.request_id else _made.pop() if _made else request_id()
        if not hops and not head.forwarded_for:
            return self._identity, number
        addresses = b",".join([*filter(None, head.forwarded_for), self.address])
        return self._told(addresses, self.external(head), self.scheme(head)), number

    def request_id(self, head: RequestHead) -> bytes:
        """Return the C{x-request-id} of one request; see L{identity}."""
        return head.request_id if self._hops and head.request_id else request_id()

    def seen(self, head: RequestHead) -> list[Field]:
        """Return the fields that a route may ask for, the ones that are set anew towards the backend included."""
        fields = [*head.fields, (b"host", head.authority)]
        fields.extend((b"x-forwarded-for", value) for value in (*head.forwarded_for, self.address))
        fields.append((b"x-forwarded-proto", self.scheme(head)))
        fields.append((b"x-envoy-external-address", self.external(head) if self._hops else self.address))
        if self._certificate:
            fields.append((_CERTIFICATE, self._certificate))
        if self._hops and head.request_id:
            fields.append((b"x-request-id", head.request_id))
        if head.length == UNKNOWN_LENGTH:
            fields.append((b"transfer-encoding", b"chunked"))
        elif head.sized:
            fields.append((b"content-length", b"%d" % head.length))
        if head.upgrade:
            fields += ((b"connection", b"upgrade"), (b"upgrade", b", ".join(head.upgrade)))
        return fields

    def scheme(self, head: RequestHead) -> bytes:
        """Return the scheme that the client asked in: the connection's, unless a trusted proxy says another."""
        if not self._hops:
            return self._proto
        proto = head.forwarded_proto.lower()
        return proto if proto in (b"http", b"https") else self._proto

    def external(self, head: RequestHead, fallback: bytes | None = None) -> bytes:
        """
        Return the address of who asks: the connection's, or the one that the trusted proxies say, if it is one.

        @param fallback: Where they should say one and say none; L{None}: the connection's.
        """
        if not self._hops:
            return self.address
        unknown = self.address if fallback is None else fallback
        hops = b",".join(head.forwarded_for).split(b",")
        return _address(hops[-self._hops]) or unknown if len(hops) >= self._hops else unknown

    def _told(self, hops: bytes, client: bytes, proto: bytes) -> FieldBlock:
        fields = [(b"x-forwarded-for", hops), (b"x-forwarded-proto", proto), (b"x-envoy-external-address", client)]
        if self._certificate:
            fields.append((_CERTIFICATE, self._certificate))
        return FieldBlock(*fields)


def _address(hop: bytes) -> bytes:
    """Return the normal form of an IP address; empty where it is none: with a port, brackets or a zone it is none."""
    hop = hop.strip(b" \t")
    return _normal_form(hop) if len(hop) <= _LONGEST_ADDRESS and b"%" not in hop else b""


@lru_cache(maxsize=1024)
def _normal_form(hop: bytes) -> bytes:
    try:
        address = ip_address(hop.decode("ascii"))
    except ValueError:
        return b""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    # Python's own form of these differs from one version to the next
    return (str(address) if mapped is None else f"::ffff:{mapped}").encode("ascii")


_LONGEST_ADDRESS: Final = 45


_BATCH: Final = 128
_VARIANT: Final = bytes.maketrans(b"0123456789abcdef", b"89ab89ab89ab89ab")
_made: Final[list[bytes]] = []


def request_id() -> bytes:
    """Return a new random UUID (RFC 9562 version 4). It identifies, it keeps no secret."""
    if not _made:
        _made.extend(_batch())
    return _made.pop()


def _batch() -> Iterator[bytes]:
    """Make many at once, a digit of all of them at a time: that takes a third of the time."""
    digits = b2a_hex(getrandbits(128 * _BATCH).to_bytes(16 * _BATCH, "big"))
    text = bytearray(b"xxxxxxxx-xxxx-4xxx-xxxx-xxxxxxxxxxxx" * _BATCH)
    places = [place for place in range(36) if place not in (8, 13, 14, 18, 23)]
    for digit, place in enumerate(places):
        text[place::36] = digits[digit::32]
    text[19::36] = text[19::36].translate(_VARIANT)
    made = bytes(text)
    return (made[at : at + 36] for at in range(0, len(made), 36))
