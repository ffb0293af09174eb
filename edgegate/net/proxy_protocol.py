"""
The PROXY protocol, versions 1 and 2: who a connection is from, said before its first byte.

Bytes in, values out, and the other way round
(U{https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt}; sections in the
comments are its own). A header of version 2 may carry more than addresses
(TLVs); that is skipped.
"""

from __future__ import annotations

import ipaddress
import struct
from dataclasses import dataclass

from edgegate.model.addresses import Address, TCPAddress
from edgegate.model.clusters import ProxyHeader

SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
"""What a header of version 2 begins with."""

MAX_V1 = 107
"""Bytes of a header of version 1, its end of line included (section 2.1)."""

MAX_V2 = 4096
"""Bytes of a header of version 2 that are taken; the format could say 65,551."""

_FIXED = 16  # bytes of version 2 that every header has
_V1 = b"PROXY "
_LOCAL, _PROXY = 0x20, 0x21
_TCP4, _TCP6 = 0x11, 0x21
_KNOWN_FAMILIES = frozenset((0x00, _TCP4, 0x12, _TCP6, 0x22, 0x31, 0x32))


class MalformedHeader(ValueError):
    """It begins as a PROXY header does, and goes on as none may."""


class NoHeader(ValueError):
    """It is no PROXY header."""


@dataclass(frozen=True, slots=True)
class ParsedHeader:
    """
    What a header says.

    @ivar size: Its length in bytes; the connection proper begins after it.
    @ivar peer: The client's address; L{None} where the header tells none: the connection is the proxy's own (a check
        of health), or its client has no TCP address.
    @ivar local: The address that the client connected to; L{None} likewise.
    """

    size: int
    peer: TCPAddress | None = None
    local: TCPAddress | None = None


def parse(data: bytes) -> ParsedHeader | int:
    """
    Read the header that a connection begins with.

    @param data: The connection's first bytes, as many as there are.
    @return: The header, or how many bytes must be there before more can be told.

    @raise NoHeader: It begins with something else.
    @raise MalformedHeader: The header breaks the protocol, or is longer than is taken.
    """
    if data.startswith(SIGNATURE[: len(data)]):
        return _parse_v2(data)
    if data.startswith(_V1[: len(data)]):
        return _parse_v1(data)
    raise NoHeader("no PROXY header")


def header(version: ProxyHeader, peer: Address | None, local: Address | None) -> bytes:
    """
    Return the header that tells a backend of a client.

    Without two TCP addresses (a UNIX socket, a request of the gateway's own)
    it says that nothing is told: C{UNKNOWN} in version 1, C{LOCAL} in version 2.
    """
    if not isinstance(peer, TCPAddress) or not isinstance(local, TCPAddress):
        return b"PROXY UNKNOWN\r\n" if version is ProxyHeader.V1 else struct.pack("!12sBBH", SIGNATURE, _LOCAL, 0, 0)
    source, destination = _address(peer), _address(local)
    if source.version != destination.version:
        # one family for both: what is IPv4 is mapped
        source, destination = _mapped(source), _mapped(destination)
    if version is ProxyHeader.V1:
        return f"PROXY TCP{source.version} {source} {destination} {peer.port} {local.port}\r\n".encode("ascii")
    family = _TCP4 if source.version == 4 else _TCP6
    addresses = source.packed + destination.packed + struct.pack("!HH", peer.port, local.port)
    return struct.pack("!12sBBH", SIGNATURE, _PROXY, family, len(addresses)) + addresses


# Version 1: a line of text (section 2.1) ------------------------------------------------------------------------------


def _parse_v1(data: bytes) -> ParsedHeader | int:
    end = data.find(b"\r\n", 0, MAX_V1)
    if end < 0:
        if len(data) >= MAX_V1:
            raise MalformedHeader("no end of line")
        # a line that was cut between CR and LF is whole with one byte more, any other with two at the least
        return len(data) + (1 if data.endswith(b"\r") else 2)
    size = end + 2
    words = data[len(_V1) : end].split(b" ")
    if words[0] == b"UNKNOWN":
        return ParsedHeader(size)
    if len(words) != 5 or words[0] not in (b"TCP4", b"TCP6"):
        raise MalformedHeader("unknown line")
    version = 4 if words[0] == b"TCP4" else 6
    source, destination = _literal(words[1], version), _literal(words[2], version)
    return ParsedHeader(size, TCPAddress(source, _port(words[3])), TCPAddress(destination, _port(words[4])))


def _literal(word: bytes, version: int) -> str:
    try:
        address = ipaddress.ip_address(word.decode("ascii"))
    except ValueError:
        raise MalformedHeader("bad address") from None
    if address.version != version or b"%" in word:
        raise MalformedHeader("bad address")
    return _host(address)


def _port(word: bytes) -> int:
    if not word.isdigit() or len(word) > 5 or (word[:1] == b"0" and word != b"0") or int(word) > 65535:
        raise MalformedHeader("bad port")
    return int(word)


# Version 2: binary (section 2.2) --------------------------------------------------------------------------------------


def _parse_v2(data: bytes) -> ParsedHeader | int:
    if len(data) < _FIXED:
        return _FIXED
    command, family, length = struct.unpack_from("!BBH", data, len(SIGNATURE))
    if command not in (_LOCAL, _PROXY):
        raise MalformedHeader("unknown version or command")
    if family not in _KNOWN_FAMILIES:
        raise MalformedHeader("unknown address family")
    size: int = _FIXED + length
    if size > MAX_V2:
        raise MalformedHeader("too long")
    if len(data) < size:
        return size
    width = {_TCP4: 4, _TCP6: 16}.get(family)
    if command == _LOCAL or width is None:
        return ParsedHeader(size)
    if length < 2 * width + 4:
        raise MalformedHeader("too short for its addresses")
    source, destination = data[_FIXED : _FIXED + width], data[_FIXED + width : _FIXED + 2 * width]
    source_port, destination_port = struct.unpack_from("!HH", data, _FIXED + 2 * width)
    return ParsedHeader(
        size,
        TCPAddress(_host(ipaddress.ip_address(source)), source_port),
        TCPAddress(_host(ipaddress.ip_address(destination)), destination_port),
    )


# Addresses ------------------------------------------------------------------------------------------------------------


def _host(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return an address as the kernel's are shown: one of IPv4 that is mapped into IPv6 is one of IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(address if mapped is None else mapped)


def _address(address: TCPAddress) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    return ipaddress.ip_address(address.host.partition("%")[0])


def _mapped(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv6Address:
    if isinstance(address, ipaddress.IPv6Address):
        return address
    return ipaddress.IPv6Address(b"\0" * 10 + b"\xff\xff" + address.packed)
