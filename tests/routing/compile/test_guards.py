"""Tests for L{edgegate.routing.compile.guards}; more of them are in tests.istio.translate.guards.test_targets."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from edgegate.model.guards.address_list import AddressList
from edgegate.routing.compile.guards import met_first
from edgegate.routing.hosts import HostTable
from edgegate.routing.snapshot import FilterChain
from tests.http.guards.guards import ORIGIN, TestGuard

LIST, OTHER, LATE = AddressList("n/a", ORIGIN), AddressList("n/b", ORIGIN), TestGuard("n/c", ORIGIN, 9)


class MetFirstTests(SynchronousTestCase):
    """What connections meet when they are taken."""

    def test_all(self) -> None:
        """Lists that stand on all chains, and no other guard."""
        one = FilterChain("one", ORIGIN, http=HostTable(), guards=(LIST, OTHER, LATE))
        two = FilterChain("two", ORIGIN, tcp=(), guards=(LIST, LATE))
        self.assertEqual(met_first(None, [one]), (LIST, OTHER))
        self.assertEqual(met_first(None, [one, two]), (LIST,))
        self.assertEqual(met_first(two, [one]), (LIST,))
        self.assertEqual(met_first(None, [one, FilterChain("open", ORIGIN, tcp=())]), ())
        self.assertEqual(met_first(None, []), ())

    def test_requests_in_the_clear(self) -> None:
        """Where a request may come in the clear there is none: it is answered."""
        plain = FilterChain("plain", ORIGIN, http=HostTable(), guards=(LIST,))
        self.assertEqual(met_first(plain, []), ())
