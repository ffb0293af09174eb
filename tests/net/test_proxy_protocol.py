"""Tests of L{edgegate.net.proxy_protocol}."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.clusters import ProxyHeader
from edgegate.net.proxy_protocol import (
    MAX_V1,
    MAX_V2,
    SIGNATURE,
    MalformedHeader,
    NoHeader,
    ParsedHeader,
    header,
    parse,
)

PORTS = st.integers(0, 65535)
V4 = st.builds(TCPAddress, st.ip_addresses(v=4).map(str), PORTS)
V6 = st.builds(TCPAddress, st.ip_addresses(v=6).filter(lambda each: each.ipv4_mapped is None).map(str), PORTS)
ANYTHING = st.builds(bytes.__add__, st.sampled_from([b"", SIGNATURE, b"PROXY "]), st.binary(max_size=300))
LINE = b"PROXY TCP4 203.0.113.7 192.0.2.1 4711 443\r\n"
PEER, LOCAL = TCPAddress("203.0.113.7", 4711), TCPAddress("192.0.2.1", 443)


def v2(command: int, family: int, rest: bytes) -> bytes:
    """Return a header of version 2, whatever it says."""
    return SIGNATURE + struct.pack("!BBH", command, family, len(rest)) + rest


class WriterTests(SynchronousTestCase):
    """What a backend is told."""

    def test_line(self) -> None:
        """Version 1 is a line."""
        self.assertEqual(header(ProxyHeader.V1, PEER, LOCAL), LINE)
        six = header(ProxyHeader.V1, TCPAddress("2001:db8::7", 1), TCPAddress("fe80::1%eth0", 2))
        self.assertEqual(six, b"PROXY TCP6 2001:db8::7 fe80::1 1 2\r\n")

    def test_binary(self) -> None:
        """Version 2 is binary."""
        self.assertEqual(
            header(ProxyHeader.V2, PEER, LOCAL),
            SIGNATURE + b"\x21\x11\x00\x0c\xcb\x00\x71\x07\xc0\x00\x02\x01\x12\x67\x01\xbb",
        )

    def test_nothing_to_tell(self) -> None:
        """Who has no TCP address is not told of."""
        for peer, local in ((UNIXAddress("/run/a"), UNIXAddress("/run/b")), (None, None), (PEER, UNIXAddress("@b"))):
            self.assertEqual(header(ProxyHeader.V1, peer, local), b"PROXY UNKNOWN\r\n")
            self.assertEqual(header(ProxyHeader.V2, peer, local), SIGNATURE + b"\x20\x00\x00\x00")


class ParserTests(SynchronousTestCase):
    """What a load balancer says."""

    @given(st.sampled_from(ProxyHeader), st.one_of(V4, V6), st.one_of(V4, V6), st.binary(max_size=30))
    def test_round_trip(self, version: ProxyHeader, peer: TCPAddress, local: TCPAddress, rest: bytes) -> None:
        """What the writer says the parser understands, of whatever families, and it leaves alone what follows."""
        written = header(version, peer, local)
        self.assertEqual(parse(written + rest), ParsedHeader(len(written), peer, local))

    @given(st.sampled_from(ProxyHeader), V4, V6)
    def test_every_cut(self, version: ProxyHeader, peer: TCPAddress, local: TCPAddress) -> None:
        """A header that is cut anywhere asks for more, never beyond its end, and is then understood."""
        written = header(version, peer, local)
        for at in range(1, len(written)):
            needed = parse(written[:at])
            assert isinstance(needed, int)
            self.assertTrue(at < needed <= len(written), (at, needed))

    @given(ANYTHING)
    def test_whatever_comes(self, data: bytes) -> None:
        """Whatever comes is a header, no header, a broken one, or not enough."""
        try:
            found = parse(data)
        except (NoHeader, MalformedHeader):
            return
        if isinstance(found, int):
            self.assertTrue(len(data) < found <= MAX_V2)
        else:
            self.assertTrue(0 < found.size <= len(data))

    def test_unknown(self) -> None:
        """Checks of health and clients without an address are taken; what such a line says besides does not matter."""
        for data in (
            b"PROXY UNKNOWN\r\n",
            b"PROXY UNKNOWN ffff::1 ffff::2 65535 65535\r\n",
            v2(0x20, 0x00, b""),
            v2(0x20, 0x11, b"\x7f\0\0\1\x7f\0\0\1\0\1\0\2"),
            v2(0x21, 0x00, b""),
            v2(0x21, 0x31, b"/run/a".ljust(216, b"\0")),
            v2(0x21, 0x12, b"\x7f\0\0\1\x7f\0\0\1\0\1\0\2"),
        ):
            self.assertEqual(parse(data + b"GET"), ParsedHeader(len(data)))

    def test_additions(self) -> None:
        """What version 2 says besides the addresses is skipped."""
        data = v2(0x21, 0x11, header(ProxyHeader.V2, PEER, LOCAL)[16:] + b"\x02\x00\x0bshop.example"[:12] + b"x" * 100)
        self.assertEqual(parse(data), ParsedHeader(len(data), PEER, LOCAL))

    def test_mapped(self) -> None:
        """An IPv4 address that is mapped into IPv6 is an IPv4 address."""
        found = parse(b"PROXY TCP6 ::ffff:203.0.113.7 ::ffff:192.0.2.1 4711 443\r\n")
        self.assertEqual(found, ParsedHeader(57, PEER, LOCAL))

    def test_no_header(self) -> None:
        """Anything else is none."""
        for data in (b"GET / HTTP/1.1\r\n", b"\x16\x03\x01", b"PROXX", b"\r\n\r\nX", b"proxy TCP4"):
            self.assertRaises(NoHeader, parse, data)

    def test_malformed_lines(self) -> None:
        """Lines that break the protocol: families that do not fit, ports, spaces, addresses with zones or zeros."""
        for words in (
            b"TCP4 203.0.113.7 192.0.2.1 4711",
            b"TCP4 203.0.113.7 192.0.2.1 4711 443 ",
            b"TCP4  203.0.113.7 192.0.2.1 4711 443",
            b"TCP5 203.0.113.7 192.0.2.1 4711 443",
            b"TCP4 2001:db8::7 192.0.2.1 4711 443",
            b"TCP6 203.0.113.7 192.0.2.1 4711 443",
            b"TCP6 fe80::1%eth0 ::1 1 2",
            b"TCP4 203.0.113.007 192.0.2.1 4711 443",
            b"TCP4 203.0.113.7 192.0.2.1 04711 443",
            b"TCP4 203.0.113.7 192.0.2.1 +711 443",
            b"TCP4 203.0.113.7 192.0.2.1 65536 443",
            b"TCP4 203.0.113.7 192.0.2.1 4711 \xb2",
            b"TCP4 \xff 192.0.2.1 4711 443",
            b"",
            b"unknown",
        ):
            self.assertRaises(MalformedHeader, parse, b"PROXY " + words + b"\r\n")
        self.assertRaises(MalformedHeader, parse, b"PROXY " + b"x" * MAX_V1)
        long = b"PROXY UNKNOWN " + b"x" * (MAX_V1 - 16) + b"\r\n"
        self.assertEqual(parse(long), ParsedHeader(MAX_V1))

    def test_malformed_binary(self) -> None:
        """Versions, commands and families that are none, addresses that are cut, and what is too long."""
        for data in (
            v2(0x11, 0x11, b"x" * 12),
            v2(0x22, 0x11, b"x" * 12),
            v2(0x21, 0x41, b"x" * 12),
            v2(0x21, 0x13, b"x" * 12),
            v2(0x21, 0x11, b"x" * 11),
            v2(0x21, 0x21, b"x" * 35),
            v2(0x21, 0x11, b"")[:14] + b"\xff\xff",
            v2(0x21, 0x11, b"\x00" * (MAX_V2 - 15)),
        ):
            self.assertRaises(MalformedHeader, parse, data)
        longest = parse(v2(0x21, 0x11, b"\x00" * (MAX_V2 - 16)))
        assert isinstance(longest, ParsedHeader)
        self.assertEqual(longest.size, MAX_V2)
