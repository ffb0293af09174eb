"""Tests for L{edgegate.downstream.address_lists}."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.downstream.address_lists import AddressLists
from edgegate.model.addresses import TCPAddress, UNIXAddress
from edgegate.model.guards.address_list import AddressList
from tests.access.test_address_list import addresses
from tests.http.guards.guards import ORIGIN, TestGuard

OF_CLIENT = AddressList("n/client", ORIGIN, addresses("192.0.2.0/24"))
OF_PEER = AddressList("n/peer", ORIGIN, addresses("192.0.2.0/24"), of_peer=True)
INSIDE, OUTSIDE = TCPAddress("192.0.2.1", 4711), TCPAddress("198.51.100.1", 4711)


class AddressListsTests(SynchronousTestCase):
    """Who is told to go before anything is done for it."""

    def test_refusal(self) -> None:
        """The phrase names the policy; other guards are passed over."""
        guards = (TestGuard("n/x", ORIGIN), OF_CLIENT)
        self.assertEqual(AddressLists().refusal(guards, INSIDE), "")
        self.assertEqual(AddressLists().refusal(guards, OUTSIDE), "address_list_denied[n/client]")
        self.assertNotEqual(AddressLists().refusal(guards, UNIXAddress("/tmp/a")), "")
        self.assertEqual(AddressLists().refusal((), OUTSIDE), "")

    def test_trusted(self) -> None:
        """Where proxies say who the client is, only lists of peers can be asked, but where no request comes."""
        lists = AddressLists(1)
        self.assertEqual(lists.refusal((OF_CLIENT,), OUTSIDE), "")
        self.assertNotEqual(lists.refusal((OF_PEER,), OUTSIDE), "")
        self.assertNotEqual(lists.refusal((OF_CLIENT,), OUTSIDE, relayed=True), "")
        lists.forget()
        self.assertNotEqual(lists.refusal((OF_PEER,), OUTSIDE), "")
