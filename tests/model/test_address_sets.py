"""Tests for L{edgegate.model.address_sets}."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address, ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.address_sets import AddressSet, address_set, parse_network, parse_range, range_of

NETWORKS = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 32)), max_size=8)


def made(*texts: str) -> AddressSet:
    """Make a set of networks."""
    return address_set(map(parse_network, texts))


def holds(found: AddressSet, text: str) -> bool:
    """Whether an address is in a set."""
    address = ip_address(text)
    return found.holds(int(address), address.version)


class AddressSetTests(SynchronousTestCase):
    """Sets of addresses."""

    def test_bounds(self) -> None:
        """The first and the last address of a network are in it, their neighbours are not."""
        found = made("192.0.2.0/24", "2001:db8::/32", "10.0.0.1")
        for text in ("192.0.2.0", "192.0.2.255", "2001:db8::", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "10.0.0.1"):
            self.assertTrue(holds(found, text), text)
        for text in ("192.0.1.255", "192.0.3.0", "2001:db7:ffff::", "2001:db9::", "10.0.0.0", "10.0.0.2", "::"):
            self.assertFalse(holds(found, text), text)

    def test_everything_and_nothing(self) -> None:
        """The networks of all addresses hold the last one; an empty set holds none."""
        self.assertTrue(holds(made("0.0.0.0/0"), "255.255.255.255"))
        self.assertFalse(holds(made("0.0.0.0/0"), "::1"))
        self.assertTrue(holds(made("::/0"), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"))
        self.assertFalse(holds(made(), "0.0.0.0"))
        self.assertFalse(made())

    def test_joined(self) -> None:
        """Networks that touch or lie within each other are one range."""
        found = made("10.0.1.0/24", "10.0.0.0/24", "10.0.0.128/25", "10.0.0.7")
        self.assertEqual(found.v4, (int(IPv4Address("10.0.0.0")), int(IPv4Address("10.0.2.0"))))

    def test_written(self) -> None:
        """Bits behind the prefix do not count, and IPv4 within IPv6 is IPv4."""
        self.assertEqual(made("192.0.2.77/24"), made("192.0.2.0/24"))
        self.assertEqual(made("::ffff:192.0.2.0/120", "::ffff:192.0.2.1"), made("192.0.2.0/24"))
        self.assertEqual(made("::ffff:0:0/96"), made("0.0.0.0/0"))
        for text in ("10.0.0.0/255.0.0.0", "10.0.0.0/0.0.0.255"):
            self.assertRaises(ValueError, parse_network, text)
            self.assertRaises(ValueError, parse_range, text)
        for text in ("", "a", "192.0.2.0/33", "192.0.2", "192.0.2.0/-1", "192.0.2.0/24 ", "192.0.2.0/255.255.255.0.0"):
            self.assertRaises(ValueError, parse_network, text)

    @given(st.from_regex(r"[0-9]{1,3}(\.[0-9]{1,3}){3}(/[0-9]{1,2})?", fullmatch=True))
    def test_quickly(self, text: str) -> None:
        """What is read quickly is what is read."""
        try:
            wanted = range_of(parse_network(text))
        except ValueError:
            self.assertRaises(ValueError, parse_range, text)
        else:
            self.assertEqual(parse_range(text), wanted)

    @given(NETWORKS, st.integers(0, 2**32 - 1))
    def test_any(self, pairs: list[tuple[int, int]], number: int) -> None:
        """A set holds what one of its networks holds."""
        networks = [ip_network((first, bits), strict=False) for first, bits in pairs]
        found = address_set(networks)
        for each in (number, *(int(network.network_address) for network in networks)):
            address = ip_address(each)
            self.assertEqual(found.holds(each, 4), any(address in network for network in networks), address)
