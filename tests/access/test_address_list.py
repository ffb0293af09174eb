"""Tests for L{edgegate.access.address_list}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.access.address_list import KEPT, AddressListDecider, admits
from edgegate.model.address_sets import AddressSet, address_set, parse_network
from edgegate.model.guards.address_list import AddressList
from tests.http.guards.guards import ORIGIN


def addresses(*texts: str) -> AddressSet:
    """Make a set."""
    return address_set(map(parse_network, texts))


OFFICE = AddressList("n/a", ORIGIN, addresses("192.0.2.0/24", "2001:db8::/32"), addresses("192.0.2.66"))


class AddressListTests(SynchronousTestCase):
    """Who may enter."""

    def test_both(self) -> None:
        """Who is on deny may not enter, nor who is not on allow."""
        for address, enters in (
            (b"192.0.2.1", True),
            (b"::ffff:192.0.2.1", True),
            (b"2001:db8::1", True),
            (b"192.0.2.66", False),
            (b"::ffff:c000:242", False),
            (b"198.51.100.1", False),
            (b"2001:db9::1", False),
        ):
            self.assertIs(admits(OFFICE, address), enters, address)

    def test_one(self) -> None:
        """Without allow all others may enter; a list that is empty has nobody on it."""
        self.assertTrue(admits(AddressList("n/a", ORIGIN, deny=addresses("192.0.2.66")), b"192.0.2.67"))
        self.assertFalse(admits(AddressList("n/a", ORIGIN, allow=addresses()), b"192.0.2.67"))
        self.assertTrue(admits(AddressList("n/a", ORIGIN, deny=addresses()), b"192.0.2.67"))

    def test_no_address(self) -> None:
        """What is no address, as that of a UNIX socket, is on no list."""
        for address in (b"unknown", b"", b"192.0.2.1:80", b"[2001:db8::1]", b"\xff"):
            self.assertFalse(admits(OFFICE, address))
            self.assertTrue(admits(AddressList("n/a", ORIGIN, deny=addresses("0.0.0.0/0")), address))

    def test_zone(self) -> None:
        """The zone of a link-local address does not count."""
        link = AddressList("n/a", ORIGIN, addresses("fe80::/10"))
        self.assertTrue(admits(link, b"fe80::1%eth0"))

    def test_known(self) -> None:
        """Verdicts are remembered, of so many addresses."""
        decider = AddressListDecider(OFFICE)
        for number in range(KEPT + 10):
            decider.admits(b"10.%d.%d.1" % (number >> 8, number & 255))
        self.assertLessEqual(len(decider._known), KEPT)
        self.assertTrue(decider.admits(b"192.0.2.1"))
        self.assertTrue(decider.admits(b"192.0.2.1"))
        self.assertFalse(decider.admits(b"192.0.2.66"))
