"""Tests for L{edgegate.http.filters.route_filters}."""

from __future__ import annotations

from typing import cast

from twisted.trial.unittest import SynchronousTestCase

from edgegate.http.environment import HTTPEnvironment
from edgegate.http.filters.cors import CORSFilter, CORSFilterFactory
from edgegate.http.filters.fault import FaultFilterFactory
from edgegate.http.filters.interfaces import ChainFilter
from edgegate.http.filters.route_filters import RouteFilters
from edgegate.model.policies import CORSPolicy
from edgegate.routing.snapshot import FilterChain
from tests.http.conversation import Conversation, plain, to_web
from tests.http.filters.filters import TestFilter, TestFilters


class NoFilters(TestFilters):
    """Makes none for any chain."""

    def make(self, chain: FilterChain, environment: HTTPEnvironment) -> ChainFilter | None:
        """Make none."""
        super().make(chain, environment)
        return None


class RouteFiltersTests(SynchronousTestCase):
    """The filters of one chain."""

    def setUp(self) -> None:
        """Make some for a chain."""
        self.one, self.none = TestFilters("one"), NoFilters("none")
        factories = (self.one, self.none, FaultFilterFactory(), CORSFilterFactory())
        self.filters = RouteFilters(plain().chain, factories, Conversation().environment)

    def test_of(self) -> None:
        """A route has those that have something to do on it, in their order; a chain without one does without."""
        (first, second), gates = self.filters.of(to_web(cors=CORSPolicy(())))
        self.assertEqual(gates, ())
        self.assertEqual(cast(TestFilter, first).name, "one")
        self.assertIsInstance(second, CORSFilter)
        self.assertEqual(len(self.filters.of(to_web())[0]), 1)
        self.assertEqual((len(self.none.chains), self.none.routes), (1, []))

    def test_made_once(self) -> None:
        """They are made once for each route, and routes that say the same are two."""
        route, other = to_web(), to_web()
        self.assertEqual(route, other)
        self.assertIs(self.filters.of(route)[0], self.filters.of(route)[0])
        self.assertIsNot(self.filters.of(other)[0], self.filters.of(route)[0])
        self.assertEqual((len(self.one.chains), len(self.one.routes)), (1, 2))
