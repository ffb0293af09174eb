"""Tests for L{edgegate.model.guards.guard}."""

from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.address_sets import AddressSet
from edgegate.model.guards.address_list import AddressList
from edgegate.model.guards.guard import Guard, Stage, in_order
from edgegate.model.origin import Origin
from tests.http.guards.guards import ORIGIN, TestGuard


class GuardTests(SynchronousTestCase):
    """Guards in general."""

    def test_order(self) -> None:
        """Guards come by their stages, those of one stage as they are given, each once."""
        late, first, second = (
            TestGuard("n/late", ORIGIN, 9),
            TestGuard("n/first", ORIGIN),
            TestGuard("n/second", ORIGIN),
        )
        self.assertEqual(in_order([late, first, second, first]), (first, second, late))

    def test_equal(self) -> None:
        """Where a guard is said does not count, what it is called does: policies do not share what they count."""
        elsewhere = Origin("b.yaml", 9, "AddressListPolicy n/a")
        one = AddressList("n/a", ORIGIN, AddressSet((1, 2)))
        self.assertEqual(one, AddressList("n/a", elsewhere, AddressSet((1, 2))))
        self.assertEqual(hash(one), hash(AddressList("n/a", elsewhere, AddressSet((1, 2)))))
        self.assertNotEqual(one, AddressList("n/b", ORIGIN, AddressSet((1, 2))))
        self.assertEqual(pickle.loads(pickle.dumps(one)), one)

    def test_stage(self) -> None:
        """Addresses are looked at first; a guard has to say when it is."""
        self.assertIs(AddressList("n/a", ORIGIN).stage(), Stage.ADDRESSES)
        self.assertRaises(NotImplementedError, Guard("n/a", ORIGIN).stage)
