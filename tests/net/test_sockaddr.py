"""Tests of L{edgegate.net.sockaddr}."""

from __future__ import annotations

import socket

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.net.sockaddr import address_of, family_of, socket_address


class SockaddrTests(SynchronousTestCase):
    """There and back."""

    def test_both_ways(self) -> None:
        """Each kind of address has its family, and its form for the socket module."""
        for address, family, name in (
            (TCPAddress("127.0.0.1", 80), socket.AF_INET, ("127.0.0.1", 80)),
            (TCPAddress("::1", 80), socket.AF_INET6, ("::1", 80, 0, 0)),
            (UNIXAddress("/run/a"), socket.AF_UNIX, "/run/a"),
            (UNIXAddress("@a"), socket.AF_UNIX, "\0a"),
        ):
            self.assertEqual(family_of(address), family)
            self.assertEqual(socket_address(address), name)
            self.assertEqual(address_of(name), address)

    def test_names(self) -> None:
        """A name is refused: nobody is asked what it means."""
        self.assertRaises(ValueError, socket_address, TCPAddress("localhost", 80))

    def test_scope(self) -> None:
        """A link-local address has its interface, by number or name."""
        self.assertEqual(socket_address(TCPAddress("fe80::1%7", 80)), ("fe80::1", 80, 0, 7))
        self.assertEqual(socket_address(TCPAddress("fe80::1%lo", 80))[3], socket.if_nametoindex("lo"))

    def test_mapped(self) -> None:
        """What a dual-stack socket makes of an IPv4 client is its IPv4 address."""
        self.assertEqual(address_of(("::ffff:10.0.0.1", 80, 0, 0)), TCPAddress("10.0.0.1", 80))
        self.assertEqual(address_of(("::ffff:1", 80, 0, 0)), TCPAddress("::ffff:1", 80))

    def test_unnamed(self) -> None:
        """Clients of UNIX sockets have no name; the kernel tells abstract ones as bytes."""
        self.assertEqual(address_of(""), UNIXAddress(""))
        self.assertEqual(address_of(b"\0a"), UNIXAddress("@a"))
